// headcount reads the custom metadata of every object in an S3 bucket and prints it as JSON lines.
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	benchcli "headcount/bench/cli"
	"headcount/scan"
	scancli "headcount/scan/cli"
	"headcount/scan/command"
	"headcount/scan/exit"
)

func main() {
	// net/http logs answers that arrive without a request. The scan itself detects an answer to another request.
	log.SetOutput(io.Discard)
	// With SIGPIPE ignored, a closed pipe is an error of the write instead of the end of the process.
	signal.Ignore(syscall.SIGPIPE)
	ctx := command.StopContext(os.Exit)
	stderr := command.StandardError(ctx, os.Stderr)
	code := run(ctx, os.Args, os.Stdin, command.StandardOutput(os.Stdout), stderr)
	// Some file systems report only at the close that they are full.
	if err := os.Stdout.Close(); err != nil && exit.PromisesOutput(code) && !errors.Is(err, os.ErrClosed) {
		command.PrintError(stderr, command.Program, scan.WrapOutput(err))
		code = exit.Output
	}
	os.Exit(code)
}

// run runs the program, and returns its exit code. The first of args is the name of the program. run may be called
// concurrently.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := command.Run(ctx, newApp(stdin, stdout, stderr), args)
	command.PrintError(stderr, command.Program, err)
	return exit.Code(err)
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *cli.App {
	return command.NewApp(stdin, stdout, stderr, scancli.Command(), scancli.ListCommand(), benchcli.Command())
}
