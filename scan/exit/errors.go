package exit

import (
	"errors"
	"fmt"
)

// UsageError is a command line that headcount does not accept. Its exit code is Usage.
type UsageError struct{ message, hint string }

// Usagef returns a UsageError with a hint, which may be empty, and a formatted message.
func Usagef(hint, format string, args ...any) error {
	return &UsageError{message: fmt.Sprintf(format, args...), hint: hint}
}

func (e *UsageError) Error() string { return e.message }
func (e *UsageError) Hint() string  { return e.hint }
func (e *UsageError) ExitCode() int { return Usage }

// WithHint returns err with a hint. The result unwraps to err, and so has its exit code.
func WithHint(err error, hint string) error { return &hintedError{err: err, hint: hint} }

type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Hint() string  { return e.hint }
func (e *hintedError) Unwrap() error { return e.err }

// Reported returns err marked as known to the user. The result unwraps to err, and so has its exit code and hint.
func Reported(err error) error { return reportedError{err} }

// IsReported reports whether the user has been told of err.
func IsReported(err error) bool { return errors.As(err, new(reportedError)) }

type reportedError struct{ error }

func (e reportedError) Unwrap() error { return e.error }
