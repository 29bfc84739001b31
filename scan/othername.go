package scan

import (
	"net/url"
	"strings"
	"sync/atomic"

	"headcount/scan/list"
)

// decodedNames knows which encodings of keys are real: objects were found by a name that was decoded from them. Some
// stores declare encoding-type=url and encode nothing (s3s-fs), or leave a plus sign as it is. So an object that is not
// found by its decoded name is asked for by its other names, before anybody believes that it is gone. Its methods may
// be called concurrently. The zero decodedNames knows nothing.
type decodedNames struct{ plus, escapes atomic.Bool }

// found is called for an object that was found by its decoded name.
func (d *decodedNames) found(e *list.Entry) {
	if strings.Contains(e.Encoded, "+") {
		d.plus.Store(true)
	}
	if strings.Contains(e.Encoded, "%") {
		d.escapes.Store(true)
	}
}

// real reports whether all that was decoded in the key of e is known to be encoded.
func (d *decodedNames) real(e *list.Entry) bool {
	return (d.plus.Load() || !strings.Contains(e.Encoded, "+")) &&
		(d.escapes.Load() || !strings.Contains(e.Encoded, "%"))
}

// otherName returns e with the n-th other name that its object may have, from 0 on: as it was listed, and with only the
// escapes decoded. ok is false where there is none.
func otherName(e *list.Entry, n int) (named list.Entry, ok bool) {
	if e.Encoded == "" {
		return list.Entry{}, false
	}
	named = *e
	named.Key, named.Encoded = e.Encoded, ""
	if n == 0 {
		return named, true
	}
	name, err := url.PathUnescape(e.Encoded)
	if n > 1 || err != nil || name == e.Key || name == e.Encoded {
		return list.Entry{}, false
	}
	named.Key = name
	return named, true
}
