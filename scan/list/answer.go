package list

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
)

// answer is what a LIST returned, decoded, in the store's order and not yet checked against what was asked.
type answer struct {
	entries      []Entry // their strings are parts of one text
	truncated    bool
	nextToken    string // the continuation token, or V1's NextMarker
	keysDeclared bool   // the store declared encoding-type=url, and the keys were decoded

	metadata    []keyMetadata // the metadata of each entry; nil: they were not asked for, or not given
	metadataErr error         // why they were not given
}

// answer makes an answer of what was collected, unless that cannot be believed.
func (d *decoder) answer() (a *answer, err error) {
	a = &answer{nextToken: string(d.token)}
	switch string(bytes.TrimSpace(d.truncated)) {
	case "true":
		a.truncated = true
	case "false", "": // absent: the page that confirms the end will tell
	default:
		return nil, fmt.Errorf("IsTruncated is %.20q", d.truncated)
	}
	switch string(d.encoding) {
	case "url":
		a.keysDeclared = true
		if err := d.decodeKeys(); err != nil {
			return nil, err
		}
	case "":
	default:
		return nil, fmt.Errorf("the keys are encoded as %.20q", d.encoding)
	}
	if a.nextToken == "" {
		marker := d.marker
		if a.keysDeclared {
			// A marker that was not encoded as the keys are is of no use, and is not needed where there are keys.
			marker, _ = appendDecoded(nil, marker)
		}
		a.nextToken = string(marker)
	}
	text := string(d.text)
	if a.entries, err = d.entries(text); err != nil {
		return nil, err
	}
	a.metadata = d.listed(text, a.entries)
	return a, nil
}

// entries makes the Entries of the objects. Their strings are parts of text.
func (d *decoder) entries(text string) ([]Entry, error) {
	entries := make([]Entry, len(d.objects))
	for i := range d.objects {
		o := &d.objects[i]
		if o.key.from == o.key.to {
			return nil, errors.New("an object has no Key")
		}
		entries[i] = Entry{
			Key: o.key.of(text), ETag: o.etag.of(text), LastModified: o.modified.of(text), StorageClass: o.class.of(text),
			Size: o.size,
		}
	}
	return entries, nil
}

func (s span) of(text string) string { return text[s.from:s.to] }

// decodeKeys decodes the keys where they stand: decoded they are not longer.
func (d *decoder) decodeKeys() error {
	if bytes.IndexByte(d.text, '%') < 0 && bytes.IndexByte(d.text, '+') < 0 {
		return nil
	}
	for i := range d.objects {
		key := &d.objects[i].key
		decoded, err := appendDecoded(d.text[key.from:key.from], d.text[key.from:key.to])
		if err != nil {
			return err
		}
		key.to = key.from + int32(len(decoded))
	}
	return nil
}

// appendDecoded undoes encoding-type=url: %XX is a byte, and + is a blank as %20 is. A bad escape is an error, since a
// key that is skipped or guessed would be missing from the result. What it appends may overwrite what it has read.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (encoding-type)
func appendDecoded(dst, text []byte) ([]byte, error) {
	for i := 0; i < len(text); i++ {
		switch b := text[i]; b {
		case '+':
			dst = append(dst, ' ')
		case '%':
			if i+2 >= len(text) || hexDigit(text[i+1]) > 15 || hexDigit(text[i+2]) > 15 {
				return nil, fmt.Errorf("a bad escape in a key, at %.40q", text[i:])
			}
			dst = append(dst, hexDigit(text[i+1])<<4|hexDigit(text[i+2]))
			i += 2
		default:
			dst = append(dst, b)
		}
	}
	return dst, nil
}

// hexDigit is the value of a digit, and more than 15 for what is none.
func hexDigit(b byte) byte {
	switch {
	case b >= '0' && b <= '9':
		return b - '0'
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10
	}
	return 16
}

// sizeOf is the size that a text says; a store that leaves it out or writes nonsense has said nothing.
func sizeOf(text []byte) int64 {
	const digitsMax = 18 // as many as an int64 holds, whatever they are
	n := int64(0)
	for _, b := range text {
		n = n*10 + int64(b-'0')
		if b < '0' || b > '9' || len(text) > digitsMax {
			return unusualSize(text)
		}
	}
	if len(text) == 0 {
		return -1
	}
	return n
}

// unusualSize is sizeOf for what is not a few digits.
func unusualSize(text []byte) int64 {
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}
