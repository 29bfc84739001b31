package scan

import (
	"errors"

	"headcount/scan/head"
)

// Why an answer with status 200 is no store's answer about an object.
var (
	errNoETag = errors.New("the answer has no ETag: a web page, and not a store's answer about an object")
	errNoMark = errors.New("the answer has no header that only stores send: a web page, and not an answer about an object")
)

// unlikeError is why an answer with status 200 and an ETag is no Record.
type unlikeError struct{ different head.Trait }

func (e *unlikeError) Error() string {
	return "the answer has another " + e.different.String() + " than the listing, and no later Last-Modified"
}
