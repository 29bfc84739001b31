package scan

import (
	"errors"

	"headcount/scan/head"
)

// errNotAnObject is why an answer with status 200 is no Record.
var errNotAnObject = errors.New("the answer has no ETag: a web page, and not a store's answer about an object")

// unlikeError is why an answer with status 200 and an ETag is no Record.
type unlikeError struct{ different head.Trait }

func (e *unlikeError) Error() string {
	return "the answer has another " + e.different.String() + " than the listing, and no later Last-Modified"
}
