package s3sim

import "encoding/binary"

// hashKey is the 64-bit FNV-1a hash: five lines in any language, so that a checker need not be written in Go. LIST and
// HEAD compute every property of an object from this hash of its key, and so agree without storing anything.
// http://www.isthe.com/chongo/tech/comp/fnv/
func hashKey(key []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range key {
		h ^= uint64(b)
		h *= 1099511628211
	}
	return h
}

// salt makes the values that are drawn from one hash independent of each other.
type salt uint64

const (
	saltETagHigh salt = iota + 1
	saltETagLow
	saltSize
	saltModified
	saltType
	saltWithoutMetadata
	saltOwner
	saltProject
	saltProjectName
	saltExtra
	saltStorageClass
	saltVersion
	saltMissing
	saltHeadState
	saltRewritten
	saltFault
	saltKey
	saltRequestID
	saltCacheControl
	saltRestore
	saltEncryption
	saltKMSKey
	saltReplication
	saltLock
	saltLockEnd
	saltTags
	saltExpiration
	saltClientKey
	saltChecksum
	saltChecksumValue
	saltTiering
	saltTier
	saltObjectOwner
	saltParts
	saltLegalHold
	saltEventHold
	saltContentHeader
	saltKMSKind
	saltCustomerKey
	saltTagEnv
	saltTagTeam
	saltTagCost
	saltAnnotations
	saltAnnotationCount
	saltAnnotation
	saltVersions
	saltNullVersion
	saltVersionContent
	saltDeleteMarker
	saltVersionID
	saltVersionIDEnd
)

// mix is the finaliser of SplitMix64 (https://prng.di.unimi.it/splitmix64.c). It is a bijection of h for each salt:
// distinct hashes stay distinct.
func mix(h uint64, s salt) uint64 {
	h += uint64(s) * 0x9e3779b97f4a7c15
	h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
	h = (h ^ h>>27) * 0x94d049bb133111eb
	return h ^ h>>31
}

// unitInterval maps a hash to [0, 1). A float64 holds 53 bits exactly.
func unitInterval(h uint64) float64 { return float64(h>>11) / (1 << 53) }

// appendHex64 appends h as sixteen lower-case hex digits.
func appendHex64(dst []byte, h uint64) []byte {
	dst = binary.BigEndian.AppendUint64(dst, hexOf(uint32(h>>32)))
	return binary.BigEndian.AppendUint64(dst, hexOf(uint32(h)))
}

// hexOf returns eight hex digits at once, because a response has up to 64 of them. It spreads the nibbles over the
// bytes of a word, and adds the distance from '9'+1 to 'a' to every byte above 9.
func hexOf(h uint32) uint64 {
	x := uint64(h)
	x = (x<<16 | x) & 0x0000ffff0000ffff
	x = (x<<8 | x) & 0x00ff00ff00ff00ff
	x = (x<<4 | x) & 0x0f0f0f0f0f0f0f0f
	letters := (x + 0x0606060606060606) >> 4 & 0x0101010101010101
	return x + 0x3030303030303030 + letters*('a'-'9'-1)
}

// appendDigits appends n in exactly width decimal digits, at most 18. It writes the digits in place: with digits
// collected elsewhere and copied at once, the processor would wait for each of them.
func appendDigits(dst []byte, n int64, width int) []byte {
	dst = append(dst, "000000000000000000"[:width]...)
	text := dst[len(dst)-width:]
	for i, rest := width-1, uint64(n); rest > 0 && i >= 0; i-- {
		text[i] = byte('0' + rest%10)
		rest /= 10
	}
	return dst
}

// parseDigits parses text that consists of 1 to 18 decimal digits, which fit an int64.
func parseDigits(text []byte) (n int64, ok bool) {
	if len(text) == 0 || len(text) > 18 {
		return 0, false
	}
	for _, b := range text {
		if b < '0' || b > '9' {
			return 0, false
		}
		n = n*10 + int64(b-'0')
	}
	return n, true
}
