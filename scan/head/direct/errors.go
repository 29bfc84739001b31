package direct

import (
	"errors"
	"net"

	"headcount/scan/fault"
)

// wireError reports bytes that are no answer, or no answer that can be trusted.
type wireError struct {
	class fault.Class
	text  string
}

func (e *wireError) Error() string           { return e.text }
func (e *wireError) FaultClass() fault.Class { return e.class }

func malformedError(what string) error {
	return &wireError{fault.Malformed, "malformed answer: " + what}
}

var (
	errOutOfSync = &wireError{fault.Malformed, "the answer belongs to another request"}
	errSuspect   = &wireError{fault.Malformed, "the answer may belong to another request"}
	errSurplus   = &wireError{fault.Malformed, "the store sent more than the answers to the requests"}
	errClosing   = &wireError{fault.Closed, "the store closed the connection before its answer"}

	// errTooLong reports a header block longer than store.HeaderBytesMax.
	errTooLong = &wireError{fault.HeaderTooLarge, "the answer's header is longer than 64 KiB"}
)

// isConnClosed reports whether err means that the other side closed the connection.
func isConnClosed(err error) bool { return fault.ClassOf(err).ConnClosed() }

// isOutOfSync reports whether err means that it is unknown which answer belongs to which request.
func isOutOfSync(err error) bool {
	return err == errOutOfSync || err == errSurplus || err == errSuspect
}

// isFirstRequests reports whether the first unanswered request caused err, even with others in flight behind it.
func isFirstRequests(err error) bool {
	var timeout net.Error
	return errors.Is(err, errTooLong) || errors.As(err, &timeout) && timeout.Timeout()
}
