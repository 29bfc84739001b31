package command

// completionScripts returns the script of each shell. A script asks headcount itself for completions, and completes the
// names of files if there are none.
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
