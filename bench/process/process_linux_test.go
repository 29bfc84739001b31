package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// When a command is stopped, the processes that it started are stopped too, though they do not get its signal.
func TestRunStopsDescendants(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := Run(exec.CommandContext(ctx, "sh", "-c",
			"sleep 1000 & echo $! >"+file+".new; mv "+file+".new "+file+"; wait"))
		done <- err
	}()
	var pid string
	for pid == "" {
		text, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		pid = strings.TrimSpace(string(text))
		time.Sleep(5 * time.Millisecond)
	}
	cancel()
	if err := <-done; err == nil {
		t.Error("Run returned no error")
	}
	for range 1000 {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%s/stat", pid))
		// a zombie: its parent has not waited for it yet
		if errors.Is(err, os.ErrNotExist) || strings.Contains(string(status), ") Z ") {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("process %s is left", pid)
}

// The usage of a command includes its children's, and the error quotes its standard error.
func TestRunCountsChildren(t *testing.T) {
	const busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done" // a hundred times what a shell takes to start
	idle, err := Run(exec.CommandContext(t.Context(), "sh", "-c", "true"))
	if err != nil {
		t.Fatal(err)
	}
	usage, err := Run(exec.CommandContext(t.Context(), "sh", "-c", "sh -c '"+busy+"'; echo wet >&2; exit 3"))
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || err.Error() != "sh: exit status 3: wet" {
		t.Errorf("%v", err)
	}
	// A shell needs more than 100 KB.
	if usage.CPU <= 2*idle.CPU || usage.Wall <= 0 || idle.MaxRSS < 100<<10 || usage.MaxRSS < 100<<10 {
		t.Errorf("idle %+v, busy %+v", idle, usage)
	}
}
