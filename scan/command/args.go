package command

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/scan/exit"
)

// commandLine is a command line in the order that cli accepts.
type commandLine struct {
	path      []string // the names of the command; empty: the program itself
	flags     []string
	arguments []string
}

func (l commandLine) args(program string) []string {
	args := slices.Concat([]string{program}, l.path, l.flags)
	if len(l.arguments) > 0 {
		args = append(append(args, "--"), l.arguments...)
	}
	return args
}

// arrange returns args in the order that cli accepts: the command, its flags, "--", the arguments. The user may write
// flags before and after arguments, and may leave out the name of the default command. arrange returns a usage error
// for an unknown flag, a flag without a value or with a wrong one, and a flag that is given twice. cli would ignore
// these mistakes, or describe them less exactly.
func arrange(app *cli.App, args []string) ([]string, error) {
	if len(args) <= 1 {
		return args, nil
	}
	line, err := parseLine(app, args[1:])
	return line.args(args[0]), err
}

func parseLine(app *cli.App, words []string) (commandLine, error) {
	switch first := words[0]; {
	case first == "--version":
		return commandLine{flags: words[:1]}, nil
	case isHelp(first):
		return commandLine{flags: []string{"--help"}}, nil
	case first == "help":
		_, path, _, err := findCommand(app.Commands, words[1:])
		return commandLine{path: path, flags: []string{"--help"}}, err
	case strings.HasPrefix(first, "-"), strings.Contains(first, ":"):
		return parseFlags(app.Command(defaultCommand), []string{defaultCommand}, words)
	}
	command, path, rest, err := findCommand(app.Commands, words)
	if err != nil {
		return commandLine{}, err
	}
	return parseFlags(command, path, rest)
}

// helpHint returns the command that prints the help of the command at path.
func helpHint(path []string) string {
	return strings.Join(append([]string{Program}, path...), " ") + " --help"
}

func isHelp(word string) bool {
	return word == "--help" || word == "-help" || word == "-h" || word == "--h"
}

// findCommand returns the command that words begin with, the names that lead to it, and the words after them.
func findCommand(commands []*cli.Command, words []string) (command *cli.Command, path, rest []string, err error) {
	for rest = words; len(commands) > 0 && len(rest) > 0 && !strings.HasPrefix(rest[0], "-"); rest = rest[1:] {
		i := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(rest[0]) })
		if i < 0 {
			return nil, nil, nil, unknownCommand(commands, path, rest[0])
		}
		command = commands[i]
		commands = command.Subcommands
		path = append(path, command.Name)
	}
	return command, path, rest, nil
}

// parseFlags separates the flags of a command, with their values, from its arguments. A request for help or for the
// version replaces everything else.
func parseFlags(command *cli.Command, path, words []string) (commandLine, error) {
	line := commandLine{path: path}
	seen := map[string]bool{}
	for i := 0; i < len(words); i++ {
		word := words[i]
		switch {
		case word == "--":
			line.arguments = append(line.arguments, words[i+1:]...)
			return line, nil
		case isHelp(word):
			return commandLine{path: path, flags: []string{"--help"}}, nil
		case word == "--version":
			return commandLine{flags: []string{word}}, nil
		case len(word) < 2 || word[0] != '-': // "-" is an argument: standard input or output
			line.arguments = append(line.arguments, word)
			continue
		}
		typed, value, hasValue := strings.Cut(word, "=")
		flag := findFlag(command, strings.TrimLeft(typed, "-"))
		if flag == nil {
			return line, unknownFlag(command, path, typed)
		}
		name := flag.Names()[0]
		if seen[name] && !isRepeatable(flag) {
			return line, exit.Usagef("give it once", "the flag --%s is given twice", name)
		}
		seen[name] = true
		line.flags = append(line.flags, word)
		if !hasValue && takesValue(flag) {
			if i++; i == len(words) {
				return line, exit.Usagef(helpHint(path), "the flag --%s needs a value", name)
			}
			value, hasValue = words[i], true
			line.flags = append(line.flags, value)
		}
		if hasValue {
			if err := checkValue(flag, value); err != nil {
				return line, wrongValue(err, path, flag, value)
			}
		}
	}
	return line, nil
}

func findFlag(command *cli.Command, name string) cli.Flag {
	for _, f := range command.Flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

func takesValue(flag cli.Flag) bool {
	_, isBool := flag.(*cli.BoolFlag)
	return !isBool
}

// typedValueOf returns the Value or List of a flag; nil: it has none.
func typedValueOf(flag cli.Flag) typedValue {
	if generic, ok := flag.(*cli.GenericFlag); ok {
		value, _ := generic.Value.(typedValue)
		return value
	}
	return nil
}

func isRepeatable(flag cli.Flag) bool {
	_, isList := typedValueOf(flag).(interface{ repeatable() })
	return isList
}

// checkValue returns an error if a flag cannot have a value.
func checkValue(flag cli.Flag, value string) error {
	if value == "" {
		return errors.New("the value is empty")
	}
	if typed := typedValueOf(flag); typed != nil {
		return typed.check(value)
	}
	if takesValue(flag) {
		return nil // a cli.StringFlag takes any text
	}
	if _, err := strconv.ParseBool(value); err != nil {
		return errors.New("not true or false")
	}
	return nil
}

// wrongValue returns the usage error of a flag whose value was refused with err.
func wrongValue(err error, path []string, flag cli.Flag, value string) error {
	name, hint := flag.Names()[0], exit.Hint(err)
	if typed := typedValueOf(flag); typed != nil {
		value = typed.print(value)
	}
	if hint == "" {
		hint = helpHint(path)
	}
	if line, at, ok := exit.Place(err); ok { // it has the value
		return exit.WithPlace(exit.Usagef(hint, "--%s: %v", name, err), line, at)
	}
	if value == "" {
		return exit.Usagef(hint, "--%s: %v", name, err)
	}
	return exit.Usagef(hint, "--%s %s: %v", name, value, err)
}
