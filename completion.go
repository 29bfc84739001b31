package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

func completionCommand() *cli.Command {
	shells := map[string]func(*cli.App) (string, error){
		"bash": func(*cli.App) (string, error) { return bashCompletion, nil },
		"zsh":  func(*cli.App) (string, error) { return zshCompletion, nil },
		"fish": (*cli.App).ToFishCompletion,
	}
	return &cli.Command{
		Name:      "completion",
		Usage:     "print a completion script for bash, zsh or fish",
		ArgsUsage: "bash|zsh|fish",
		Description: "To complete in this shell only:\n\n" +
			"    source <(headcount completion bash)\n" +
			"    source <(headcount completion zsh)\n" +
			"    headcount completion fish | source",
		Action: func(c *cli.Context) error {
			script, known := shells[c.Args().First()]
			if c.NArg() != 1 || !known {
				return usagef("headcount completion bash, or zsh, or fish", "completion needs the name of a shell")
			}
			text, err := script(c.App)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(c.App.Writer, text)
			return err
		},
	}
}

// Both ask headcount itself for what can follow the words so far.
const (
	bashCompletion = `_headcount() {
  local cur="${COMP_WORDS[COMP_CWORD]}"
  local words=("${COMP_WORDS[@]:0:COMP_CWORD}")
  [[ "$cur" == -* ]] && words+=("$cur")
  COMPREPLY=($(compgen -W "$("${words[@]}" --generate-bash-completion 2>/dev/null)" -- "$cur"))
}
complete -o bashdefault -o default -F _headcount headcount
`
	zshCompletion = `#compdef headcount
_headcount() {
  local -a found
  local cur="${words[CURRENT]}"
  local -a before=("${(@)words[1,CURRENT-1]}")
  [[ "$cur" == -* ]] && before+=("$cur")
  found=("${(@f)$("${before[@]}" --generate-bash-completion 2>/dev/null)}")
  if [[ -n "${found[1]}" ]]; then
    _describe 'headcount' found
  else
    _files
  fi
}
compdef _headcount headcount
`
)
