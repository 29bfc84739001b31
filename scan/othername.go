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

// encodings are those in the keys of some objects.
type encodings struct{ plus, escapes bool }

// with returns x and the encodings in the key of e.
func (x encodings) with(e *list.Entry) encodings {
	return encodings{x.plus || strings.Contains(e.Encoded, "+"), x.escapes || strings.Contains(e.Encoded, "%")}
}

// found is called with the encodings in the keys of objects that were found by their decoded names.
func (d *decodedNames) found(x encodings) {
	if x.plus {
		d.plus.Store(true)
	}
	if x.escapes {
		d.escapes.Store(true)
	}
}

// real reports whether all that was decoded in the key of e is known to be encoded.
func (d *decodedNames) real(e *list.Entry) bool {
	return (d.plus.Load() || !strings.Contains(e.Encoded, "+")) &&
		(d.escapes.Load() || !strings.Contains(e.Encoded, "%"))
}

// possible returns the names that the object of e may have, e.Key first.
func (d *decodedNames) possible(e *list.Entry) []string {
	names := []string{e.Key}
	if e.Encoded == "" || d.real(e) {
		return names
	}
	for {
		named, ok := otherName(e, len(names)-1)
		if !ok {
			return names
		}
		names = append(names, named.Key)
	}
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
