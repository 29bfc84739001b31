package command

import "headcount/scan/exit"

// Conflict returns a usage error about two parts of a command line of which only one may be given, and why.
func Conflict(one, other, why string) error {
	return exit.Usagef("leave one of them out", "%s and %s exclude each other: %s", one, other, why)
}
