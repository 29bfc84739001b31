package command

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"headcount/scan/exit"
)

// oneStop is how long after the first signal other signals belong to the same request to stop. timeout(1) sends its
// signal twice, to the process and to its group, and a terminal that closes can bring SIGHUP beside another signal.
// People take longer to press the keys again.
const oneStop = 500 * time.Millisecond

// StopContext returns a context that the first SIGINT, SIGTERM or SIGHUP cancels. Its cause has the exit code of the
// signal. A second signal, at least oneStop later, calls exitNow with that code.
func StopContext(exitNow func(code int)) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // nohup and the background of a shell ignore signals
			signal.Notify(signals, s)
		}
	}
	go watchSignals(signals, cancel, exitNow)
	return ctx
}

// watchSignals cancels at the first signal, calls exitNow at the second one, and then returns.
func watchSignals(signals <-chan os.Signal, cancel context.CancelCauseFunc, exitNow func(code int)) {
	stopped := stoppedError{<-signals}
	first := time.Now()
	cancel(stopped)
	for range signals {
		if time.Since(first) >= oneStop {
			break
		}
	}
	exitNow(stopped.ExitCode())
}

// stoppedError is the cause of a context that a signal canceled.
type stoppedError struct{ signal os.Signal }

func (e stoppedError) Error() string { return "stopped by " + e.signal.String() }

// ExitCode implements the contract of package exit.
func (e stoppedError) ExitCode() int {
	switch e.signal {
	case syscall.SIGTERM:
		return exit.Terminate
	case syscall.SIGHUP:
		return exit.Hangup
	}
	return exit.Interrupt
}
