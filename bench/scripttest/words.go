package scripttest

import (
	"regexp"
	"strings"
)

var word = regexp.MustCompile(`^ *((?:[^\s'|&;<>#]|'[^']*')+)`)

// Words returns the words of the first command of a line, as a shell does: 'size > 1' is one word.
func Words(line string) (words []string) {
	for {
		match := word.FindStringSubmatch(line)
		if match == nil {
			return words
		}
		if line = line[len(match[0]):]; match[1] == "2" && strings.HasPrefix(line, ">") {
			return words
		}
		words = append(words, strings.ReplaceAll(match[1], "'", ""))
	}
}
