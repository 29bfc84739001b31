//go:build unix

package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// newProcess returns a headcount that is not started, with a folder of its own.
func newProcess(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.CommandContext(t.Context(), "headcount", args...)}
	p.Env, p.Dir, p.Stderr = environ(t), t.TempDir(), &p.stderr
	return p
}

// file returns the name of a file in the folder of the process.
func (p *process) file(name string) string { return filepath.Join(p.Dir, name) }

// startAndWait starts the process and returns its exit code.
func (p *process) startAndWait(t *testing.T) int {
	t.Helper()
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p.ends(t)
}

// expectIncomplete checks that the run calls itself complete neither in words nor in its statistics.
func (p *process) expectIncomplete(t *testing.T) {
	t.Helper()
	if regexp.MustCompile(`(?m)^complete|"msg":"complete`).MatchString(p.stderr.String()) {
		t.Errorf("complete, in words:\n%s", p.stderr.String())
	}
	text, err := os.ReadFile(p.file("stats"))
	if err != nil {
		t.Fatal(err)
	}
	var stats struct {
		Complete bool
		Error    string
	}
	if err := json.Unmarshal(text, &stats); err != nil || stats.Complete || stats.Error == "" {
		t.Errorf("%v: %s", err, text)
	}
}

// mkfifo makes a named pipe in the folder of the process.
func (p *process) mkfifo(t *testing.T, name string) {
	t.Helper()
	if err := unix.Mkfifo(p.file(name), 0o666); err != nil {
		t.Fatal(err)
	}
}

// A full disk is an error of its own, and no run on it is complete: neither if the disk is full at the first byte, nor
// if a compressed file notices it at its close.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if os.IsNotExist(err) {
		return // not Linux
	}
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	scan := []string{"scan", "--demo", "--limit", "1500", "--all", "--stats", "stats"}
	for name, args := range map[string][]string{
		"records":        scan,
		"a few records":  {"scan", "--demo", "--limit", "3", "--all", "--stats", "stats"},
		"JSON log":       append(scan, "--log-format", "json"),
		"output":         append(scan, "--output", "full"),
		"output.gz":      append(scan, "--output", "full.gz"),
		"output.zst":     append(scan, "--output", "full.zst"),
		"Parquet":        append(scan, "--format", "parquet"),
		"dry run":        {"scan", "--demo", "--dry-run", "--rate", "100000", "--stats", "stats"},
		"stats":          {"scan", "--demo", "--limit", "3", "--stats", "full"},
		"stats, dry run": {"scan", "--demo", "--dry-run", "--rate", "100000", "--stats", "full"},
		"version":        {"version"},
		"completion":     {"completion", "bash"},
		"help":           {"--help"},
		"help of scan":   {"scan", "--help"},
		"no command":     {},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProcess(t, args...)
			for _, link := range []string{"full", "full.gz", "full.zst"} {
				if err := os.Symlink("/dev/full", p.file(link)); err != nil {
					t.Fatal(err)
				}
			}
			if !strings.HasPrefix(name, "stats") {
				p.Stdout = full
			}
			if code := p.startAndWait(t); code != 5 || !strings.Contains(p.stderr.String(), "no space left on device") {
				t.Errorf("exit code %d\n%s", code, p.stderr.String())
			}
			isLines := slices.Contains(args, "--all") && name != "Parquet"
			isSaid := strings.Contains(p.stderr.String(), "whole lines")
			if isSaid != isLines && !strings.Contains(name, ".") { // what is compressed may fail at its end alone
				t.Errorf("a hint about lines: %v\n%s", isSaid, p.stderr.String())
			}
			if strings.Contains(p.stderr.String(), `\nwrite /dev/stdout`) {
				t.Errorf("the error is printed twice:\n%s", p.stderr.String())
			}
			switch {
			case strings.HasPrefix(name, "stats"):
				if strings.HasPrefix(p.stderr.String(), "complete") {
					t.Errorf("complete, in words:\n%s", p.stderr.String())
				}
			case len(args) > 2:
				p.expectIncomplete(t)
			}
		})
	}
}

// A standard output that is closed loses what is written to it. A command that writes nothing to it does not need it.
func TestClosedStandardOutput(t *testing.T) {
	for command, want := range map[string]int{
		"headcount scan --demo --stats stats >&-":                         5,
		"headcount scan --demo --dry-run --rate 100000 --stats stats >&-": 5,
		"headcount version >&-":                                           5,
		"headcount --help >&-":                                            5,
		"headcount scan --demo --output o --stats stats >&-":              0,
		"headcount scan --demo --stats stats >/dev/null":                  0,
		"headcount scan --demo --stats stats <>/dev/null >&0":             0, // one open file, as a daemon has
		"headcount scan --demo --limit 3 --stats stats >&- 2>&- <&-":      5,
		"headcount scan --demo --limit 3 --stats stats 2>&- >file <&-":    0,
	} {
		t.Run(command, func(t *testing.T) {
			p := newProcess(t)
			p.Path, p.Args = "/bin/sh", []string{"sh", "-c", command}
			if code := p.startAndWait(t); code != want {
				t.Errorf("exit code %d, want %d\n%s", code, want, p.stderr.String())
			}
			if want != 0 && strings.Contains(command, "stats") {
				p.expectIncomplete(t)
			}
		})
	}
}

