package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"headcount/scan/command"
)

// parseSweep parses numbers of workers with commas between them. An ellipsis stands for numbers between its neighbours,
// each twice the one before.
func parseSweep(text string) (all []int, err error) {
	const ellipsis = "…"
	refuse := func(format string, args ...any) ([]int, error) {
		hint := fmt.Sprintf("give numbers from 1 to %d, as 64, or 1,2,4…1024", command.WorkersMax)
		return nil, command.BadValue(hint, fmt.Sprintf(format, args...))
	}
	spaced := strings.ReplaceAll(strings.ReplaceAll(text, "...", ellipsis), ellipsis, ","+ellipsis+",")
	words := slices.DeleteFunc(strings.Split(spaced, ","), func(word string) bool { return word == "" })
	for i, word := range words {
		if word == ellipsis && i > 0 && i+1 < len(words) && words[i-1] != ellipsis {
			continue
		}
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > command.WorkersMax {
			return refuse("%q is not a number of workers", word)
		}
		if i > 1 && words[i-1] == ellipsis {
			last := all[len(all)-1]
			if n <= last {
				return refuse("the number after … must be greater than the one before")
			}
			for last *= 2; last < n; last *= 2 {
				all = append(all, last)
			}
		}
		all = append(all, n)
	}
	for i, n := range all {
		if slices.Contains(all[:i], n) {
			return refuse("%d is named twice", n)
		}
	}
	if len(all) == 0 {
		return refuse("no number of workers")
	}
	return all, nil
}
