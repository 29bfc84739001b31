package s3sim

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"strings"
	"time"
)

// Shape names the pattern of a bucket's keys.
type Shape string

// The shapes. They differ in their prefixes, at which a listing can be split.
const (
	Flat   Shape = "flat"   // obj-000000000123: no delimiter anywhere
	Deep   Shape = "deep"   // 003/001/000/002/004/obj-001: six levels of the same width
	Dated  Shape = "dated"  // 2024/03/01/17/event-000000000042.json: a folder per hour
	Hashed Shape = "hashed" // 3f9c… 32 hex digits: evenly spread, not consecutive
	Skewed Shape = "skewed" // nine tenths of the keys under logs/
	Nasty  Shape = "nasty"  // all bytes and names that clients handle wrongly; see nasty.go

	UUID    Shape = "uuid"    // 3f9c0a17-…: Hashed in the 36 characters of RFC 9562
	Long    Shape = "long"    // a prefix of 900 bytes and a counter
	Unicode Shape = "unicode" // folders in scripts of two to four bytes per character
)

// Shapes returns all shapes.
func Shapes() []Shape { return []Shape{Flat, Deep, Dated, Hashed, Skewed, Nasty, UUID, Long, Unicode} }

// keyBytesMax is the limit of a key's length in S3.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
const keyBytesMax = 1024

// counterWidth is the number of digits of a counter in a key. objectsMax fits in it.
const counterWidth = 12

func newKeyspace(o Options) *Keyspace {
	var shape keyShape
	switch o.Shape {
	case Deep:
		shape = newDeepKeys(o.Objects)
	case Dated:
		shape = newDatedKeys(o.Objects)
	case Hashed:
		shape = newHashedKeys(o.Objects)
	case UUID:
		shape = uuidKeys{newHashedKeys(o.Objects)}
	case Long:
		shape = newGroupedKeys([]keyGroup{{prefix: strings.Repeat("long/", longBytes/len("long/")), keys: o.Objects}})
	case Unicode:
		shape = newUnicodeKeys(o.Objects)
	case Skewed:
		shape = newSkewedKeys(o.Objects)
	case Nasty:
		shape = newNastyKeys(o.Objects, o.XMLSafe)
	default:
		shape = newGroupedKeys([]keyGroup{{prefix: "obj-", keys: o.Objects}})
	}
	return &Keyspace{objects: o.Objects, shape: shape}
}

// deepKeys are the digits of i in a base that gives every level of the tree about the same number of children.
type deepKeys struct{ base int64 }

const (
	deepLevels = 6
	// levelWidth digits hold a base of 1,000, and 1,000^6 is far above objectsMax.
	levelWidth = 3
	deepLeaf   = "obj-"
)

func newDeepKeys(objects int64) deepKeys {
	// Rounding up makes base^6 at least objects, so that six digits are enough. The additional 1 covers floating-point
	// errors.
	return deepKeys{base: int64(math.Ceil(math.Pow(float64(objects), 1.0/deepLevels))) + 1}
}

func (d deepKeys) append(dst []byte, i int64) []byte {
	var digits [deepLevels]int64
	for level := deepLevels - 1; level >= 0; level-- {
		digits[level] = i % d.base
		i /= d.base
	}
	for _, digit := range digits[:deepLevels-1] {
		dst = append(appendDigits(dst, digit, levelWidth), '/')
	}
	dst = append(dst, deepLeaf...)
	return appendDigits(dst, digits[deepLevels-1], levelWidth)
}

func (d deepKeys) parse(key []byte) (i int64, ok bool) {
	const leafAt = (deepLevels - 1) * (levelWidth + 1)
	if len(key) != leafAt+len(deepLeaf)+levelWidth {
		return 0, false
	}
	for level := range deepLevels {
		at := level * (levelWidth + 1)
		if level == deepLevels-1 {
			at += len(deepLeaf)
		}
		digit, ok := parseDigits(key[at : at+levelWidth])
		if !ok {
			return 0, false
		}
		i = i*d.base + digit
	}
	return i, true
}

// datedKeys are the same number of keys in the folder of every hour.
type datedKeys struct{ perHour int64 }

const (
	datedLayout = "2006/01/02/15/"
	datedLeaf   = "event-"
	datedSuffix = ".json"
	// datedHours spreads any number of keys over about three years.
	datedHours = 3 * 365 * 24
)

// datedFirst is the first hour: 2022-01-01T00:00:00Z.
const datedFirst = 1640995200

func newDatedKeys(objects int64) datedKeys {
	return datedKeys{perHour: objects/datedHours + 1}
}

