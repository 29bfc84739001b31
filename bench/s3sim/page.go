package s3sim

import "bytes"

// page is one page of a listing: the query and the result. It is reused for all LISTs of a connection.
type page struct {
	query     listQuery
	entries   []entry
	truncated bool
	token     []byte // V2: the next continuation token; V1: the next marker
}

// entry is one entry of a page: a key, or a common prefix, which is the start of a key.
type entry struct {
	index     int64 // number of the key
	prefixEnd int   // length of the common prefix; 0 for a key
	version   int64 // number of the version, from the newest: 0
}

// name computes the entry's key or common prefix.
func (e entry) name(keys *Keyspace, scratch []byte) []byte {
	name := keys.Append(scratch[:0], e.index)
	if e.prefixEnd > 0 {
		name = name[:e.prefixEnd]
	}
	return name
}

// fill sets the entries of the page. Keys and common prefixes share one order, and only entries above the start point
// are listed. A common prefix that was the last entry of a page therefore does not come again on the next page.
//
// Keys for which deleted reports true are not listed; nil: all are.
func (p *page) fill(keys *Keyspace, deleted func(int64) bool, scratch []byte) {
	q := &p.query
	p.entries = p.entries[:0]
	i, end := q.firstKey(keys, scratch), keys.rankAfterPrefix(q.prefix, scratch)
	for i < end && len(p.entries) < q.maxKeys {
		if deleted != nil && deleted(i) {
			i++
			continue
		}
		e := entry{index: i}
		if i++; len(q.delimiter) > 0 {
			key := keys.Append(scratch[:0], e.index)
			if e.prefixEnd = q.commonPrefix(key); e.prefixEnd > 0 {
				i = keys.rankAfterPrefix(key[:e.prefixEnd], scratch)
			}
		}
		p.entries = append(p.entries, e)
	}
	// In S3 a page with max-keys=0 is complete: a truncated page without entries could not name the next.
	for deleted != nil && i < end && deleted(i) {
		i++
	}
	p.truncated = i < end && q.maxKeys > 0
}

// firstKey returns the index of the first key that the page may contain.
func (q *listQuery) firstKey(keys *Keyspace, scratch []byte) int64 {
	i := keys.rank(q.prefix, scratch)
	if len(q.start.last) == 0 {
		return i
	}
	if q.inclusive {
		return max(i, keys.rank(q.start.last, scratch))
	}
	i = max(i, keys.rankAfter(q.start.last, scratch))
	if bytes.HasPrefix(q.start.last, q.prefix) {
		if end := q.commonPrefix(q.start.last); end > 0 {
			i = max(i, keys.rankAfterPrefix(q.start.last[:end], scratch))
		}
	}
	return i
}

// commonPrefix returns the length of the common prefix of key, or 0. The common prefix ends with the first delimiter
// after the query's prefix.
func (q *listQuery) commonPrefix(key []byte) int {
	if len(q.delimiter) == 0 {
		return 0
	}
	at := bytes.Index(key[len(q.prefix):], q.delimiter)
	if at < 0 {
		return 0
	}
	return len(q.prefix) + at + len(q.delimiter)
}
