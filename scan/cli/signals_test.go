//go:build unix

package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"headcount/bench/s3sim"
)

// process runs headcount on a store whose scan would take minutes, and waits until records come.
type process struct {
	*exec.Cmd
	stdout io.ReadCloser
	stderr bytes.Buffer
	stats  string
}

// statsBefore is what an earlier run left in the file of --stats, longer than any account.
var statsBefore = strings.Repeat("an earlier account\n", 1000)

func startSlow(t *testing.T) (p *process, first []byte) {
	t.Helper()
	server, err := s3sim.New(s3sim.Options{Objects: 1_000_000, Latency: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }() // nil after Close
	t.Cleanup(func() { server.Close() })

	p = &process{stats: filepath.Join(t.TempDir(), "stats.json")}
	if err := os.WriteFile(p.stats, []byte(statsBefore), 0o666); err != nil {
		t.Fatal(err)
	}
	p.Cmd = exec.CommandContext(t.Context(), "headcount", "scan", "--no-sign-request", "--workers", "16",
		"--endpoint-url", "http://"+l.Addr().String(), "--stats", p.stats, "s3://demo")
	p.Env = environ(t)
	if p.stdout, err = p.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	p.Stderr = &p.stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	first = make([]byte, 10)
	if _, err := io.ReadFull(p.stdout, first); err != nil {
		t.Fatalf("%v\n%s", err, p.stderr.String())
	}
	return p, first
}

// ends waits for the end and returns the exit code, or the signal that ended the process, negative.
func (p *process) ends(t *testing.T) int {
	t.Helper()
	done := make(chan struct{})
	go func() { _ = p.Wait(); close(done) }() // the exit code tells
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		_ = p.Process.Kill()
		t.Fatal("it goes on")
	}
	status := p.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return -int(status.Signal())
	}
	return status.ExitStatus()
}

// A signal ends a scan on a page boundary: what was printed is whole lines, and the account is of them.
func TestSignals(t *testing.T) {
	for signal, want := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		t.Run(signal.String(), func(t *testing.T) {
			p, text := startSlow(t)
			if err := p.Process.Signal(signal); err != nil {
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
					t.Fatalf("half a line: %q", line)
				}
			}
			var stats struct {
				Complete        bool
				Listed, Emitted int64
			}
			account, err := os.ReadFile(p.stats)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(account, &stats); err != nil {
				t.Fatal(err)
			}
			if stats.Complete || stats.Emitted != lines || stats.Listed%1000 != 0 {
				t.Errorf("%d lines, and the account %+v", lines, stats)
			}
			if !strings.Contains(p.stderr.String(), "not complete: ") || !strings.Contains(p.stderr.String(), "error: stopped by ") {
				t.Errorf("%s", p.stderr.String())
			}
		})
	}
}

// A second signal ends it at once, even while it waits for somebody to read what it prints.
func TestSecondSignal(t *testing.T) {
	p, _ := startSlow(t)
	time.Sleep(500 * time.Millisecond) // the pipe fills, since nobody reads on
	for range 2 {
		if err := p.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	if got := p.ends(t); got != 130 {
		t.Errorf("exit code %d\n%s", got, p.stderr.String())
	}
	if text, err := os.ReadFile(p.stats); err != nil || string(text) != statsBefore {
		t.Errorf("%v: the old account is not kept until there is a new one: %q", err, text)
	}
}

// A reader that goes away ends it quietly.
func TestClosedPipe(t *testing.T) {
	p, _ := startSlow(t)
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

// So it does with what is no scan.
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

// What was ignored when headcount began stays ignored: nohup, and the background of a shell that is no terminal's.
func TestIgnoredSignal(t *testing.T) {
	p := exec.CommandContext(t.Context(), "sh", "-c", "trap '' INT; exec headcount bench serve --addr 127.0.0.1:0")
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
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGINT, syscall.SIGTERM} {
		if err := p.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := p.Wait(); err != nil {
		t.Error(err)
	}
}

// A full disk is an error of its own.
func TestFullDisk(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if os.IsNotExist(err) {
		return // not Linux
	}
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	for name, args := range map[string][]string{
		"records":    {"scan", "--demo"},
		"stats":      {"scan", "--demo", "--stats", "/dev/full"},
		"version":    {"version"},
		"completion": {"completion", "bash"},
	} {
		t.Run(name, func(t *testing.T) {
			p := exec.CommandContext(t.Context(), "headcount", args...)
			if name != "stats" {
				p.Stdout = full
			}
			var stderr bytes.Buffer
			p.Stderr = &stderr
			if err := p.Run(); err == nil || p.ProcessState.ExitCode() != 5 {
				t.Errorf("%v\n%s", err, stderr.String())
			}
			if !strings.Contains(stderr.String(), "no space left on device") {
				t.Errorf("%s", stderr.String())
			}
		})
	}
}