func (d datedKeys) append(dst []byte, i int64) []byte {
	hour := time.Unix(datedFirst+i/d.perHour*3600, 0).UTC()
	dst = hour.AppendFormat(dst, datedLayout)
	dst = append(dst, datedLeaf...)
	dst = appendDigits(dst, i%d.perHour, counterWidth)
	return append(dst, datedSuffix...)
}

func (d datedKeys) parse(key []byte) (i int64, ok bool) {
	const digitsAt = len(datedLayout) + len(datedLeaf)
	if len(key) != digitsAt+counterWidth+len(datedSuffix) {
		return 0, false
	}
	year, ok1 := parseDigits(key[0:4])
	month, ok2 := parseDigits(key[5:7])
	day, ok3 := parseDigits(key[8:10])
	hour, ok4 := parseDigits(key[11:13])
	within, ok5 := parseDigits(key[digitsAt : digitsAt+counterWidth])
	at := time.Date(int(year), time.Month(month), int(day), int(hour), 0, 0, 0, time.UTC)
	return (at.Unix()-datedFirst)/3600*d.perHour + within, ok1 && ok2 && ok3 && ok4 && ok5
}

// hashedKeys are 32 hex digits that look random and increase with i. The first 64 bits are i steps plus a random part
// of a step, the last 64 bits are random.
type hashedKeys struct{ step uint64 }

func newHashedKeys(objects int64) hashedKeys {
	return hashedKeys{step: math.MaxUint64 / uint64(max(objects, 1))}
}

func (h hashedKeys) append(dst []byte, i int64) []byte {
	noise := mix(uint64(i), saltKey)
	dst = appendHex64(dst, uint64(i)*h.step+noise%h.step)
	return appendHex64(dst, mix(noise, saltKey))
}

func (h hashedKeys) parse(key []byte) (i int64, ok bool) {
	var high [8]byte
	if len(key) != 32 {
		return 0, false
	}
	if _, err := hex.Decode(high[:], key[:16]); err != nil {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(high[:]) / h.step), true
}

// uuidKeys are hashedKeys with hyphens.
type uuidKeys struct{ hashedKeys }

// uuidGroups are the lengths of a UUID's groups of digits.
// https://www.rfc-editor.org/rfc/rfc9562#section-4
var uuidGroups = [...]int{8, 4, 4, 4, 12}

func (u uuidKeys) append(dst []byte, i int64) []byte {
	var buf [32]byte
	digits := u.hashedKeys.append(buf[:0], i)
	for g, n := range uuidGroups {
		if g > 0 {
			dst = append(dst, '-')
		}
		dst = append(dst, digits[:n]...)
		digits = digits[n:]
	}
	return dst
}

func (u uuidKeys) parse(key []byte) (i int64, ok bool) {
	var buf [32]byte
	digits := buf[:0]
	for g, n := range uuidGroups {
		if g > 0 {
			n++
		}
		if len(key) < n || g > 0 && key[0] != '-' {
			return 0, false
		}
		digits = append(digits, key[min(g, 1):n]...)
		key = key[n:]
	}
	i, ok = u.hashedKeys.parse(digits)
	return i, ok && len(key) == 0
}

// longBytes is the length of a prefix that leaves little of keyBytesMax for the rest of the key.
const longBytes = 900

// newUnicodeKeys gives all folders the same number of keys.
func newUnicodeKeys(objects int64) keyShape {
	folders := []string{"año/", "Ωmega/", "архив/", "عربى/", "हिन्दी/", "日本語/", "한국어/", "😀/"}
	groups := make([]keyGroup, len(folders))
	for i, prefix := range folders {
		first, end := objects*int64(i)/int64(len(folders)), objects*int64(i+1)/int64(len(folders))
		groups[i] = keyGroup{prefix: prefix, keys: end - first}
	}
	return newGroupedKeys(groups)
}

// newSkewedKeys puts nine tenths of the keys under logs/, in the middle of the bucket. Splitting the bucket evenly by
// the alphabet does not balance it.
func newSkewedKeys(objects int64) keyShape {
	small := []string{"archive/", "backup/", "config/", "data/", "images/", "media/", "public/", "users/"}
	groups := make([]keyGroup, 0, len(small)+1)
	left := objects
	for _, prefix := range small {
		keys := objects / 10 / int64(len(small))
		groups = append(groups, keyGroup{prefix: prefix, keys: keys})
		left -= keys
	}
	return newGroupedKeys(append(groups, keyGroup{prefix: "logs/", keys: left}))
}
