package command

import (
	"context"
	"fmt"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"headcount/scan/exit"
)

func TestExitCodesOfSignals(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{stoppedError{os.Interrupt}, exit.Interrupt},
		{fmt.Errorf("scan: %w", stoppedError{os.Interrupt}), exit.Interrupt},
		{stoppedError{syscall.SIGTERM}, exit.Terminate},
		{stoppedError{syscall.SIGHUP}, exit.Hangup},
	} {
		if code := exit.Code(c.err); code != c.want {
			t.Errorf("%v: exit %d, want %d", c.err, code, c.want)
		}
	}
}

// The signals of one moment are one request to stop: timeout(1) sends SIGTERM twice. A later signal ends the process at
// once, with the code of the first.
func TestSecondSignalIsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		signals := make(chan os.Signal, 2)
		ctx, cancel := context.WithCancelCause(t.Context())
		exited := 0
		go watchSignals(signals, cancel, func(code int) { exited = code })
		signals <- syscall.SIGTERM
		signals <- syscall.SIGTERM
		synctest.Wait()
		if code := exit.Code(context.Cause(ctx)); code != exit.Terminate || exited != 0 {
			t.Errorf("two signals at once: the cause has the code %d, exit %d", code, exited)
		}
		time.Sleep(oneStop - 1)
		signals <- os.Interrupt
		synctest.Wait()
		if exited != 0 {
			t.Errorf("a signal just before the end of one stop: exit %d", exited)
		}
		time.Sleep(1 * time.Nanosecond)
		signals <- os.Interrupt
		synctest.Wait()
		if exited != exit.Terminate {
			t.Errorf("a second signal: exit %d", exited)
		}
	})
}
