package list

import (
	"fmt"
	"slices"
	"strings"

	"headcount/scan/list/xmllist"
)

// A LIST with a delimiter returns one level of a bucket, as a directory: the keys that have no delimiter behind the
// prefix, and each beginning of the other keys up to there, once, as a common prefix.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-prefixes.html
//
// A Pager handles a common prefix as the key of an Entry of its own: keys and common prefixes share one order, in which
// the store ends a page anywhere. A LIST that starts after a common prefix, and not after all keys that begin with it,
// may return it again. It is no new key then.

// delimiter returns the delimiter of a request. A request about certain keys has none.
func (l *Lister) delimiter(req *request) string {
	if req.prefix != "" {
		return ""
	}
	return l.cfg.Delimiter
}

// mergePrefixes puts the common prefixes of a listing among its keys. It returns a ProtocolError where the store has
// not grouped the keys by the delimiter.
func (l *Lister) mergePrefixes(listing *xmllist.Listing, delimiter string) error {
	if delimiter == "" {
		return nil
	}
	merged := make([]Entry, 0, len(listing.Entries)+len(listing.Prefixes))
	prefixes := listing.Prefixes
	for _, e := range listing.Entries {
		for len(prefixes) > 0 && prefixes[0].Key < e.Key {
			merged, prefixes = append(merged, prefixes[0]), prefixes[1:]
		}
		if len(prefixes) > 0 && prefixes[0].Key == e.Key {
			continue // the object of a folder is one of those that the prefix stands for
		}
		merged = append(merged, e)
	}
	listing.Entries, listing.Prefixes = append(merged, prefixes...), nil
	wrong := func(e Entry) bool {
		rest, ok := strings.CutPrefix(e.Key, l.cfg.Prefix)
		_, behind, grouped := strings.Cut(rest, delimiter)
		return ok && (grouped != e.CommonPrefix || behind != "")
	}
	if i := slices.IndexFunc(listing.Entries, wrong); i >= 0 {
		what := fmt.Sprintf("%q is not grouped by the delimiter %q", listing.Entries[i].Key, delimiter)
		return &ProtocolError{Target: l.target, What: l.cfg.Store.Redact(what), Advice: "list without --delimiter"}
	}
	return nil
}

// groups reports whether a common prefix stands for a key. rest is the key behind the Prefix.
func (l *Lister) groups(rest string) bool {
	return l.cfg.Delimiter != "" && strings.Contains(rest, l.cfg.Delimiter)
}

// isGroupOf reports whether e is the common prefix of a key.
func isGroupOf(e *Entry, key string) bool { return e.CommonPrefix && strings.HasPrefix(key, e.Key) }
