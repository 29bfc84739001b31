package command

import (
	"fmt"
	"os"
	"syscall"
	"testing"

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
	} {
		if code := exit.Code(c.err); code != c.want {
			t.Errorf("%v: exit %d, want %d", c.err, code, c.want)
		}
	}
}
