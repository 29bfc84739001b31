package engines

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

// When a command is stopped, so is what it has started, though that ignores what its parent gets.
func TestSpendStopsAll(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pid")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, _, err := Spend(exec.CommandContext(ctx, "sh", "-c", "sleep 1000 & echo $! >"+file+".new; mv "+file+".new "+file+"; wait"))
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
		t.Error("it ended well")
	}
	for range 1000 {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%s/stat", pid))
		if errors.Is(err, os.ErrNotExist) || strings.Contains(string(status), ") Z ") { // or nobody has waited for it yet
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Errorf("process %s is left", pid)
}

// What a command took counts what its children took that it waited for, and what it said is returned.
func TestSpendCountsChildren(t *testing.T) {
	const busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"
	idle, _, err := Spend(exec.CommandContext(t.Context(), "sh", "-c", "true"))
	if err != nil {
		t.Fatal(err)
	}
	spent, stderr, err := Spend(exec.CommandContext(t.Context(), "sh", "-c", "sh -c '"+busy+"'; echo wet >&2; exit 3"))
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || string(stderr) != "wet\n" {
		t.Errorf("%v, %q", err, stderr)
	}
	if spent.CPU <= 2*idle.CPU || spent.Wall <= 0 || spent.MaxRSS < 100<<10 {
		t.Errorf("idle %+v, busy %+v", idle, spent)
	}
}
