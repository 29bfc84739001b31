package list

import (
	"net/url"
	"strings"
	"sync/atomic"
)

// Names knows which encodings of keys are real: objects were found by a name that was decoded from them. Some stores
// declare encoding-type=url and encode nothing (s3s-fs), or leave a plus sign as it is. So an object that is not found
// by its decoded name is asked for by its other names, before anybody believes that it is gone. Where a few objects
// were found so, and none by a decoded name, others are asked for by such a name first. Its methods may be called
// concurrently. The zero Names knows nothing.
type Names struct{ plus, escapes encoding }

// encoding is what is known of the plus signs or the escapes in listed keys.
type encoding struct {
	real atomic.Bool  // an object was found by a name without them
	kept atomic.Int32 // objects that were found by a name with them
}

// keptMin is how many objects have to be found by names with the signs of an encoding: one may be a coincidence.
const keptMin = 3

func (c *encoding) found(x foundSigns) {
	if x.decoded && !c.real.Load() {
		c.real.Store(true)
	}
	if x.kept > 0 {
		c.kept.Add(x.kept)
	}
}

// isLeft reports whether the signs of the encoding seem to be no encoding.
func (c *encoding) isLeft() bool { return c.kept.Load() >= keptMin && !c.real.Load() }

// FoundNames is by which names some objects were found. The zero value is that of no objects.
type FoundNames struct{ plus, escapes foundSigns }

type foundSigns struct {
	decoded bool  // in some name
	kept    int32 // in so many names
}

func (x *foundSigns) add(kept bool) {
	x.decoded = x.decoded || !kept
	if kept {
		x.kept++
	}
}

// Add adds the object of an entry, which was found by a name.
func (x *FoundNames) Add(e *Entry, name string) {
	asListed := name == e.Encoded
	if strings.Contains(e.Encoded, "+") {
		x.plus.add(asListed || name != e.Key)
	}
	if strings.Contains(e.Encoded, "%") {
		x.escapes.add(asListed)
	}
}

// Found is called with the names by which objects were found.
func (d *Names) Found(x *FoundNames) {
	d.plus.found(x.plus)
	d.escapes.found(x.escapes)
}

// AreReal reports whether the key of e is the name of its object: all that was decoded in it is known to be encoded.
func (d *Names) AreReal(e *Entry) bool {
	return (d.plus.real.Load() || !strings.Contains(e.Encoded, "+")) &&
		(d.escapes.real.Load() || !strings.Contains(e.Encoded, "%"))
}

// possible returns the names that the object of e may have, e.Key first.
func (d *Names) possible(e *Entry) []string {
	if d.AreReal(e) {
		return []string{e.Key}
	}
	return allNames(e)
}

// Likely returns a function that returns an entry under its most likely name; nil: that is the decoded one for all.
func (d *Names) Likely() func(*Entry) Entry {
	plusLeft, escapesLeft := d.plus.isLeft(), d.escapes.isLeft()
	if !plusLeft && !escapesLeft {
		return nil
	}
	return func(e *Entry) Entry { return Named(e, likelyName(e, plusLeft, escapesLeft)) }
}

// likelyName returns the name of an object in whose key some signs are left as they are.
func likelyName(e *Entry, plusLeft, escapesLeft bool) string {
	left := func(signs string, isLeft bool) bool { return isLeft || !strings.Contains(e.Encoded, signs) }
	switch plus, escapes := left("+", plusLeft), left("%", escapesLeft); {
	case e.Encoded == "" || !plus:
		return e.Key
	case escapes:
		return e.Encoded
	}
	return escapesDecoded(e)
}

// Named returns e under another name.
func Named(e *Entry, name string) Entry {
	under := *e
	if name != e.Key {
		under.Key, under.Encoded = name, ""
	}
	return under
}

// allNames returns the names that the object of e may have, each once: decoded, as it was listed, and with only the
// escapes decoded.
func allNames(e *Entry) []string {
	names := []string{e.Key}
	if e.Encoded == "" || e.Encoded == e.Key {
		return names
	}
	names = append(names, e.Encoded)
	if name := escapesDecoded(e); name != e.Key && name != e.Encoded {
		names = append(names, name)
	}
	return names
}

// escapesDecoded returns the key of e with its plus signs left; e.Key where the escapes are not valid.
func escapesDecoded(e *Entry) string {
	if name, err := url.PathUnescape(e.Encoded); err == nil {
		return name
	}
	return e.Key
}

// NameSet is a set of names of one object: bit n stands for the n-th of allNames. The zero value is empty.
type NameSet uint8

// Next adds the name that was asked for, and returns one that was not. ok is false where there is none.
func (s *NameSet) Next(e *Entry, asked string) (name string, ok bool) {
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
