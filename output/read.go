package output

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/head"
	"headcount/scan/list"
)

// ReadError is the error of a text that is no output of headcount.
type ReadError struct {
	Object int // from 1
	Err    error
}

func (e *ReadError) Error() string { return fmt.Sprintf("object %d: %v", e.Object, e.Err) }
func (e *ReadError) Unwrap() error { return e.Err }

// readObjects reads texts of JSON, and hands each to add, whose error ends the reading. It keeps one text in memory, of
// at most so many bytes. Its own error is a *ReadError.
func readObjects[T any](r io.Reader, bytesMax int, read func(*json.Decoder) (T, error), add func(T) error) error {
	bounded := &boundedReader{r: r, max: bytesMax}
	lines := json.NewDecoder(bounded)
	for n := 1; ; n++ {
		bounded.left = bytesMax
		object, err := read(lines)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return &ReadError{Object: n, Err: err}
		}
		if err := add(object); err != nil {
			return err
		}
	}
}

// recordBytesMax bounds the text of one Record that is read: far more than the metadata that any store allows.
const recordBytesMax = 16 << 20

// boundedReader reads at most left bytes, and then fails.
type boundedReader struct {
	r         io.Reader
	left, max int
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("it has more than %d bytes", b.max)
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// recordBuilder makes Records of values. Of values that a LIST and a HEAD have, it makes listed ones. Its zero value is
// that of a Record without a value.
type recordBuilder struct {
	entry   list.Entry
	result  head.Result
	changed bool
	hasHead bool // a value is of the HEAD
	further scan.Further

	version *string // its ID; nil: unknown

	// Headers by which a value is known that may be in no Field of its own: those that a LIST says too, and those of
	// which other values are made.
	listed, derived []list.DetailHeader

	details list.Details
}

// reset forgets the values.
func (b *recordBuilder) reset() { *b = recordBuilder{entry: list.Entry{Size: -1}} }

// set sets the value of a Field that is no Map, as Field.AppendText writes it.
func (b *recordBuilder) set(f *field.Field, value string) error {
	switch f.Name {
	case field.Key:
		b.entry.Key = value
	case "etag":
		b.entry.ETag = value
	case "last_modified":
		b.entry.LastModified = value
	case "storage_class":
		b.entry.StorageClass = value
	case "size":
		size, err := strconv.ParseInt(value, 10, 64)
		b.entry.Size = size
		return err
	case field.VersionID:
		b.version = &value
	case field.IsLatest:
		b.details.VersionID, b.details.IsLatest = nullVersion, value == "true"
	case field.DeleteMarker:
		b.details.VersionID, b.details.DeleteMarker = nullVersion, value == "true"
	case field.Prefix:
		b.entry.CommonPrefix = value == "true"
	case "changed":
		b.changed, b.hasHead = value == "true", true
	case "object_owner":
		b.details.Owner = value
	case "checksum_algorithm":
		b.details.ChecksumAlgorithm = value
	case "encryption_status", "restore_expiry":
		b.hasHead = b.hasHead || !f.InLists()
		header, err := field.DerivedFrom(f.Name, value)
		b.derived = append(b.derived, header...)
		return err
	default:
		if f.InLists() {
			b.listed = append(b.listed, list.DetailHeader{Name: f.Header, Value: value})
			return nil
		}
		b.hasHead = true
		b.addHeader(f.Header, value)
	}
	return nil
}

// addText adds a text of a Map.
func (b *recordBuilder) addText(f *field.Field, name, value string) {
	b.setMap(f)
	text := head.Header{Name: []byte(name), Value: []byte(value)}
	switch f.Name {
	case field.Metadata:
		b.result.Metadata = append(b.result.Metadata, text)
	case "tags":
		b.further.Tags = append(b.further.Tags, text)
	case "annotations":
		b.further.Annotations = append(b.further.Annotations, text)
	case "headers", "checksums":
		b.addHeader(f.Header+name, value)
	}
}

func (b *recordBuilder) addHeader(name, value string) {
	b.result.Headers = append(b.result.Headers, head.Header{Name: []byte(name), Value: []byte(value)})
}

// setMap says that a Map is known, even if it has no text.
func (b *recordBuilder) setMap(f *field.Field) {
	switch {
	case f.Origin != field.FromRequest:
		b.hasHead = true
	case f.Name == "tags" && b.further.Tags == nil:
		b.further.Tags = scan.Map{}
	case f.Name == "annotations" && b.further.Annotations == nil:
		b.further.Annotations = scan.Map{}
	}
}

// nullVersion is the version of an object whose ID is unknown, in a listing of versions.
const nullVersion = "null"

// setVersion says which version the object is: by what a listing of versions says, or else by the header.
func (b *recordBuilder) setVersion() {
	switch {
	case b.version == nil:
	case b.details.VersionID != "":
		b.details.VersionID = *b.version
	default:
		b.listed = append(b.listed, list.DetailHeader{Name: "x-amz-version-id", Value: *b.version})
	}
}

// record returns the Record of the values. It is valid until reset.
func (b *recordBuilder) record() (scan.Record, error) {
	r, err := b.recordOfHead()
	if b.further.Tags != nil || b.further.Annotations != nil {
		r.SetFurther(&b.further)
	}
	return r, cmp.Or(err, sortTexts("tags", b.further.Tags), sortTexts("annotations", b.further.Annotations))
}

func (b *recordBuilder) recordOfHead() (scan.Record, error) {
	b.setVersion()
	b.entry.Details = &b.details
	if !b.hasHead {
		b.details.Headers = slices.Concat(b.listed, b.derived) // the first of a name counts
		return scan.NewRecord(&b.entry, nil, false), nil
	}
	b.result.Status = http.StatusOK
	if text := b.entry.LastModified; b.changed && text != "" { // then it is that of the HEAD
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return scan.Record{}, fmt.Errorf("last_modified: %w", err)
		}
		b.addHeader("last-modified", at.UTC().Format(http.TimeFormat))
	}
	if b.changed && b.entry.StorageClass != "" {
		b.addHeader("x-amz-storage-class", b.entry.StorageClass)
	}
	for _, h := range slices.Concat(b.listed, b.derived) {
		if b.result.Get(h.Name) == nil {
			b.addHeader(h.Name, h.Value)
		}
	}
	return scan.NewRecord(&b.entry, &b.result, b.changed), sortTexts(field.Metadata, b.result.Metadata)
}

// sortTexts sorts the texts of a Map. Its error says that a name comes twice.
func sortTexts(of string, texts []head.Header) error {
	slices.SortFunc(texts, func(a, b head.Header) int { return bytes.Compare(a.Name, b.Name) })
	for i := 1; i < len(texts); i++ {
		if bytes.Equal(texts[i-1].Name, texts[i].Name) {
			return fmt.Errorf("the %s %q come twice", of, texts[i].Name)
		}
	}
	return nil
}
