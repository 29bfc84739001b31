package main

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
	"github.com/xrash/smetrics"

	"headcount/scan/exit"
)

// commandLine is what a user typed, in the order that cli takes.
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

// arrange puts a command line into the order that cli takes: the command, its flags, "--", the arguments. Flags may stand
// before and after arguments, and scan is what headcount does when no command is named. An unknown flag, one without a
// value or with one that it cannot have, or one given twice that takes one value, is a usageError here, since cli would
// ignore it or say less.
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
		return sortOut(app.Command("scan"), []string{"scan"}, words)
	}
	command, path, rest, err := findCommand(app.Commands, words)
	if err != nil {
		return commandLine{}, err
	}
	return sortOut(command, path, rest)
}

func helpName(path []string) string { return strings.Join(append([]string{"headcount"}, path...), " ") }

func isHelp(word string) bool {
	return word == "--help" || word == "-help" || word == "-h" || word == "--h"
}

// findCommand finds the command that words begin with, the names that lead to it, and what follows them.
func findCommand(commands []*cli.Command, words []string) (command *cli.Command, path, rest []string, err error) {
	for rest = words; len(commands) > 0 && len(rest) > 0 && !strings.HasPrefix(rest[0], "-"); rest = rest[1:] {
		found := slices.IndexFunc(commands, func(c *cli.Command) bool { return c.HasName(rest[0]) })
		if found < 0 {
			return nil, nil, nil, unknownCommand(commands, path, rest[0])
		}
		command = commands[found]
		commands = command.Subcommands
		path = append(path, command.Name)
	}
	return command, path, rest, nil
}

func unknownCommand(commands []*cli.Command, path []string, name string) error {
	var all, meant []string
	for _, c := range commands {
		if !c.Hidden {
			all = append(all, c.Names()...)
		}
	}
	if near := nearest(name, all); near != "" {
		meant = append(meant, near)
	}
	if _, _, err := parseURI("s3://" + name); err == nil && len(path) == 0 {
		meant = append(meant, "s3://"+name)
	}
	return exit.Usagef(didYouMean(meant, helpName(path)+" --help lists the commands"), "there is no command %q", name)
}

func didYouMean(meant []string, otherwise string) string {
	if len(meant) == 0 {
		return otherwise
	}
	return "did you mean " + strings.Join(meant, ", or ") + "? " + otherwise
}

// similarMin is from where two words are more likely one with a slip than two: srve and serve have 0.94, owner and
// workers 0.65.
const similarMin = 0.8

// nearest is the name that word was probably meant to be: the only one that begins so, or the most similar; empty where
// none is similar.
func nearest(word string, names []string) string {
	var begin []string
	best, bestSimilar := "", similarMin
	for _, name := range names {
		if strings.HasPrefix(name, word) {
			begin = append(begin, name)
		}
		// The numbers are those of Winkler's paper, as cli has them.
		if similar := smetrics.JaroWinkler(name, word, 0.7, 4); similar >= bestSimilar {
			best, bestSimilar = name, similar
		}
	}
	if len(begin) == 1 {
		return begin[0]
	}
	return best
}

// sortOut separates the flags of a command, with their values, from its arguments. Who asks for help or the version gets
// that and nothing else.
func sortOut(command *cli.Command, path, words []string) (commandLine, error) {
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
		if _, many := flag.(*cli.StringSliceFlag); seen[name] && !many {
			return line, exit.Usagef("give it once", "the flag --%s is given twice", name)
		}
		seen[name] = true
		line.flags = append(line.flags, word)
		if !hasValue && takesValue(flag) {
			if i++; i == len(words) {
				return line, exit.Usagef(helpName(path)+" --help", "the flag --%s needs a value", name)
			}
			value, hasValue = words[i], true
			line.flags = append(line.flags, value)
		}
		if hasValue {
			if wrong := wrongValue(flag, value); wrong != "" {
				return line, exit.Usagef(helpName(path)+" --help", "--%s %s", name, wrong)
			}
		}
	}
	return line, nil
}

func unknownFlag(command *cli.Command, path []string, typed string) error {
	names := []string{"help", "version"}
	for _, f := range command.Flags {
		names = append(names, f.Names()...)
	}
	var meant []string
	if near := nearest(strings.TrimLeft(typed, "-"), names); near != "" {
		meant = append(meant, "--"+near)
	}
	return exit.Usagef(didYouMean(meant, helpName(path)+" --help lists the flags"), "there is no flag %s", typed)
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

// wrongValue says why a flag cannot have a value, by its type; empty: it can.
func wrongValue(flag cli.Flag, value string) string {
	if value == "" {
		return "is given an empty value"
	}
	var (
		err  error
		kind string
	)
	switch flag.(type) {
	case *cli.BoolFlag:
		_, err = strconv.ParseBool(value)
		kind = "true or false"
	case *cli.IntFlag, *cli.Int64Flag:
		_, err = strconv.ParseInt(value, 0, 64)
		kind = "a whole number"
	case *cli.Uint64Flag:
		_, err = strconv.ParseUint(value, 0, 64)
		kind = "a whole number from 0 on"
	case *cli.Float64Flag:
		_, err = strconv.ParseFloat(value, 64)
		kind = "a number"
	case *cli.DurationFlag:
		_, err = time.ParseDuration(value)
		kind = "a duration, as 30s or 15m"
	}
	switch {
	case errors.Is(err, strconv.ErrRange):
		return value + " is out of range"
	case err != nil:
		return value + " is not " + kind
	}
	return ""
}
