package command

import (
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/scan/exit"
	"headcount/scan/spelling"
)

func unknownCommand(commands []*cli.Command, path []string, name string) error {
	var all, candidates []string
	for _, c := range commands {
		if !c.Hidden {
			all = append(all, c.Names()...)
		}
	}
	if near := spelling.Nearest(name, all); near != "" {
		candidates = append(candidates, near)
	}
	if _, _, err := ParseURI("s3://" + name); err == nil && len(path) == 0 {
		candidates = append(candidates, "s3://"+name)
	}
	return exit.Usagef(didYouMean(candidates, helpHint(path)+" lists the commands"), "there is no command %q", name)
}

func didYouMean(candidates []string, otherwise string) string {
	if len(candidates) == 0 {
		return otherwise
	}
	return "did you mean " + strings.Join(candidates, ", or ") + "? " + otherwise
}

func unknownFlag(command *cli.Command, path []string, typed string) error {
	names := []string{"help", "version"}
	for _, f := range command.Flags {
		names = append(names, f.Names()...)
	}
	near := spelling.Nearest(strings.TrimLeft(typed, "-"), names)
	if strings.EqualFold(typed, "-v") { // the usual short form, and not --verify-listing
		near = "version"
	}
	var candidates []string
	if near != "" {
		candidates = append(candidates, "--"+near)
	}
	return exit.Usagef(didYouMean(candidates, helpHint(path)+" lists the flags"), "there is no flag %s", typed)
}
