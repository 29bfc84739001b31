package list

import (
	"context"
	"errors"
	"strings"
)

// keysBetween lists again what lies behind the key after, until it has seen a key from through on. It returns the keys,
// decoded and as they are listed, and the last key up to which they are all that the store lists. Where the store does
// not sort its keys as bytes, or ends the listing early, that key is below through; "" where nothing is known. Its
// error is that of a LIST that failed a few times.
func (l *Lister) keysBetween(
	ctx context.Context, after, through string,
) (keys map[string]bool, upTo string, err error) {
	keys, upTo = map[string]bool{}, after
	if l.anyOrder() {
		return keys, "", nil
	}
	for {
		a, err := l.list(ctx, request{
			after: upTo, within: l.withinOf(after), keysMax: pageKeysMax, triesMax: briefTriesMax,
		})
		if err != nil {
			return nil, "", err
		}
		before := upTo
		for i := range a.Entries {
			key := a.Entries[i].Key
			switch {
			case i == 0 && key == upTo:
				continue // the store takes start-after as inclusive
			case key <= upTo:
				return keys, "", nil
			}
			upTo = strings.Clone(key)
			keys[upTo] = true
			keys[strings.Clone(ListedName(&a.Entries[i]))] = true
		}
		if !a.Truncated || upTo == before || upTo >= through {
			return keys, upTo, nil
		}
	}
}

// hasKey asks whether the store lists the key of an Entry now. name is a name that its object may have. inOrder says
// that this run has listed the key, in the order of the store. Its error is that of a LIST that failed a few times, or
// ErrUndecided.
func (l *Lister) hasKey(ctx context.Context, name string, e *Entry, inOrder bool) (bool, error) {
	inOrder = inOrder && !l.anyOrder() && !l.otherOrder.Load()
	req := request{prefix: name, triesMax: briefTriesMax, versions: e.VersionID() != ""}
	return l.lookFor(ctx, req, lookedForMax, inOrder, func(found *Entry) bool {
		return (found.Key == e.Key || ListedName(found) == ListedName(e)) &&
			(e.VersionID() == "" || found.VersionID() == e.VersionID())
	})
}

// briefTriesMax is how often a LIST is sent on which the result of one object depends.
const briefTriesMax = 3

// lookedForMax is how many pages of keys that begin with a key are looked through for it.
const lookedForMax = 20

// ErrUndecided is the error of LISTs that do not show whether a key is listed.
var ErrUndecided = errors.New("too many keys begin with this key to see whether it is listed")

// lookFor reports whether a key is listed among those that begin with the prefix of a request. In the order of bytes
// (inOrder) the key comes before all others that begin with it. In another order thousands may come before it: up to
// pagesMax pages are read, and then the error is ErrUndecided.
func (l *Lister) lookFor(
	ctx context.Context, req request, pagesMax int, inOrder bool, isKey func(*Entry) bool,
) (bool, error) {
	req.keysMax = pageKeysMax // MinIO ends listings early that ask for less
	for range pagesMax {
		a, err := l.list(ctx, req)
		if err != nil {
			return false, err
		}
		for i := range a.Entries {
			if isKey(&a.Entries[i]) {
				return true, nil
			}
		}
		if !a.Truncated || inOrder && a.isBehind() {
			return false, nil
		}
		if !l.toNextPage(&req, a) {
			break
		}
	}
	return false, ErrUndecided
}

// isBehind reports whether no page after the answer can have the key with whose prefix the answer was asked for, and
// that comes before all others. Only of versions a page may end in the key.
func (a *answer) isBehind() bool {
	n := len(a.Entries)
	return n > 0 && (a.Entries[n-1].VersionID() == "" || a.Entries[n-1].Key != a.Entries[0].Key)
}

// toNextPage makes req ask for the page that follows a truncated answer. It returns false where there is none.
func (l *Lister) toNextPage(req *request, a *answer) bool {
	if l.versions(req) {
		before := Place{req.after, req.version}
		next := nextVersion(a)
		req.after, req.version = next.Key, next.Version
		return next.Key != "" && next != before
	}
	next, at := a.NextToken, &req.token
	if l.cfg.V1 {
		at = &req.after
		if n := len(a.Entries); next == "" && n > 0 {
			next = a.Entries[n-1].Key
		}
	}
	if next == "" || next == *at {
		return false
	}
	*at = strings.Clone(next)
	return true
}
