package command

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"headcount/scan/exit"
)

// StopContext returns a context that the first SIGINT or SIGTERM cancels. Its cause has the exit code of the signal.
// The second signal calls exitNow with that code.
func StopContext(exitNow func(code int)) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if !signal.Ignored(s) { // nohup and the background of a shell ignore signals
			signal.Notify(signals, s)
		}
	}
	go func() {
		stopped := stoppedError{<-signals}
		cancel(stopped)
		<-signals
		exitNow(stopped.ExitCode())
	}()
	return ctx
}

// stoppedError is the cause of a context that a signal canceled.
type stoppedError struct{ signal os.Signal }

func (e stoppedError) Error() string { return "stopped by " + e.signal.String() }

// ExitCode implements the contract of package exit.
func (e stoppedError) ExitCode() int {
	if e.signal == syscall.SIGTERM {
		return exit.Terminate
	}
	return exit.Interrupt
}
