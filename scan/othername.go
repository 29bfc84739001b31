package scan

import (
	"net/url"
	"strings"
	"sync/atomic"

	"headcount/scan/list"
)

// decodedNames knows which encodings of keys are real: objects were found by a name that was decoded from them. Some
// stores declare encoding-type=url and encode nothing (s3s-fs), or leave a plus sign as it is. So an object that is not
// found by its decoded name is asked for by its other names, before anybody believes that it is gone. Where a few
// objects were found so, and none by a decoded name, others are asked for by such a name first. Its methods may be
// called concurrently. The zero decodedNames knows nothing.
type decodedNames struct{ plus, escapes encoding }

// encoding is what is known of the plus signs or the escapes in listed keys.
type encoding struct {
	real atomic.Bool  // an object was found by a name without them
	kept atomic.Int32 // objects that were found by a name with them
}

// keptMin is how many objects have to be found by names with the signs of an encoding: one may be a coincidence.
const keptMin = 3

func (c *encoding) found(decoded bool, kept int32) {
	if decoded && !c.real.Load() {
		c.real.Store(true)
	}
	if kept > 0 {
		c.kept.Add(kept)
	}
}

// isLeft reports whether the signs of the encoding seem to be no encoding.
func (c *encoding) isLeft() bool { return c.kept.Load() >= keptMin && !c.real.Load() }

// foundNames is by which names the objects of a batch were found.
type foundNames struct {
	plusDecoded, escapesDecoded bool
	plusKept, escapesKept       int32 // objects
}

// add adds the object of an entry, which was found by a name.
func (x *foundNames) add(e *list.Entry, name string) {
	if e.Encoded == "" {
		return
	}
	plus, escapes := strings.Count(e.Encoded, "+"), strings.Contains(e.Encoded, "%")
	escapesKept := name == e.Encoded
	plusKept := escapesKept || name != e.Key
	if plus > 0 && plusKept {
		x.plusKept++
	}
	if escapes && escapesKept {
		x.escapesKept++
	}
	x.plusDecoded = x.plusDecoded || plus > 0 && !plusKept
	x.escapesDecoded = x.escapesDecoded || escapes && !escapesKept
}

// found is called with the names by which objects were found.
func (d *decodedNames) found(x *foundNames) {
	d.plus.found(x.plusDecoded, x.plusKept)
	d.escapes.found(x.escapesDecoded, x.escapesKept)
}

// real reports whether all that was decoded in the key of e is known to be encoded.
func (d *decodedNames) real(e *list.Entry) bool {
	return (d.plus.real.Load() || !strings.Contains(e.Encoded, "+")) &&
		(d.escapes.real.Load() || !strings.Contains(e.Encoded, "%"))
}

// possible returns the names that the object of e may have, e.Key first.
func (d *decodedNames) possible(e *list.Entry) []string {
	if e.Encoded == "" || d.real(e) {
		return []string{e.Key}
	}
	return allNames(e)
}

// name makes a batch that had no HEAD ask for its objects by the names that others like them had.
func (d *decodedNames) name(b *batch) {
	plusLeft, escapesLeft := d.plus.isLeft(), d.escapes.isLeft()
	if !plusLeft && !escapesLeft || b.named != nil || b.attempts.names != 0 {
		return
	}
	var names []list.Entry
	for n := range b.count {
		e := &b.page.heads[b.index(n)]
		if names == nil && e.Encoded != "" {
			names = make([]list.Entry, 0, b.count)
			for before := range n {
				names = append(names, b.page.heads[b.index(before)])
			}
		}
		if names != nil {
			names = append(names, named(e, likelyName(e, plusLeft, escapesLeft)))
		}
	}
	b.named = names
}

// likelyName returns the name of an object in whose key some signs are left as they are.
func likelyName(e *list.Entry, plusLeft, escapesLeft bool) string {
	left := func(signs string, isLeft bool) bool { return isLeft || !strings.Contains(e.Encoded, signs) }
	switch plus, escapes := left("+", plusLeft), left("%", escapesLeft); {
	case e.Encoded == "" || !plus:
		return e.Key
	case escapes:
		return e.Encoded
	}
	if name, err := url.PathUnescape(e.Encoded); err == nil {
		return name
	}
	return e.Key
}

// named returns e under another name.
func named(e *list.Entry, name string) list.Entry {
	under := *e
	if name != e.Key {
		under.Key, under.Encoded = name, ""
	}
	return under
}

// allNames returns the names that the object of e may have, each once: decoded, as it was listed, and with only the
// escapes decoded.
func allNames(e *list.Entry) []string {
	names := []string{e.Key}
	if e.Encoded == "" || e.Encoded == e.Key {
		return names
	}
	names = append(names, e.Encoded)
	if name, err := url.PathUnescape(e.Encoded); err == nil && name != e.Key && name != e.Encoded {
		names = append(names, name)
	}
	return names
}

// nameSet is a set of names of one object: bit n stands for the n-th of allNames.
type nameSet uint8

// next adds the name that was asked for, and returns one that was not. ok is false where there is none.
func (s *nameSet) next(e *list.Entry, asked string) (name string, ok bool) {
	names := allNames(e)
	for n := range names {
		if names[n] == asked {
			*s |= 1 << n
		}
	}
	for n := range names {
		if *s&(1<<n) == 0 {
			return names[n], true
		}
	}
	return "", false
}
