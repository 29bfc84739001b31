// Package spelling suggests names for misspelt words: of commands, flags, fields and functions.
package spelling

import (
	"strings"

	"github.com/xrash/smetrics"
)

// similarityMin separates a misspelt word from another word: srve and serve have a similarity of 0.94, owner and
// workers have 0.65.
const similarityMin = 0.8

// Nearest returns the name that a misspelt word most likely stands for: the only name with word as its prefix, or the
// most similar name. It is empty if no name is similar.
func Nearest(word string, names []string) string {
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

// DidYouMean returns the question whether word stands for the Nearest of names; empty: none is similar.
func DidYouMean(word string, names []string) string {
	if near := Nearest(word, names); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}
