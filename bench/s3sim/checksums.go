package s3sim

import (
	"encoding/base64"
	"encoding/binary"
	"strings"
)

// checksum is the checksum that a client gave with an object. Its algorithm is "" where the client gave none.
type checksum struct {
	algorithm string
	bytes     int
	composite bool // computed from the checksums of the parts
}

// checksum returns the checksum of an object. Without Options.Attributes all have that which the SDKs of 2025 and later
// give.
func (o Object) checksum() checksum {
	usual := checksum{"CRC64NVME", 8, false}
	if !o.attributes {
		return usual
	}
	parts := o.parts()
	switch at := mix(o.hash, saltChecksum) % 100; {
	case at < 50:
		return usual
	case at < 60:
		return checksum{}
	case at < 70:
		return checksum{"CRC32", 4, parts > 0}
	case at < 80:
		return checksum{"SHA256", 32, parts > 0}
	default:
		return [...]checksum{
			{"CRC32C", 4, false}, {"MD5", 16, parts > 0}, {"SHA1", 20, parts > 0}, {"SHA512", 64, parts > 0},
			{"XXHASH3", 8, parts > 0}, {"XXHASH64", 8, parts > 0}, {"XXHASH128", 16, parts > 0},
		}[at%7]
	}
}

// kind returns the x-amz-checksum-type.
func (c checksum) kind() string {
	if c.composite {
		return "COMPOSITE"
	}
	return "FULL_OBJECT"
}

// Checksums returns the headers about the checksum that a HEAD has on demand. It is empty for an object without one.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
func (o Object) Checksums() []Header {
	c := o.checksum()
	if c.algorithm == "" {
		return nil
	}
	var bytes []byte
	for len(bytes) < c.bytes {
		bytes = binary.BigEndian.AppendUint64(bytes, mix(o.hash+uint64(len(bytes)), saltChecksumValue))
	}
	value := base64.StdEncoding.EncodeToString(bytes[:c.bytes])
	if c.composite {
		value += string(o.appendPartCount(nil))
	}
	return []Header{
		{"x-amz-checksum-" + strings.ToLower(c.algorithm), value},
		{"x-amz-checksum-type", c.kind()},
	}
}

func (c checksum) appendXML(dst []byte) []byte {
	if c.algorithm == "" {
		return dst
	}
	dst = append(append(dst, "<ChecksumAlgorithm>"...), c.algorithm...)
	dst = append(append(dst, "</ChecksumAlgorithm><ChecksumType>"...), c.kind()...)
	return append(dst, "</ChecksumType>"...)
}
