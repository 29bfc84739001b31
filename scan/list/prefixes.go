package list

import (
	"cmp"
	"slices"
	"sort"
	"strings"
)

// A listing of several prefixes (Config.Prefixes) has a Range for each of them. The Ranges adjoin, and each LIST names
// the prefix of its Range, so that nothing between the prefixes is listed. The end of a Range is not before any key
// with the prefix, and before the next prefix: a key that is a prefix itself lies in the Range of that prefix.

// MergePrefixes returns the prefixes for Config.Prefixes: in the order of bytes, each once, and without those that
// begin with another one.
func MergePrefixes(prefixes []string) []string {
	merged := slices.Sorted(slices.Values(prefixes))
	kept := merged[:0]
	for _, prefix := range merged {
		if len(kept) == 0 || !strings.HasPrefix(prefix, kept[len(kept)-1]) {
			kept = append(kept, prefix)
		}
	}
	return kept
}

// PrefixRanges returns the Ranges of a listing of Config.Prefixes.
func PrefixRanges(prefixes []string) []Range {
	ranges := make([]Range, len(prefixes))
	after := ""
	for i, through := range prefixEnds(prefixes) {
		ranges[i] = Range{After: after, Through: through}
		after = through
	}
	return ranges
}

// keyBytesMax is the length of the longest key. https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
const keyBytesMax = 1024

// prefixEnds returns the end of the Range of each prefix; empty: the end of the bucket.
func prefixEnds(prefixes []string) []string {
	ends := make([]string, len(prefixes))
	for i, prefix := range prefixes {
		end := successor(prefix)
		if i+1 < len(prefixes) && end == prefixes[i+1] { // which may be a key of the next Range
			end = prefix + strings.Repeat("\xFF", max(0, keyBytesMax-len(prefix)))
		}
		ends[i] = end
	}
	return ends
}

// successor returns the first text behind all that begin with a prefix; empty: there is none.
func successor(prefix string) string {
	last := len(prefix) - 1
	for last >= 0 && prefix[last] == 0xFF {
		last--
	}
	if last < 0 {
		return ""
	}
	return prefix[:last] + string([]byte{prefix[last] + 1})
}

// prefixAt returns which of Config.Prefixes has the Range in which a key, or the end of a Range, lies; -1: there are
// none.
func (l *Lister) prefixAt(key string) int {
	if key == "" {
		return len(l.prefixEnds) - 1
	}
	return min(len(l.prefixEnds)-1, sort.Search(len(l.prefixEnds), func(i int) bool {
		return l.prefixEnds[i] == "" || key <= l.prefixEnds[i]
	}))
}

// prefixOf returns the prefix that a request names. One about no Range names one that the caller may list.
func (l *Lister) prefixOf(req *request) string {
	prefix := cmp.Or(req.prefix, req.within)
	if prefix == "" && len(l.cfg.Prefixes) > 0 {
		return l.cfg.Prefixes[0]
	}
	return cmp.Or(prefix, l.cfg.Prefix)
}

// withinOf returns request.within for the Range in which a key lies.
func (l *Lister) withinOf(key string) string {
	if i := l.prefixAt(key); i >= 0 {
		return l.cfg.Prefixes[i]
	}
	return ""
}

// setPrefix sets the prefix of a new Pager, and the end of the Range of that prefix.
func (p *Pager) setPrefix() {
	p.prefix = p.lister.cfg.Prefix
	if i := p.lister.prefixAt(p.rng.Through); i >= 0 {
		p.within, p.prefixEnd = p.lister.cfg.Prefixes[i], p.lister.prefixEnds[i]
		p.prefix, p.hasKeys = p.within, &p.lister.prefixHasKeys[i]
	}
}

// EmptyPrefixes returns those of Config.Prefixes for which no LIST of a Pager has returned a key. When all Ranges are
// listed, no key begins with them. It may be called concurrently.
func (l *Lister) EmptyPrefixes() (empty []string) {
	for i := range l.prefixHasKeys {
		if !l.prefixHasKeys[i].Load() {
			empty = append(empty, l.cfg.Prefixes[i])
		}
	}
	return empty
}
