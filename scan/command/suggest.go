package command

import (
	"strings"

	"github.com/urfave/cli/v2"
	"github.com/xrash/smetrics"

	"headcount/scan/exit"
)

func unknownCommand(commands []*cli.Command, path []string, name string) error {
	var all, candidates []string
	for _, c := range commands {
		if !c.Hidden {
			all = append(all, c.Names()...)
		}
	}
	if near := nearest(name, all); near != "" {
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

// similarityMin separates a misspelt word from another word: srve and serve have a similarity of 0.94, owner and
// workers have 0.65.
const similarityMin = 0.8

// nearest returns the name that a misspelt word most likely stands for: the only name with word as its prefix, or the
// most similar name. It is empty if no name is similar.
func nearest(word string, names []string) string {
	var completions []string
	best, bestSimilarity := "", similarityMin
	for _, name := range names {
		if strings.HasPrefix(name, word) {
			completions = append(completions, name)
		}
		// The parameters are those of Winkler's paper, which cli uses too.
		if similarity := smetrics.JaroWinkler(name, word, 0.7, 4); similarity >= bestSimilarity {
			best, bestSimilarity = name, similarity
		}
	}
	if len(completions) == 1 {
		return completions[0]
	}
	return best
}

func unknownFlag(command *cli.Command, path []string, typed string) error {
	names := []string{"help", "version"}
	for _, f := range command.Flags {
		names = append(names, f.Names()...)
	}
	near := nearest(strings.TrimLeft(typed, "-"), names)
	if strings.EqualFold(typed, "-v") { // the usual short form, and not --verify-listing
		near = "version"
	}
	var candidates []string
	if near != "" {
		candidates = append(candidates, "--"+near)
	}
	return exit.Usagef(didYouMean(candidates, helpHint(path)+" lists the flags"), "there is no flag %s", typed)
}
