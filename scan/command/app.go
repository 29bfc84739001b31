// Package command holds the parts that all commands of headcount share. For the command line, these are the order of
// arguments, typed values of flags, suggestions for misspelt words, and completion for shells. The others are the flags
// of a connection, the version, signals, and the assembly of commands into the program. A command itself is in scan/cli
// or bench/cli. Both need these parts, and main alone imports those two, so the parts are here.
//
// The package does not know the flags of any command. A flag's Value holds the texts that the flag accepts. The check
// of the command line, the help and completion read the Value.
package command

import (
	"cmp"
	"context"
	"io"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"headcount/output/console"
	"headcount/scan"
	"headcount/scan/exit"
)

const (
	// Program is the name of the program, with which each of its lines on standard error begins.
	Program = "headcount"

	defaultCommand = "scan" // the command of a line that names none
)

// NewApp assembles commands, and the commands completion and version, into the program. One of commands must be scan.
// An App serves one Run.
func NewApp(stdin io.Reader, stdout, stderr io.Writer, commands ...*cli.Command) *cli.App {
	app := &cli.App{
		Name:      Program,
		Usage:     "print the custom metadata of every object in an S3 bucket, as JSON lines",
		UsageText: "headcount [scan] [flags] s3://BUCKET[/PREFIX]\nheadcount COMMAND [flags] [arguments]",
		Commands:  append(commands, completionCommand(), versionCommand()),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "version", Usage: "print the version", DisableDefaultText: true},
		},
		Action: func(c *cli.Context) error {
			if c.Bool("version") {
				return printVersion(c)
			}
			return cli.ShowAppHelp(c)
		},
		HideVersion:               true, // cli's own flag takes -v
		HideHelpCommand:           true,
		DisableSliceFlagSeparator: true, // a comma is part of a value
		Reader:                    stdin,
		Writer:                    stdout,
		ErrWriter:                 stderr,
		ExitErrHandler:            func(*cli.Context, error) {}, // package exit has the exit codes
		OnUsageError:              asUsageError,
	}
	forEachCommand(app.Commands, func(c *cli.Command) {
		c.OnUsageError = asUsageError
		c.HideHelpCommand = true
		for _, f := range c.Flags {
			completeHelp(f)
		}
	})
	return app
}

// completeHelp adds the choices of a flag to its help, and leaves out the default of a flag that is either given or
// not.
func completeHelp(flag cli.Flag) {
	switch f := flag.(type) {
	case *cli.BoolFlag:
		f.DisableDefaultText = true
	case *cli.GenericFlag:
		if typed := typedValueOf(f); typed != nil && len(typed.suggestions()) > 1 {
			f.Usage += " (one of " + strings.Join(typed.suggestions(), ", ") + ")"
		}
	}
}

func forEachCommand(commands []*cli.Command, do func(*cli.Command)) {
	for _, c := range commands {
		do(c)
		forEachCommand(c.Subcommands, do)
	}
}

// asUsageError converts an error of cli's own parser.
func asUsageError(c *cli.Context, err error, _ bool) error {
	path := strings.Fields(strings.TrimPrefix(c.Command.HelpName, Program))
	return exit.Usagef(helpHint(path), "%s", err.Error())
}

// Run runs the command that args name, with the name of the program first. It prints nothing about its error.
func Run(ctx context.Context, app *cli.App, args []string) error {
	if last := len(args) - 1; last > 0 && args[last] == completionFlag {
		return printCompletions(app, args[1:last])
	}
	help := &helpWriter{w: app.Writer}
	app.Metadata = map[string]any{commandLineKey: args, stdoutKey: app.Writer}
	app.Writer = help
	arranged, err := arrange(app, args)
	if err != nil {
		return err
	}
	return cmp.Or(app.RunContext(ctx, arranged), scan.WrapOutput(help.err))
}

// The keys of the app's metadata.
const (
	commandLineKey = "command line" // as the user typed it
	stdoutKey      = "standard output"
)

// Stdout returns standard output. The Writer of the app is only for the help, which cli prints itself.
func Stdout(c *cli.Context) io.Writer { return c.App.Metadata[stdoutKey].(io.Writer) }

// helpWriter keeps the first error of a write, since cli ignores it.
type helpWriter struct {
	w   io.Writer
	err error
}

func (h *helpWriter) Write(text []byte) (int, error) {
	n, err := h.w.Write(text)
	h.err = cmp.Or(h.err, err)
	return n, err
}

// CommandLine returns the command line as the user typed it, without the folder of the program.
func CommandLine(c *cli.Context) []string {
	args, _ := c.App.Metadata[commandLineKey].([]string)
	if len(args) == 0 {
		return nil
	}
	return append([]string{filepath.Base(args[0])}, args[1:]...)
}

// PrintText prints text on standard output.
func PrintText(c *cli.Context, text string) error {
	_, err := io.WriteString(Stdout(c), text)
	return scan.WrapOutput(err)
}

// PrintError prints err on stderr, as lines of a program: the error, its place in the user's text with a mark below it,
// and its hint. It prints nothing for a nil error, for an error that has been reported already, and if the reader of
// standard output went away.
func PrintError(stderr io.Writer, program string, err error) {
	if exit.IsSilent(err) || exit.IsReported(err) {
		return
	}
	console.PrintLine(stderr, program+": error: %v", err)
	if line, at, ok := exit.Place(err); ok {
		console.PrintLine(stderr, "    %s", line)
		console.PrintLine(stderr, "    %*s^", utf8.RuneCountInString(console.Printable(line[:at])), "")
	}
	if hint := exit.Hint(err); hint != "" {
		console.PrintLine(stderr, program+": hint: %s", hint)
	}
}
