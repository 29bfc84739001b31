package s3sim

import (
	"bytes"
	"sort"
)

// Keyspace is the bucket's keys in bytewise order, computed and not stored. It is immutable and may be used
// concurrently.
type Keyspace struct {
	objects int64
	shape   keyShape
}

// keyShape computes the keys of one Shape. append is strictly increasing in i under bytewise comparison. parse returns
// the only i whose key can be key, or false. It may return an i for a key that does not exist; the caller verifies it.
type keyShape interface {
	append(dst []byte, i int64) []byte
	parse(key []byte) (i int64, ok bool)
}

// Len returns the number of keys.
func (k *Keyspace) Len() int64 { return k.objects }

// Append appends the i-th key in bytewise order to dst, 0 ≤ i < Len.
func (k *Keyspace) Append(dst []byte, i int64) []byte { return k.shape.append(dst, i) }

// Key returns the i-th key as a slice of its own, 0 ≤ i < Len.
func (k *Keyspace) Key(i int64) []byte { return k.Append(nil, i) }

// Index returns the index of a key. It returns false for a key that does not exist.
func (k *Keyspace) Index(key []byte) (i int64, ok bool) {
	return k.index(key, make([]byte, 0, keyBytesMax))
}

// Rank returns the number of keys below key, which need not exist.
func (k *Keyspace) Rank(key []byte) int64 {
	return k.rank(key, make([]byte, 0, keyBytesMax))
}

// index is Index with a buffer of the caller, so that a HEAD allocates nothing.
func (k *Keyspace) index(key, scratch []byte) (i int64, ok bool) {
	i, ok = k.shape.parse(key)
	if !ok || i < 0 || i >= k.objects {
		return 0, false
	}
	return i, bytes.Equal(k.shape.append(scratch[:0], i), key)
}

// rank is Rank with a buffer of the caller. It is a binary search that computes every probed key: thirty probes among a
// billion keys.
func (k *Keyspace) rank(key, scratch []byte) int64 {
	below := sort.Search(int(k.objects), func(i int) bool {
		return bytes.Compare(k.shape.append(scratch[:0], int64(i)), key) >= 0
	})
	return int64(below)
}

// rankAfter returns the number of keys up to and including key.
func (k *Keyspace) rankAfter(key, scratch []byte) int64 {
	n := k.rank(key, scratch)
	if _, exists := k.index(key, scratch); exists {
		n++
	}
	return n
}

// rankAfterPrefix returns the number of keys that are below prefix or begin with it: the index of the first key after
// them.
func (k *Keyspace) rankAfterPrefix(prefix, scratch []byte) int64 {
	next := append(make([]byte, 0, keyBytesMax), prefix...)
	for len(next) > 0 {
		last := len(next) - 1
		if next[last] < 0xff {
			next[last]++
			return k.rank(next, scratch)
		}
		next = next[:last] // \xff has no successor: increment the byte before it
	}
	return k.objects
}
