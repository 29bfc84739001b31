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
	ctx, cancel := context.WithCancelCause(context.Background())
	// With SIGPIPE ignored, a closed pipe is an error of the write instead of the end of the process.
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if !signal.Ignored(s) { // nohup and the background of a shell ignore signals
			signal.Notify(signals, s)
		}
	}
	go func() {
		first := <-signals
		cancel(stoppedError{first})
		<-signals
		os.Exit(exit.Code(stoppedError{first})) // the second signal ends the process at once
	}()
	code := run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr)
	// Some file systems report only at the close that they are full.
	if err := os.Stdout.Close(); err != nil && exit.PromisesOutput(code) && !errors.Is(err, os.ErrClosed) {
		command.PrintError(os.Stderr, scan.WrapOutput(err))
		code = exit.Output
	}
	os.Exit(code)
}

// run is the program without the process: args with the name of the program first, and the exit code. It may be called
// concurrently.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := command.Run(ctx, newApp(stdin, stdout, stderr), args)
	command.PrintError(stderr, err)
	return exit.Code(err)
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *cli.App {
	return command.NewApp(stdin, stdout, stderr, scancli.Command(), benchcli.Command())
}

// stoppedError is the cause of a context that a signal canceled.
type stoppedError struct{ signal os.Signal }

func (e stoppedError) Error() string { return "stopped by " + e.signal.String() }

// ExitCode implements the contract of package exit.
func (e stoppedError) ExitCode() int {
	if e.signal == syscall.SIGTERM {
		return exit.Terminate
	}
	return exit.Interrupt
}
