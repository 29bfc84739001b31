// Dev runs the benchmarks of headcount that only its developers need: the cost of an engine, the adaptation of a scan
// to a store, the speed of the listing, and the comparison with other programs.
//
//	go run ./bench/dev engines
//	go run ./bench/dev peers --help
//
// The benchmarks measure a headcount binary. They build it from this source, or --binary names one, which may be older
// or newer. The clients that they compare with it, floor and gosdk, run in processes of their own: they are hidden
// commands of this program.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/scan/command"
	"headcount/scan/exit"
)

func main() {
	log.SetOutput(io.Discard) // net/http logs answers that arrive without a request
	ctx := command.StopContext(os.Exit)
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// run runs the program, and returns its exit code. The first of args is the name of the program.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := runCommand(ctx, newApp(stdout, stderr), args)
	command.PrintError(stderr, "dev", err)
	return exit.Code(err)
}

func runCommand(ctx context.Context, app *cli.App, args []string) error {
	if len(args) > 1 && strings.HasPrefix(args[1], "-") && args[1] != "--help" {
		return exit.Usagef(programHint, "name a command before the flags")
	}
	return command.Run(ctx, app, args)
}

const programHint = "go run ./bench/dev --help"

func newApp(stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:      "dev",
		Usage:     "the benchmarks of headcount for its developers",
		UsageText: "go run ./bench/dev COMMAND [flags]",
		Commands: []*cli.Command{
			enginesCommand(), auditCommand(), paceCommand(), listingCommand(), workersCommand(), peersCommand(),
			floorCommand(), auditScanCommand(),
			gosdkCommand(),
		},
		Action: func(c *cli.Context) error {
			return exit.Usagef(programHint, "name a command: engines, audit, pace, listing, workers or peers")
		},
		HideVersion:               true,
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true, // a comma is part of a value
		Writer:                    stdout,
		ErrWriter:                 stderr,
		ExitErrHandler:            func(*cli.Context, error) {}, // package exit has the exit codes
	}
	for _, c := range app.Commands {
		c.HelpName = "go run ./bench/dev " + c.Name
		c.HideHelpCommand = true
	}
	return app
}

// noArguments refuses a command line with arguments.
func noArguments(c *cli.Context) error {
	if c.NArg() > 0 {
		return exit.Usagef(helpHint(c), "%s takes no argument, but got %q", c.Command.Name, c.Args().First())
	}
	return nil
}

func helpHint(c *cli.Context) string {
	return fmt.Sprintf("go run ./bench/dev %s --help", c.Command.Name)
}
