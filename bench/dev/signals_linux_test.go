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

	"headcount/bench/scripttest"
)

// A signal ends the benchmark with all its processes, and removes its folder. After SIGKILL the folder stays, and the
// kernel ends the processes.
func TestSignals(t *testing.T) {
	binary := scripttest.BuildHeadcount(t, filepath.Join("..", ".."))
	for name, c := range map[string]struct {
		signal syscall.Signal
		want   int // the exit code, or the signal that ends the process, negative
	}{
		"interrupt": {syscall.SIGINT, 130},
		"terminate": {syscall.SIGTERM, 143},
		"kill":      {syscall.SIGKILL, -9},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var stderr bytes.Buffer
			cmd := exec.CommandContext(t.Context(), "dev", "engines", "--objects", "1000", "--clients",
				"floor-tls,sdk-tls", "--latency", "1h",
				"--workers", "2", "--json", filepath.Join(dir, "figures.json"), "--binary", binary)
			cmd.Env, cmd.Stderr = append(os.Environ(), "TMPDIR="+dir), &stderr
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			waitForProcesses(t, dir, 3)                                      // dev, the store, the floor
			if err := syscall.Kill(-cmd.Process.Pid, c.signal); err != nil { // the group, as a terminal's ^C does
				t.Fatal(err)
			}
			_ = cmd.Wait() // the status has the result
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			got := status.ExitStatus()
			if status.Signaled() {
				got = -int(status.Signal())
			}
			if got != c.want {
				t.Errorf("exit code %d, want %d\n%s", got, c.want, stderr.String())
			}
			if c.want < 0 {
				waitForProcesses(t, dir, 0)
				return
			}
			if left := processesOf(t, dir); len(left) > 0 {
				t.Errorf("%q is left", left)
			}
			if got := stderr.String(); strings.Count(got, "\n") != 1 ||
				!strings.HasPrefix(got, "dev: error: stopped by ") {
				t.Errorf("%s", got)
			}
			if figures, err := os.ReadFile(filepath.Join(dir, "figures.json")); err != nil ||
				!strings.Contains(string(figures), `"complete": false`) {
				t.Errorf("%v, %s", err, figures)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
				t.Errorf("%v, %v is left beside the figures", err, left)
			}
		})
	}
}

// processesOf returns the command lines of the processes that name a file in dir.
func processesOf(t *testing.T, dir string) (lines []string) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		// ReadFile fails if the process has ended meanwhile.
		if line, err := os.ReadFile(file); err == nil && bytes.Contains(line, []byte(dir+"/")) {
			lines = append(lines, string(bytes.ReplaceAll(line, []byte{0}, []byte{' '})))
		}
	}
	return lines
}

// waitForProcesses waits until want processes name a file in dir.
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
