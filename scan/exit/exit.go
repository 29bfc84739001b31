// Package exit holds the exit codes of headcount, and the errors that carry an exit code or a hint to the user.
//
// An error that reaches the user has up to three methods beside Error. ExitCode names the exit code of the process,
// Hint tells the user what to do about the error, and Place is where in the user's text it is. Any package may give its
// errors these methods, and needs no import of this package for it. Code, Hint and Place read them through wrapped
// errors, so the program needs no table of error types.
package exit

import "errors"

// The exit codes. A signal's code is 128 and its number, as in shells.
const (
	Complete  = 0
	Fatal     = 1 // credentials, bucket, connection, a store that breaks the LIST protocol
	Usage     = 2
	Failures  = 3 // complete, but some objects failed or were left
	Missed    = 4 // complete, but a checked condition does not hold
	Output    = 5 // output could not be written
	Hangup    = 129
	Interrupt = 130
	Pipe      = 141 // the reader of the output went away
	Terminate = 143
)

// Code returns the exit code of a process that ends with err: Complete for nil, the code of the outermost error in
// err's chain that has one, and otherwise Fatal.
func Code(err error) int {
	var coded interface {
		error
		ExitCode() int
	}
	switch {
	case err == nil:
		return Complete
	case errors.As(err, &coded):
		return coded.ExitCode()
	}
	return Fatal
}

// Hint returns what the user can do about err: the hint of the outermost error in err's chain that has one. It is empty
// where nothing is known.
func Hint(err error) string {
	var hinted interface {
		error
		Hint() string
	}
	for errors.As(err, &hinted) {
		if hint := hinted.Hint(); hint != "" {
			return hint
		}
		err = errors.Unwrap(hinted)
	}
	return ""
}

// Place returns the line of the user's text that err is about, and where in it the mistake is, in bytes. ok is false
// where err has no place.
func Place(err error) (line string, at int, ok bool) {
	var placed interface {
		error
		Place() (line string, at int)
	}
	if !errors.As(err, &placed) {
		return "", 0, false
	}
	line, at = placed.Place()
	return line, at, true
}

// IsSilent reports whether err needs no message: there was no error, or the user caused it knowingly by closing the
// pipe that headcount writes to.
func IsSilent(err error) bool {
	code := Code(err)
	return code == Complete || code == Pipe
}

// PromisesOutput reports whether code promises that the whole output was written.
func PromisesOutput(code int) bool {
	return code == Complete || code == Failures || code == Missed
}
