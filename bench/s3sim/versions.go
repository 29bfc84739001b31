package s3sim

import "slices"

// Version is one version of a key, or a delete marker, which has no content: of its Object only LastModified has a
// meaning.
type Version struct {
	Object
	ID           string
	DeleteMarker bool
}

// keyVersions are all versions of one key. They follow from the key and its index, as everything does. The newest
// version has the number 0. In a bucket without Options.Versions a key has one version, the null version.
type keyVersions struct {
	hash  uint64 // of the key; 0 in a bucket without versions
	count int64
	null  int64 // number of the null version; -1: none
}

const (
	// One key in manyVersionsOneIn has as many versions as Options.Versions allows, or up to half as many. The first is
	// key number manyVersionsFirst, so that a bucket of ten keys has one.
	manyVersionsOneIn = 1000
	manyVersionsFirst = 7
	// fewVersionsMax is the greatest number of versions of half of the keys; the other half has one.
	fewVersionsMax = 9
)

// versionsOf returns the versions of the key with an index.
func (s *Server) versionsOf(index int64, key []byte) keyVersions {
	most := s.options.Versions
	if most == 0 {
		return keyVersions{count: 1}
	}
	v := keyVersions{hash: hashKey(key), count: 1, null: -1}
	switch at := int64(mix(v.hash, saltVersions) >> 1); {
	case index%manyVersionsOneIn == manyVersionsFirst:
		v.count = most - at%(most/2+1)
	case most > 1 && at%2 == 0:
		v.count = 2 + at/2%(min(most, fewVersionsMax)-1)
	}
	switch at := mix(v.hash, saltNullVersion); at % 16 {
	case 0, 1, 2, 3: // written before the bucket had versioning
		v.null = v.count - 1
	case 4: // written while versioning was suspended
		v.null = int64(at / 16 % uint64(v.count))
	}
	return v
}

// hashOf returns the hash from which the version with number n is computed. That of the newest is the key's, so that a
// listing without versions shows the same objects as that of a bucket without versions.
func (v *keyVersions) hashOf(n int64) uint64 {
	if n == 0 {
		return v.hash
	}
	return mix(v.hash+uint64(n), saltVersionContent)
}

// isMarker reports whether the version with number n is a delete marker.
func (v *keyVersions) isMarker(n int64) bool {
	oneIn := uint64(8)
	if v.count == 1 {
		oneIn = 50 // all versions behind the marker have expired
	}
	return v.hash != 0 && mix(v.hashOf(n), saltDeleteMarker)%oneIn == 0
}

// find returns the number of the version with an ID.
func (v *keyVersions) find(id []byte) (n int64, ok bool) {
	if string(id) == nullVersion {
		return v.null, v.null >= 0
	}
	if !isVersionID(id) {
		return 0, false
	}
	masked := uint64(0)
	for _, b := range slices.Backward(id[:versionNumberDigits]) {
		masked = masked<<6 | digitOf(b)
	}
	n = int64(masked ^ mix(v.hash, saltVersionID))
	if n < 0 || n >= v.count || n == v.null {
		return 0, false
	}
	return n, string(v.appendID(nil, n)) == string(id)
}

// versionPlace is the place of an Object among the versions of its key.
type versionPlace struct {
	of keyVersions
	n  int64
}

// modifiedSecond is that of the version. The versions of a key were written at equal intervals.
func (p *versionPlace) modifiedSecond() int64 {
	return modifiedSecond(p.of.hash) * (p.of.count - p.n) / p.of.count
}

// version returns the Object of the version with number n of key.
func (s *Server) version(key []byte, v keyVersions, n int64) Object {
	if s.options.Versions == 0 {
		return s.objectOf(hashKey(key))
	}
	o := s.objectOf(v.hashOf(n))
	o.place = &versionPlace{v, n}
	return o
}

// objectOf returns the Object with a hash, without a place among versions.
func (s *Server) objectOf(hash uint64) Object {
	o := &s.options
	return Object{hash: hash, nasty: o.Shape == Nasty, attributes: o.Attributes, allAttributes: o.AllAttributes}
}

// Versions returns the versions of a key, the newest first. It is empty for a key that does not exist.
func (s *Server) Versions(key []byte) []Version {
	index, ok := s.keys.Index(key)
	if !ok {
		return nil
	}
	v := s.versionsOf(index, key)
	versions := make([]Version, v.count)
	for n := range versions {
		id := string(v.appendID(nil, int64(n)))
		versions[n] = Version{s.version(key, v, int64(n)), id, v.isMarker(int64(n))}
	}
	return versions
}

const (
	// nullVersion is the ID of a version that was written while the bucket had no versioning, or a suspended one.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
	nullVersion = "null"
	// versionIDDigits is the length of other IDs, as on AWS. versionNumberDigits of them, of six bits each, hold 64 bits.
	versionIDDigits     = 32
	versionNumberDigits = 11
	versionDigits       = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz."
)

// appendID appends the ID of the version with number n. It begins with n, which only find can read, and ends with
// digits that tell IDs of this version from all others.
func (v *keyVersions) appendID(dst []byte, n int64) []byte {
	if n == v.null {
		return append(dst, nullVersion...)
	}
	digits := func(h uint64, count int) {
		for range count {
			dst = append(dst, versionDigits[h&63])
			h >>= 6
		}
	}
	digits(uint64(n)^mix(v.hash, saltVersionID), versionNumberDigits)
	digits(mix(v.hashOf(n), saltVersionID), versionNumberDigits-1)
	digits(mix(v.hashOf(n), saltVersionIDEnd), versionIDDigits-2*versionNumberDigits+1)
	return dst
}

// isVersionID reports whether text has the form of an ID. S3 answers 404 for an ID that it does not have, and 400 for
// other text.
func isVersionID(text []byte) bool {
	return len(text) == versionIDDigits &&
		!slices.ContainsFunc(text, func(b byte) bool { return digitOf(b) >= uint64(len(versionDigits)) })
}

// digitOf returns the value of a digit of an ID, and 64 for other bytes.
func digitOf(b byte) uint64 {
	switch {
	case b >= '0' && b <= '9':
		return uint64(b - '0')
	case b >= 'A' && b <= 'Z':
		return uint64(b-'A') + 10
	case b == '_':
		return 36
	case b >= 'a' && b <= 'z':
		return uint64(b-'a') + 37
	case b == '.':
		return 63
	}
	return 64
}
