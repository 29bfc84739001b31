package command

import (
	"errors"
	"io"
	"os"

	"headcount/scan/exit"
)

// StandardOutput returns f, the standard output of the process, or a writer that always fails if f was closed when the
// process started, as by >&- in a shell.
func StandardOutput(f *os.File) io.Writer {
	if isStandIn(f) {
		return closedOutput{}
	}
	return f
}

// closedOutput is a standard output that is closed.
type closedOutput struct{}

func (closedOutput) Write([]byte) (int, error) {
	return 0, exit.WithHint(errors.New("standard output is closed"),
		"redirect it to a file; /dev/null must be opened for writing alone, as by > /dev/null")
}
