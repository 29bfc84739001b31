package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// completionFlag is what the completion scripts call headcount with; cli answers it.
const completionFlag = "--generate-bash-completion"

// arrange puts a command line into the order that cli takes: the command, its flags, "--", the arguments. Flags may stand
// before and after arguments, and scan is what headcount does when no command is named. An unknown flag, or one given
// twice that takes one value, is a usageError here, since cli would ignore it or say less.
func arrange(app *cli.App, args []string) ([]string, error) {
	if len(args) <= 1 || args[len(args)-1] == completionFlag {
		return args, nil
	}
	command, path, rest, err := findCommand(app, args[1:])
	if err != nil {
		return nil, err
	}
	if command == nil { // flags of the program itself: --version, --help
		return args, nil
	}
	flags, arguments, err := sortOut(command, helpName(path), rest)
	if err != nil {
		return nil, err
	}
	arranged := slices.Concat(args[:1], path, flags)
	if len(arguments) > 0 {
		arranged = append(append(arranged, "--"), arguments...)
	}
	return arranged, nil
}

func helpName(path []string) string { return strings.Join(append([]string{"headcount"}, path...), " ") }

// findCommand finds the command that args begin with, the names that lead to it, and what follows them.
func findCommand(app *cli.App, args []string) (command *cli.Command, path, rest []string, err error) {
	first := args[0]
	switch {
	case slices.Contains([]string{"--version", "--help", "-h"}, first):
		return nil, nil, nil, nil
	case strings.HasPrefix(first, "-"), strings.Contains(first, ":"):
		return app.Command("scan"), []string{"scan"}, args, nil
	}
	if command = app.Command(first); command == nil {
		return nil, nil, nil, unknownCommand(app.Commands, "headcount", first)
	}
	path, rest = []string{command.Name}, args[1:]
	for len(command.Subcommands) > 0 && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
		i := slices.IndexFunc(command.Subcommands, func(c *cli.Command) bool { return c.HasName(rest[0]) })
		if i < 0 {
			return nil, nil, nil, unknownCommand(command.Subcommands, helpName(path), rest[0])
		}
		command = command.Subcommands[i]
		path, rest = append(path, command.Name), rest[1:]
	}
	return command, path, rest, nil
}

func unknownCommand(commands []*cli.Command, parent, name string) error {
	hint := strings.TrimSpace(cli.SuggestCommand(commands, name))
	if hint == "" {
		hint = parent + " --help"
	}
	if parent == "headcount" {
		hint += " A bucket is written s3://BUCKET"
	}
	return usagef(hint, "there is no command %q", name)
}

// sortOut separates the flags of a command, with their values, from its arguments.
func sortOut(command *cli.Command, name string, args []string) (flags, arguments []string, err error) {
	seen := map[string]bool{}
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			return flags, append(arguments, args[i+1:]...), nil
		case len(arg) < 2 || arg[0] != '-': // "-" is an argument: standard input or output
			arguments = append(arguments, arg)
			continue
		}
		flagName, _, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if flagName == "help" || flagName == "h" {
			flags = append(flags, arg)
			continue
		}
		flag := findFlag(command, flagName)
		if flag == nil {
			hint := name + " --help"
			if suggestion := cli.SuggestFlag(command.Flags, flagName, true); suggestion != "" {
				hint = "did you mean " + suggestion + "? " + hint + " lists all flags"
			}
			return nil, nil, usagef(hint, "there is no flag %s", "--"+flagName)
		}
		canonical := flag.Names()[0]
		if _, many := flag.(*cli.StringSliceFlag); seen[canonical] && !many {
			return nil, nil, usagef("give it once", "the flag --%s is given twice", canonical)
		}
		seen[canonical] = true
		flags = append(flags, arg)
		if _, isBool := flag.(*cli.BoolFlag); isBool || hasValue {
			continue
		}
		if i+1 == len(args) {
			return nil, nil, usagef(name+" --help", "the flag --%s needs a value", canonical)
		}
		i++
		flags = append(flags, args[i])
	}
	return flags, arguments, nil
}

func findFlag(command *cli.Command, name string) cli.Flag {
	for _, f := range command.Flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}
