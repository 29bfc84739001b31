// headcount reads the custom metadata of every object in an S3 bucket and prints it as JSON lines.
package main

import (
	"context"
	"errors"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/urfave/cli/v2"

	"headcount/scan"
	"headcount/scan/exit"
)

func main() {
	// net/http logs answers that nobody asked for; the scan finds out by itself whether one was taken for another's.
	log.SetOutput(io.Discard)
	ctx, cancel := context.WithCancelCause(context.Background())
	// A closed pipe is an error of the write then, and not the end of the process before it can say anything.
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if !signal.Ignored(s) { // as a shell's background and nohup have it
			signal.Notify(signals, s)
		}
	}
	go func() {
		first := <-signals
		cancel(stopped{first})
		<-signals
		os.Exit(exit.Code(stopped{first})) // asked twice: at once
	}()
	code := run(ctx, os.Args, os.Stdin, os.Stdout, os.Stderr)
	// Some file systems tell only now that there was no room.
	if err := os.Stdout.Close(); err != nil && exit.PromisesOutput(code) && !errors.Is(err, os.ErrClosed) {
		tell(os.Stderr, scan.WrapOutput(err))
		code = exit.Output
	}
	os.Exit(code)
}

// run is the program: args with its name first, and the exit code. It may be called concurrently.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := runCommand(ctx, newApp(stdin, stdout, stderr), args)
	tell(stderr, err)
	return exit.Code(err)
}

func runCommand(ctx context.Context, app *cli.App, args []string) error {
	if last := len(args) - 1; last > 0 && args[last] == completionFlag {
		return printCandidates(app, args[1:last], app.Writer)
	}
	app.Metadata = map[string]any{typedKey: args}
	arranged, err := arrange(app, args)
	if err != nil {
		return err
	}
	return app.RunContext(ctx, arranged)
}

// typedKey is where the app keeps the command line as it was typed.
const typedKey = "typed"

// typed is the command line that c is of, without the folder of the program.
func typed(c *cli.Context) []string {
	args, _ := c.App.Metadata[typedKey].([]string)
	if len(args) == 0 {
		return nil
	}
	return append([]string{filepath.Base(args[0])}, args[1:]...)
}

// printText prints what a command has to say on standard output.
func printText(c *cli.Context, text string) error {
	_, err := io.WriteString(c.App.Writer, text)
	return scan.WrapOutput(err)
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *cli.App {
	app := &cli.App{
		Name:      "headcount",
		Usage:     "the custom metadata of every object in an S3 bucket, as JSON lines",
		UsageText: "headcount [scan] [flags] s3://BUCKET[/PREFIX]\nheadcount COMMAND [flags] [arguments]",
		Commands: []*cli.Command{
			scanCommand(),
			benchCommand(),
			completionCommand(),
			versionCommand(),
		},
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "version", Usage: "print the version", DisableDefaultText: true},
		},
		Action: func(c *cli.Context) error {
			if c.Bool("version") {
				return printVersion(c)
			}
			return cli.ShowAppHelp(c)
		},
		HideVersion:               true, // cli's own takes -v
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true, // a comma is part of a value
		Reader:                    stdin,
		Writer:                    stdout,
		ErrWriter:                 stderr,
		ExitErrHandler:            func(*cli.Context, error) {}, // exit codes are exitCode's
		OnUsageError:              asUsage,
	}
	forEachCommand(app.Commands, func(c *cli.Command) {
		c.OnUsageError = asUsage
		c.HideHelpCommand = true
		for _, f := range c.Flags {
			if b, ok := f.(*cli.BoolFlag); ok {
				b.DisableDefaultText = true // that a flag is not given is no news
			}
		}
	})
	return app
}

func forEachCommand(commands []*cli.Command, do func(*cli.Command)) {
	for _, c := range commands {
		do(c)
		forEachCommand(c.Subcommands, do)
	}
}

// asUsage makes a UsageError of what cli could not parse.
func asUsage(c *cli.Context, err error, _ bool) error {
	return exit.Usagef(helpHint(c.Command), "%s", err.Error())
}

// stopped is why a run ended that a signal ended.
type stopped struct{ signal os.Signal }

func (s stopped) Error() string { return "stopped by " + s.signal.String() }

// ExitCode implements the contract of package exit.
func (s stopped) ExitCode() int {
	if s.signal == syscall.SIGTERM {
		return exit.Terminate
	}
	return exit.Interrupt
}
