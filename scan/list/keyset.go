package list

import "hash/maphash"

// KeySet is a set of keys, which it keeps as hashes: up to 40 bytes for each key. The hashes have 128 bits, so that two
// of a billion keys have the same one in less than one of 10^20 sets. It is not for concurrent use. Make it with
// NewKeySet.
type KeySet struct {
	seeds  [2]maphash.Seed
	hashes map[[2]uint64]struct{}
}

// NewKeySet returns an empty KeySet.
func NewKeySet() *KeySet {
	return &KeySet{[2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, map[[2]uint64]struct{}{}}
}

func (s *KeySet) hash(key string) [2]uint64 {
	return [2]uint64{maphash.String(s.seeds[0], key), maphash.String(s.seeds[1], key)}
}

// Add adds a key, and reports whether the set did not have it.
func (s *KeySet) Add(key string) (added bool) {
	before := len(s.hashes)
	s.hashes[s.hash(key)] = struct{}{}
	return len(s.hashes) > before
}

// Remove removes a key, and reports whether the set had it.
func (s *KeySet) Remove(key string) (removed bool) {
	before := len(s.hashes)
	delete(s.hashes, s.hash(key))
	return len(s.hashes) < before
}

// Len returns the number of keys.
func (s *KeySet) Len() int { return len(s.hashes) }

// keyLog is a list of keys, which it keeps as the hashes of a KeySet. It costs a tenth of a KeySet's time. Make it with
// newKeyLog.
type keyLog struct {
	set   *KeySet // empty
	parts [][][2]uint64
}

// keyLogPart is the number of hashes in one part of a keyLog: those of a page. A single slice would be copied as it
// grows, and leave several times its memory to the garbage collector.
const keyLogPart = pageKeysMax

func newKeyLog() *keyLog { return &keyLog{set: NewKeySet()} }

func (l *keyLog) add(key string) {
	last := len(l.parts) - 1
	if last < 0 || len(l.parts[last]) == keyLogPart {
		l.parts = append(l.parts, make([][2]uint64, 0, keyLogPart))
		last++
	}
	l.parts[last] = append(l.parts[last], l.set.hash(key))
}

// keySet returns the set of the keys. The log must not be used any more.
func (l *keyLog) keySet() *KeySet {
	for _, part := range l.parts {
		for _, hash := range part {
			l.set.hashes[hash] = struct{}{}
		}
	}
	return l.set
}
