package exit

import (
	"errors"
	"fmt"
	"io/fs"
)

// Error is an error with an exit code and a hint.
type Error struct {
	code          int
	message, hint string
}

// Errorf returns an Error with an exit code, a hint, which may be empty, and a formatted message.
func Errorf(code int, hint, format string, args ...any) error {
	return &Error{code: code, message: fmt.Sprintf(format, args...), hint: hint}
}

// Usagef returns the Error of a command line that headcount does not accept.
func Usagef(hint, format string, args ...any) error { return Errorf(Usage, hint, format, args...) }

func (e *Error) Error() string { return e.message }

// Hint says what the user can do about the error; it may be empty.
func (e *Error) Hint() string { return e.hint }

// ExitCode returns the exit code of a process that ends with the error.
func (e *Error) ExitCode() int { return e.code }

// WithHint returns err with a hint. The result unwraps to err, and so has its exit code.
func WithHint(err error, hint string) error { return &hintedError{err: err, hint: hint} }

type hintedError struct {
	err  error
	hint string
}

func (e *hintedError) Error() string { return e.err.Error() }
func (e *hintedError) Hint() string  { return e.hint }
func (e *hintedError) Unwrap() error { return e.err }

// WithPlace returns err with a place in a line of the user's text. The result unwraps to err, and so has its exit code
// and hint.
func WithPlace(err error, line string, at int) error { return &placedError{err, line, at} }

type placedError struct {
	error
	line string
	at   int
}

func (e *placedError) Unwrap() error                { return e.error }
func (e *placedError) Place() (line string, at int) { return e.line, e.at }

// Reported returns err marked as known to the user. The result unwraps to err, and so has its exit code and hint.
func Reported(err error) error { return reportedError{err} }

// IsReported reports whether the user has been told of err.
func IsReported(err error) bool { return errors.As(err, new(reportedError)) }

type reportedError struct{ error }

func (e reportedError) Unwrap() error { return e.error }

// WithoutPath returns the reason in an error about a file, for a message that names the file itself.
func WithoutPath(err error) error {
	if path := (*fs.PathError)(nil); errors.As(err, &path) {
		return path.Err
	}
	return err
}
