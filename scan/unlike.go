package scan

import (
	"errors"
	"strings"

	"headcount/scan/head"
)

// errNotAnObject is why an answer with status 200 is no Record.
var errNotAnObject = errors.New("the answer has no ETag: a web page, and not a store's answer about an object")

// unlikeError is why an answer with status 200 and an ETag is no Record.
type unlikeError struct{ different head.Trait }

func (e *unlikeError) Error() string {
	var names []string
	for _, t := range []struct {
		trait head.Trait
		name  string
	}{{head.ETag, "ETag"}, {head.Length, "length"}, {head.Written, "Last-Modified"}} {
		if e.different&t.trait != 0 {
			names = append(names, t.name)
		}
	}
	return "the answer has another " + strings.Join(names, " and ") + " than the listing, and is not of a later object"
}
