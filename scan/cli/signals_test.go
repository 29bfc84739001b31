//go:build unix

package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
)

// process is a headcount that scans a store for many minutes.
type process struct {
	*exec.Cmd
	stdout *os.File // the read end of a pipe
	stderr bytes.Buffer
	stats  string
}

// statsBefore is the content of the file of --stats before the run, longer than any statistics.
var statsBefore = strings.Repeat("an earlier run\n", 1000)

// serveSlow serves a bucket whose scan takes many minutes, and returns the URL.
func serveSlow(t *testing.T) string {
	t.Helper()
	_, url := simtest.Start(t, s3sim.Options{Objects: 1_000_000, Latency: 10 * time.Millisecond})
	return url
}

// startSlow starts a process and waits for its first record. It returns the first bytes of the record, and the write
// end of the pipe, which the process has too.
func startSlow(t *testing.T) (p *process, first []byte, writer *os.File) {
	t.Helper()
	url := serveSlow(t)
	// A signal that these tests ignore, as nohup makes them, would be ignored by the process too.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	t.Cleanup(func() { signal.Stop(caught) })
	p = &process{stats: filepath.Join(t.TempDir(), "stats")}
	if err := os.WriteFile(p.stats, []byte(statsBefore), 0o666); err != nil {
		t.Fatal(err)
	}
	p.Cmd = exec.CommandContext(t.Context(), "headcount", "scan", "--no-sign-request", "--workers", "16",
		"--endpoint-url", url, "--stats", p.stats, "s3://demo")
	p.Env = environ(t)
	var err error
	if p.stdout, writer, err = os.Pipe(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stdout.Close(); writer.Close() })
	p.Stdout, p.Stderr = writer, &p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	first = make([]byte, 10)
	if _, err := io.ReadFull(p.stdout, first); err != nil {
		t.Fatalf("%v\n%s", err, p.stderr.String())
	}
	return p, first, writer
}

// ends waits for the end of the process and returns its exit code, or the negative number of the signal that ended it.
func (p *process) ends(t *testing.T) int {
	t.Helper()
	done := make(chan struct{})
	go func() { _ = p.Wait(); close(done) }() // ProcessState has the exit code
	select {
	case <-done:
	case <-time.After(hangs):
		_ = p.Process.Kill()
		t.Fatal("the process does not end")
	}
	status := p.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return -int(status.Signal())
	}
	return status.ExitStatus()
}

// A signal ends a scan on a page boundary: the output is whole lines, and the statistics count them.
func TestSignals(t *testing.T) {
	for sent, want := range map[syscall.Signal]int{syscall.SIGHUP: 129, syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		t.Run(sent.String(), func(t *testing.T) {
			p, text, writer := startSlow(t)
			writer.Close()
			if err := p.Process.Signal(sent); err != nil {
				t.Fatal(err)
			}
			rest, err := io.ReadAll(p.stdout)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, rest...)
			if got := p.ends(t); got != want {
				t.Errorf("exit code %d, want %d\n%s", got, want, p.stderr.String())
			}
			lines := int64(0)
			for line := range strings.Lines(string(text)) {
				lines++
				if !json.Valid([]byte(line)) {
					t.Fatalf("a partial line: %q", line)
				}
			}
			var stats struct {
				Complete        bool
				Listed, Emitted int64
			}
			text, err = os.ReadFile(p.stats)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(text, &stats); err != nil {
				t.Fatal(err)
			}
			if stats.Complete || stats.Emitted != lines || stats.Listed%1000 != 0 {
				t.Errorf("%d lines, and the statistics %+v", lines, stats)
			}
			for _, says := range []string{"not complete: ", "error: stopped by "} {
				if !strings.Contains(p.stderr.String(), says) {
					t.Errorf("without %q:\n%s", says, p.stderr.String())
				}
			}
		})
	}
}

