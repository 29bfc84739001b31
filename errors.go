package main

import (
	"github.com/urfave/cli/v2"

	"headcount/output/console"
	"headcount/scan/exit"
)

// helpHint says where the flags of a command are explained.
func helpHint(c *cli.Command) string {
	name := "headcount"
	if c != nil && c.HelpName != "" {
		name = c.HelpName
	}
	return name + " --help"
}

// objectsFailed is a complete scan in which some objects failed.
type objectsFailed struct {
	count int64
	hint  string
}

func (e *objectsFailed) Error() string {
	return console.Count(e.count, "object", "objects") + " failed"
}
func (e *objectsFailed) Hint() string  { return e.hint }
func (e *objectsFailed) ExitCode() int { return exit.Failures }
