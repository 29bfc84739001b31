// Package cli is the command line of headcount bench: flags to a Config, and what people read of the result. Only main
// imports it.
package cli

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"headcount/scan/exit"
)

// Command returns the command bench with its subcommands.
func Command() *cli.Command {
	return &cli.Command{
		Name:        "bench",
		Usage:       "measure a store, and serve or seed one to measure",
		ArgsUsage:   "COMMAND",
		Subcommands: []*cli.Command{headCommand(), serveCommand(), seedCommand(), cleanCommand()},
		Action: func(c *cli.Context) error {
			return exit.Usagef("headcount bench --help", "bench needs a command: head, serve, seed or clean")
		},
	}
}

// The synthetic bucket, as in headcount scan --demo.
const (
	bucketDefault  = "demo"
	objectsDefault = 10_000
)

func helpHint(c *cli.Context) string { return fmt.Sprintf("headcount bench %s --help", c.Command.Name) }
