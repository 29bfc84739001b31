package engines

import (
	"bytes"
	"context"
	"io"
	"os/exec"
	"time"
)

// What follows is for the other benchmarks.

// Spent is what a process took, and those of its children that it waited for, as the kernel has it.
type Spent struct {
	CPU    time.Duration // user and system
	MaxRSS int64         // bytes, of the largest of the processes; at least what the process had that started it
	Wall   time.Duration // from before its start to after its end
}

// KernelTells says whether the kernel tells what a process took: on unix.
const KernelTells = kernelTells

// Spend runs a command that CommandContext made to its end, in a process tied to this one, and returns what it took, also where
// it fails, and what it said on standard error.
func Spend(cmd *exec.Cmd) (s Spent, stderr []byte, err error) {
	var said bytes.Buffer
	cmd.Stderr = &said
	Tie(cmd)
	began := time.Now()
	err = cmd.Run()
	s.Wall = time.Since(began)
	if cmd.ProcessState != nil {
		s.CPU, s.MaxRSS = usageOf(cmd.ProcessState)
	}
	return s, said.Bytes(), err
}

// Tie ties a command that CommandContext made to this process: it does not outlive it, where the system can see to that, and
// when its context ends, so do the processes that it has started.
func Tie(cmd *exec.Cmd) {
	cmd.SysProcAttr = tied()
	if cmd.SysProcAttr != nil {
		cmd.Cancel = func() error { return killGroup(cmd.Process) }
	}
	// Should one of them live on all the same, and hold standard error open.
	cmd.WaitDelay = time.Second
}

// CleanEnv is an environment without what configures AWS, and with keys, so that requests are signed.
func CleanEnv(env []string) []string { return cleanEnv(env) }

// ThisMachine is the one that this process runs on.
func ThisMachine(ctx context.Context) Machine { return thisMachine(ctx) }

// WriteColumns aligns rows, the first columns to the left and the others to the right.
func WriteColumns(w io.Writer, rows [][]string, left int) error { return writeColumns(w, rows, left) }

// Median is 0 of no figures.
func Median(figures []float64) float64 { return spreadOf(figures).median }

// CheckRuns writes for each run whether it met its bars, and returns how many did not and how many there are. verdict says of a run what it was of, and
// whether it met them.
func CheckRuns[R any](w io.Writer, runs []R, verdict func(R) (what string, isMet bool)) (missed, checked int, err error) {
	rows := [][]string{{"bars of", "verdict"}}
	for _, r := range runs {
		what, isMet := verdict(r)
		if isMet {
			rows = append(rows, []string{what, "met"})
			continue
		}
		rows = append(rows, []string{what, "missed"})
		missed++
	}
	return missed, len(runs), writeColumns(w, rows, 2)
}