// A second signal ends the process at once, even while it waits for a reader of its output. The file of --stats is
// whole: it has the old content or the new.
func TestSecondSignal(t *testing.T) {
	p, _, writer := startSlow(t)
	waitUntilFull(t, writer)
	done := make(chan struct{})
	go func() {
		for { // signals that arrive at the same time are one
			select {
			case <-done:
				return
			case <-time.After(50 * time.Millisecond):
				_ = p.Process.Signal(syscall.SIGINT) // it fails if the process has ended
			}
		}
	}()
	got := p.ends(t)
	close(done)
	if got != 130 {
		t.Errorf("exit code %d\n%s", got, p.stderr.String())
	}
	if text, err := os.ReadFile(p.stats); err != nil || string(text) != statsBefore && !json.Valid(text) {
		t.Errorf("the file of --stats: %q, %v", text, err)
	}
}

// waitUntilFull waits until a write to the pipe would block.
func waitUntilFull(t *testing.T, writer *os.File) {
	t.Helper()
	for deadline := time.Now().Add(hangs); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		fds := []unix.PollFd{{Fd: int32(writer.Fd()), Events: unix.POLLOUT}}
		if n, err := unix.Poll(fds, 0); n == 0 && err == nil {
			return
		}
	}
	t.Fatal("the pipe does not fill")
}

// A reader that closes the pipe ends the process, and nothing is printed about it.
func TestClosedPipe(t *testing.T) {
	p, _, _ := startSlow(t)
	if err := p.stdout.Close(); err != nil {
		t.Fatal(err)
	}
	if got := p.ends(t); got != 141 {
		t.Errorf("exit code %d", got)
	}
	if p.stderr.Len() > 0 {
		t.Errorf("%s", p.stderr.String())
	}
}

// The same holds for commands other than scan.
func TestClosedPipeOfVersion(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	var stderr bytes.Buffer
	p := exec.CommandContext(t.Context(), "headcount", "version")
	p.Stdout, p.Stderr = w, &stderr
	if err := p.Run(); p.ProcessState.ExitCode() != 141 || stderr.Len() > 0 {
		t.Errorf("%v\n%s", err, stderr.String())
	}
}

// A signal that is ignored when headcount starts stays ignored, as by nohup and in the background of a script.
func TestIgnoredSignal(t *testing.T) {
	p := exec.CommandContext(t.Context(), "sh", "-c", "trap '' INT HUP; exec headcount bench serve --addr 127.0.0.1:0")
	stdout, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(stdout, make([]byte, 1)); err != nil { // it serves
		t.Fatal(err)
	}
	for _, sent := range []os.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGTERM} {
		if err := p.Process.Signal(sent); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

// A signal while a process fetches the credentials ends a run as it ends any other. A terminal sends it to that process
// too, which may end first.
func TestSignalWhileCredentialsAreFetched(t *testing.T) {
	for name, toAll := range map[string]bool{"to headcount": false, "to the group": true} {
		for _, command := range []string{"scan", "bench head"} {
			t.Run(command+" "+name, func(t *testing.T) {
				dir := t.TempDir()
				started, config := filepath.Join(dir, "started"), filepath.Join(dir, "config")
				text := "[default]\ncredential_process = echo > " + started + "; exec sleep 60\n"
				if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				args := append(strings.Fields(command), "--endpoint-url", "http://127.0.0.1:1", "s3://demo")
				p := &process{Cmd: exec.CommandContext(t.Context(), "headcount", args...)}
				p.Env, p.Cmd.Stderr = append(environ(t), "AWS_CONFIG_FILE="+config), &p.stderr
				p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
				if err := p.Start(); err != nil {
					t.Fatal(err)
				}
				group := -p.Process.Pid
				defer syscall.Kill(group, syscall.SIGKILL) //nolint:errcheck // the process may have ended
				for begin := time.Now(); ; time.Sleep(time.Millisecond) {
					if _, err := os.Stat(started); err == nil {
						break
					}
					if time.Since(begin) > hangs {
						t.Fatal("the process is not started")
					}
				}
				target := p.Process.Pid
				if toAll {
					target = group
				}
				if err := syscall.Kill(target, syscall.SIGINT); err != nil {
					t.Fatal(err)
				}
				if code := p.ends(t); code != 130 {
					t.Errorf("exit %d\n%s", code, p.stderr.String())
				}
			})
		}
	}
}
