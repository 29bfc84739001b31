package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A signal ends bench engines with all its processes, and its folder goes. Killed, it leaves the folder, and the kernel ends
// the processes.
func TestSignalsOfEngines(t *testing.T) {
	for name, c := range map[string]struct {
		signal syscall.Signal
		want   int
	}{
		"interrupt": {syscall.SIGINT, 130},
		"terminate": {syscall.SIGTERM, 143},
		"kill":      {syscall.SIGKILL, -9},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p := &process{Cmd: exec.CommandContext(t.Context(), "headcount", "bench", "engines", "--objects", "1000",
				"--ways", "floor-tls,sdk-tls", "--latency", "1h", "--workers", "2", "--json", filepath.Join(dir, "figures.json"))}
			p.Env, p.Stderr = append(os.Environ(), "TMPDIR="+dir), &p.stderr
			p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := p.Start(); err != nil {
				t.Fatal(err)
			}
			waitForProcesses(t, dir, 3)                                    // itself, the store, the floor
			if err := syscall.Kill(-p.Process.Pid, c.signal); err != nil { // the group, as a terminal's ^C does
				t.Fatal(err)
			}
			if got := p.ends(t); got != c.want {
				t.Errorf("exit code %d, want %d\n%s", got, c.want, p.stderr.String())
			}
			if c.want < 0 {
				waitForProcesses(t, dir, 0)
				return
			}
			if left := processesOf(t, dir); len(left) > 0 {
				t.Errorf("%q is left", left)
			}
			if got := p.stderr.String(); strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "headcount: error: stopped by ") {
				t.Errorf("%s", got)
			}
			if figures, err := os.ReadFile(filepath.Join(dir, "figures.json")); err != nil || !strings.Contains(string(figures), `"complete": false`) {
				t.Errorf("%v, %s", err, figures)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
				t.Errorf("%v, %v is left beside the figures", err, left)
			}
		})
	}
}

// processesOf are the command lines that name something in dir.
func processesOf(t *testing.T, dir string) (lines []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		// It fails when the process has ended meanwhile.
		if line, err := os.ReadFile(file); err == nil && bytes.Contains(line, []byte(dir+"/")) {
			lines = append(lines, string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		}
	}
	return lines
}

func waitForProcesses(t *testing.T, dir string, want int) {
	t.Helper()
	var got []string
	for range 1000 {
		if got = processesOf(t, dir); len(got) == want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%q, want %d", got, want)
}