// A named pipe waits for its reader, who gets everything.
func TestNamedPipe(t *testing.T) {
	p := newProcess(t, "scan", "--demo", "--quiet", "--output", "pipe", "--stats", "stats")
	p.mkfifo(t, "pipe")
	p.mkfifo(t, "stats")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	stats := make(chan []byte)
	go func() {
		text, _ := os.ReadFile(p.file("stats")) // checked below
		stats <- text
	}()
	text, err := os.ReadFile(p.file("pipe"))
	if err != nil {
		t.Fatal(err)
	}
	if keys, _ := keysOf(t, string(text)); len(keys) != 8972 {
		t.Errorf("%d keys", len(keys))
	}
	if text := <-stats; !bytes.Contains(text, []byte(`"complete": true`)) {
		t.Errorf("%s", text)
	}
	if code := p.ends(t); code != 0 {
		t.Errorf("exit code %d\n%s", code, p.stderr.String())
	}
}

// One signal ends the wait for the reader of a named pipe. Nothing is left of the run.
func TestNamedPipeWithoutReader(t *testing.T) {
	p := newProcess(t, "scan", "--demo", "--output", "output", "--errors", "pipe")
	p.mkfifo(t, "pipe")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(hangs); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(p.file("output")); err == nil { // --output is opened before --errors
			break
		}
	}
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := p.ends(t); code != 130 {
		t.Errorf("exit code %d\n%s", code, p.stderr.String())
	}
	if _, err := os.Stat(p.file("output")); !os.IsNotExist(err) {
		t.Errorf("the file of --output is left: %v", err)
	}
}

// A reader that goes away ends a run as that of standard output does. It does not come back to a pipe without a name.
func TestNamedPipeLosesReader(t *testing.T) {
	p := newProcess(t, "scan", "--demo", "--output", "pipe")
	p.mkfifo(t, "pipe")
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(p.file("pipe"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(reader, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	reader.Close()
	if code := p.ends(t); code != 141 || p.stderr.Len() > 0 {
		t.Errorf("exit code %d\n%s", code, p.stderr.String())
	}

	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	p = newProcess(t, "scan", "--demo", "--output", "/dev/fd/3")
	p.ExtraFiles = []*os.File{w}
	if code := p.startAndWait(t); code != 141 || p.stderr.Len() > 0 {
		t.Errorf("exit code %d\n%s", code, p.stderr.String())
	}
}

// One signal ends a run that waits for a reader to read. What the reader finds later is whole lines.
func TestSignalEndsBlockedWrite(t *testing.T) {
	t.Run("standard output", func(t *testing.T) {
		t.Parallel()
		p, first, writer := startSlow(t)
		waitUntilFull(t, writer)
		writer.Close()
		p.Dir = filepath.Dir(p.stats)
		p.stopBlocked(t, first, p.stdout)
	})
	t.Run("named pipe", func(t *testing.T) {
		t.Parallel()
		p := newProcess(t, "scan", "--no-sign-request", "--endpoint-url", serveSlow(t), "--workers", "16",
			"--output", "pipe", "--stats", "stats", "s3://demo")
		p.mkfifo(t, "pipe")
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		reader, err := os.Open(p.file("pipe"))
		if err != nil {
			t.Fatal(err)
		}
		defer reader.Close()
		writer, err := os.OpenFile(p.file("pipe"), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		waitUntilFull(t, writer)
		writer.Close()
		p.stopBlocked(t, nil, reader)
	})
}

// The same holds for messages: the reader of standard error may be the one who does not read.
func TestSignalEndsBlockedMessage(t *testing.T) {
	p := newProcess(t, "scan", "--no-sign-request", "--endpoint-url", serveSlow(t), "--workers", "16", "--stats", "stats",
		"--log-level", "debug", "s3://demo")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	p.Stdout, p.Stderr = writer, writer
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	waitUntilFull(t, writer)
	writer.Close()
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := p.ends(t); code != 130 {
		t.Errorf("exit code %d", code)
	}
	p.expectIncomplete(t)
}

// stopBlocked sends one signal to a process that is blocked in a write, and checks what it leaves.
func (p *process) stopBlocked(t *testing.T, first []byte, reader io.Reader) {
	t.Helper()
	if err := p.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := p.ends(t); code != 130 || !strings.Contains(p.stderr.String(), "error: stopped by interrupt") {
		t.Errorf("exit code %d\n%s", code, p.stderr.String())
	}
	p.expectIncomplete(t)
	rest, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	if keys, _ := keysOf(t, string(first)+string(rest)); len(keys) == 0 {
		t.Error("no line was written")
	}
}
