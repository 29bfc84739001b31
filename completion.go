package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/bench/engines"
	"headcount/bench/peers"
	"headcount/bench/s3sim"
	"headcount/bench/seed"
	"headcount/scan"
	"headcount/scan/exit"
	"headcount/scan/head"
)

// completionFlag is what the completion scripts end a command line with: they ask what can stand in the place of the
// last word before it, which may be empty.
const completionFlag = "--generate-bash-completion"

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a completion script for bash, zsh or fish",
		ArgsUsage: "bash|zsh|fish",
		Description: "To complete in this shell only:\n\n" +
			"    source <(headcount completion bash)\n" +
			"    source <(headcount completion zsh)\n" +
			"    headcount completion fish | source",
		Action: func(c *cli.Context) error {
			script, known := completionScripts()[c.Args().First()]
			if c.NArg() != 1 || !known {
				return exit.Usagef("headcount completion bash, or zsh, or fish", "completion needs the name of a shell")
			}
			return printText(c, script)
		},
	}
}

// choices are the values of the flags that have a fixed set of them.
func (p place) choices() map[string][]string {
	ways, shapes := engines.Ways(), s3sim.Shapes()
	switch {
	case p.command == nil:
	case p.command.Name == "peers":
		ways = peers.Ways()
	case p.command.Name == "seed":
		shapes = seed.Shapes()
	}
	return map[string][]string{
		"addressing": {"auto", "path", "virtual"},
		"engine":     {head.AutoName, head.DirectName, head.SDKName, head.ListName},
		"log-level":  {"debug", "info", "warn", "error"},
		"log-format": {"text", "json"},
		"shape":      texts(shapes),
		"metadata":   texts(seed.Metadatas()),
		"quirk":      texts(s3sim.Quirks()),
		"ways":       ways,
		"workers":    {autoValue},
		"listers":    {autoValue},
	}
}

// printCandidates answers the completion scripts.
func printCandidates(app *cli.App, words []string, stdout io.Writer) error {
	for _, candidate := range candidates(app, words) {
		if _, err := fmt.Fprintln(stdout, candidate); err != nil {
			return scan.WrapOutput(err)
		}
	}
	return nil
}

// candidates are what the last of words can become. Where it can be anything there are none, and the shell completes the
// names of files.
func candidates(app *cli.App, words []string) []string {
	if len(words) == 0 {
		words = []string{""}
	}
	before, current := words[:len(words)-1], words[len(words)-1]
	// bash makes a word of each "=" and of what is around it; the other shells leave --flag=value whole.
	before = slices.DeleteFunc(slices.Clone(before), func(word string) bool { return word == "=" })
	if current == "=" {
		current = ""
	}
	place := placeOf(app, before)
	var all []string
	switch flag, _, isWhole := strings.Cut(current, "="); {
	case slices.Contains(place.words, "--"):
	case isWhole && strings.HasPrefix(flag, "-"):
		for _, value := range place.values(strings.TrimLeft(flag, "-")) {
			all = append(all, flag+"="+value)
		}
	case place.flag != "":
		all = place.values(place.flag)
	case strings.HasPrefix(current, "-"):
		all = place.flags()
	default:
		all = place.names()
	}
	return slices.DeleteFunc(slices.Clone(all), func(c string) bool { return !strings.HasPrefix(c, current) })
}

// place is where in a command line a word is completed.
type place struct {
	app     *cli.App
	command *cli.Command // nil: none is named yet
	words   []string     // that follow the command's name
	flag    string       // whose value the word is; empty: none's
}

// placeOf finds the place behind these words.
func placeOf(app *cli.App, before []string) place {
	command, _, rest, err := findCommand(app.Commands, before)
	p := place{app: app, command: command, words: rest}
	if err != nil || command == nil && len(rest) > 0 {
		p.command, p.words = app.Command("scan"), before
	}
	if len(p.words) == 0 {
		return p
	}
	name, isFlag := strings.CutPrefix(p.words[len(p.words)-1], "-")
	if flag := findFlag(p.command, strings.TrimLeft(name, "-")); isFlag && flag != nil && takesValue(flag) {
		p.flag = flag.Names()[0]
	}
	return p
}

// values are those that a flag can have, where they are few. The workers and listers of a benchmark are a number.
func (p place) values(flag string) []string {
	if (flag == "workers" || flag == "listers") && p.command != nil && p.command.Name != "scan" {
		return nil
	}
	return p.choices()[flag]
}

// flags are those of the command, or of scan, which needs no name.
func (p place) flags() []string {
	command := p.command
	if command == nil {
		command = p.app.Command("scan")
	}
	all := []string{"--help", "--version"}
	for _, f := range command.Flags {
		if name := f.Names()[0]; name != "help" {
			all = append(all, "--"+name)
		}
	}
	return all
}

// names are what a word can be that is neither a flag nor its value.
func (p place) names() []string {
	var all []string
	switch {
	case p.command == nil:
		all = commandNames(p.app.Commands)
	case len(p.words) > 0:
	case p.command.Name == "completion":
		for shell := range completionScripts() {
			all = append(all, shell)
		}
		slices.Sort(all)
	default:
		all = commandNames(p.command.Subcommands)
	}
	return all
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

// completionScripts all ask headcount itself, and complete the names of files where it says nothing.
func completionScripts() map[string]string {
	return map[string]string{
		"bash": `_headcount() {
  local IFS=$'\n'
  COMPREPLY=($("${COMP_WORDS[@]:0:COMP_CWORD+1}" ` + completionFlag + ` 2>/dev/null))
}
complete -o bashdefault -o default -F _headcount headcount
`,
		// It is a file of fpath, or it is sourced, with compinit or before it.
		"zsh": `#compdef headcount
_headcount() {
  local -a found
  found=("${(@f)$("${(@Q)words[1,CURRENT]}" ` + completionFlag + ` 2>/dev/null)}")
  if [[ -n "${found[1]}" ]]; then
    compadd -- "${found[@]}"
  else
    compset -P '--*='
    _files
  fi
}
if [[ "${funcstack[1]}" == _headcount ]]; then
  _headcount "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _headcount headcount
fi
`,
		"fish": `function __headcount_complete
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l found ($words "$current" ` + completionFlag + ` 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\n' $found
  else
    __fish_complete_path "$current"
  end
end
complete -c headcount -f -a '(__headcount_complete)'
`,
	}
}
