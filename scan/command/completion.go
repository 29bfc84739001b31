package command

import (
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/scan"
	"headcount/scan/exit"
)

// completionFlag ends a command line of a completion script. It asks for the completions of the word before it, which
// may be empty.
const completionFlag = "--generate-bash-completion"

const completionName = "completion"

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      completionName,
		Usage:     "print a completion script for bash, zsh or fish",
		ArgsUsage: "bash|zsh|fish",
		Description: "To complete in this shell only:\n\n" +
			"    source <(headcount completion bash)\n" +
			"    source <(headcount completion zsh)\n" +
			"    headcount completion fish | source",
		Action: func(c *cli.Context) error {
			const hint = "headcount completion bash, or zsh, or fish"
			script, known := completionScripts()[c.Args().First()]
			switch {
			case c.NArg() == 0:
				return exit.Usagef(hint, "completion needs the name of a shell")
			case c.NArg() > 1:
				return exit.Usagef(hint, "completion is for one shell, and %d are named", c.NArg())
			case !known:
				return exit.Usagef(hint, "there is no completion for the shell %q", c.Args().First())
			}
			return PrintText(c, script)
		},
	}
}

// printCompletions answers a completion script.
func printCompletions(app *cli.App, words []string) error {
	var text strings.Builder
	for _, completion := range completions(app, words) {
		text.WriteString(completion + "\n")
	}
	_, err := io.WriteString(app.Writer, text.String())
	return scan.WrapOutput(err)
}

// completions returns the words that the last of words can become. It returns none if any text is possible, and then
// the shell completes the names of files.
func completions(app *cli.App, words []string) []string {
	if len(words) == 0 {
		words = []string{""}
	}
	before, current := words[:len(words)-1], words[len(words)-1]
	// bash splits --flag=value into three words; the other shells leave it whole.
	before = slices.DeleteFunc(slices.Clone(before), func(word string) bool { return word == "=" })
	if current == "=" {
		current = ""
	}
	cursor := newCursor(app, before)
	var all []string
	switch flag, _, assigned := strings.Cut(current, "="); {
	case slices.Contains(cursor.words, "--"):
	case assigned && strings.HasPrefix(flag, "-"):
		for _, value := range suggestions(findFlag(cursor.flagCommand(), strings.TrimLeft(flag, "-"))) {
			all = append(all, flag+"="+value)
		}
	case cursor.flag != nil:
		all = suggestions(cursor.flag)
	case strings.HasPrefix(current, "-"):
		all = cursor.flags()
	default:
		all = cursor.names()
	}
	return slices.DeleteFunc(slices.Clone(all), func(c string) bool { return !strings.HasPrefix(c, current) })
}

// suggestions returns the values of a flag, if it has a fixed set of them.
func suggestions(flag cli.Flag) []string {
	if typed := typedValueOf(flag); typed != nil {
		return typed.suggestions()
	}
	return nil
}

// cursor is the position in a command line at which a word is completed.
type cursor struct {
	app     *cli.App
	command *cli.Command // nil: the line names none yet
	words   []string     // between the command's name and the cursor
	flag    cli.Flag     // the flag whose value is completed; nil: none
}

// newCursor returns the cursor after the words before it.
func newCursor(app *cli.App, before []string) cursor {
	command, _, rest, err := findCommand(app.Commands, before)
	c := cursor{app: app, command: command, words: rest}
	if err != nil || command == nil && len(rest) > 0 {
		c.command, c.words = app.Command(defaultCommand), before
	}
	if len(c.words) == 0 {
		return c
	}
	name, dashed := strings.CutPrefix(c.words[len(c.words)-1], "-")
	if flag := findFlag(c.command, strings.TrimLeft(name, "-")); dashed && flag != nil && takesValue(flag) {
		c.flag = flag
	}
	return c
}

// flagCommand returns the command whose flags can follow: the named one, or the default command.
func (c cursor) flagCommand() *cli.Command {
	if c.command == nil {
		return c.app.Command(defaultCommand)
	}
	return c.command
}

func (c cursor) flags() []string {
	all := []string{"--help", "--version"}
	for _, f := range c.flagCommand().Flags {
		if name := f.Names()[0]; name != "help" {
			all = append(all, "--"+name)
		}
	}
	return all
}

// names returns the completions of a word that is neither a flag nor the value of one.
func (c cursor) names() []string {
	switch {
	case c.command == nil:
		return commandNames(c.app.Commands)
	case len(c.words) > 0:
		return nil
	case c.command.Name == completionName:
		return slices.Sorted(maps.Keys(completionScripts()))
	}
	return commandNames(c.command.Subcommands)
}

func commandNames(commands []*cli.Command) []string {
	var names []string
	for _, c := range commands {
		if !c.Hidden {
			names = append(names, c.Name)
		}
	}
	return names
}
