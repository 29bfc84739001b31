package scan

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
)

// Record is what is known of one object: what the LIST said, and what the HEAD said if one was sent. The HEAD is the
// newer answer, so where both say something, the accessors return the HEAD's; LastModified explains its exception.
//
// Every accessor reports apart whether the store said a value at all. The accessors that append copy into the caller's
// buffer and allocate nothing else. The slices that Header and Metadata return, and the Record itself, are valid only
// during Chunk.Add: Clone makes a Record that stays. One goroutine uses a Record at a time.
type Record struct {
	entry   *list.Entry
	head    *head.Result // nil: no HEAD was sent
	changed bool
	further *Further // nil: no further request was asked for
}

// Further is what the further requests for an object have returned. A nil Map was not asked for.
type Further struct {
	Tags        Map
	Annotations Map // their sizes, by their names
}

// NewRecord returns the Record of an object that was listed as entry. result is the answer to its HEAD, status 200, or
// nil. A Source without a bucket, such as the output of an earlier scan, fills in the headers that the HEAD would have
// had.
func NewRecord(entry *list.Entry, result *head.Result, changed bool) Record {
	return Record{entry: entry, head: result, changed: changed}
}

// SetFurther sets what the further requests for the object have returned. The Record keeps f.
func (r *Record) SetFurther(f *Further) { r.further = f }

// Key returns the key: any bytes, not always UTF-8.
func (r *Record) Key() string { return r.entry.Key }

// CommonPrefix reports whether the Record is not of an object, but of all that begin with its Key (Config.Delimiter).
func (r *Record) CommonPrefix() bool { return r.entry.CommonPrefix }

// Changed reports whether the object was overwritten between LIST and HEAD: the two disagree about its ETag or length,
// on a new connection too, and the HEAD has the later Last-Modified. The Record then is what the HEAD said.
func (r *Record) Changed() bool { return r.changed }

// Details returns what the source of the key says of the object beyond what every LIST says; nil: nothing.
func (r *Record) Details() *list.Details { return r.entry.Details }

// Header returns the value of a header of the HEAD's answer, nil if the store did not send it. Without a HEAD, that is
// the value that the source of the key says (list.Details.Headers). The name is in lower case.
func (r *Record) Header(name string) []byte {
	if r.head == nil {
		if value, said := r.entry.Details.Get(name); said {
			return []byte(value)
		}
		return nil
	}
	return r.head.Get(name)
}

// Headers returns the headers of the HEAD's answer that are no custom metadata, in any order; nil without a HEAD.
func (r *Record) Headers() []head.Header {
	if r.head == nil {
		return nil
	}
	return r.head.Headers
}

// HeaderInt returns the value of a header that is a whole number. Another value counts as not said.
func (r *Record) HeaderInt(name string) (n int64, said bool) {
	value := r.Header(name)
	if value == nil { // an error of strconv allocates
		return 0, false
	}
	n, err := strconv.ParseInt(string(value), 10, 64)
	return n, err == nil
}

// HeaderBool returns the value of a header that is true or false. Another value counts as not said.
func (r *Record) HeaderBool(name string) (value, said bool) {
	text := r.Header(name)
	if text == nil {
		return false, false
	}
	value, err := strconv.ParseBool(string(text))
	return value, err == nil
}

// Metadata returns the custom metadata. said is false where no HEAD was sent: the object may have metadata.
func (r *Record) Metadata() (metadata Map, said bool) {
	if r.head == nil {
		return nil, false
	}
	return r.head.Metadata, true
}

// Tags returns the tags of the object. said is false where they were not asked for.
func (r *Record) Tags() (tags Map, said bool) {
	if r.further == nil {
		return nil, false
	}
	return r.further.Tags, r.further.Tags != nil
}

// Annotations returns the sizes of the annotations in bytes, as texts, by their names. said is false where they were
// not asked for.
func (r *Record) Annotations() (sizes Map, said bool) {
	if r.further == nil {
		return nil, false
	}
	return r.further.Annotations, r.further.Annotations != nil
}

// MissingMetadata returns how many custom metadata the object has that the store cannot send in a header.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (MissingMeta)
func (r *Record) MissingMetadata() (count int64, said bool) { return r.HeaderInt("x-amz-missing-meta") }

// Size returns the object's length in bytes.
func (r *Record) Size() (bytes int64, said bool) {
	if size, said := r.HeaderInt("content-length"); said && size >= 0 {
		return size, true
	}
	return r.entry.Size, r.entry.Size >= 0
}

// AppendETag appends the entity tag without its quotes.
func (r *Record) AppendETag(dst []byte) (text []byte, said bool) {
	if r.head != nil && r.head.Equal&head.ETag == 0 { // otherwise the HEAD may have the listed one with a mark
		if tag := r.head.ETag(); len(tag) > 0 {
			return append(dst, tag...), true
		}
	}
	return append(dst, r.entry.ETag...), r.entry.ETag != ""
}

// AppendStorageClass appends the storage class. HEADs leave out STANDARD, which some LISTs say. What was listed is not
// the class of an object that changed since.
func (r *Record) AppendStorageClass(dst []byte) (text []byte, said bool) {
	class := r.Header("x-amz-storage-class")
	if len(class) > 0 || r.changed {
		return append(dst, class...), len(class) > 0
	}
	return append(dst, r.entry.StorageClass...), r.entry.StorageClass != ""
}

// AppendLastModified appends when the object was written, in RFC 3339. If the object did not change since, that is the
// text of the LIST exactly: a LIST says milliseconds, and a HEAD seconds. A malformed date of the HEAD counts as not
// said.
func (r *Record) AppendLastModified(dst []byte) (text []byte, said bool) {
	if r.hasListedTime() {
		return append(dst, r.entry.LastModified...), true
	}
	at, said := r.headLastModified()
	if !said {
		return dst, false
	}
	return at.AppendFormat(dst, time.RFC3339), true
}

// LastModified returns the same as a time, in UTC. A malformed date of the LIST counts as not said.
func (r *Record) LastModified() (at time.Time, said bool) {
	if r.hasListedTime() {
		at, err := time.Parse(time.RFC3339, r.entry.LastModified)
		return at.UTC(), err == nil
	}
	return r.headLastModified()
}

func (r *Record) hasListedTime() bool { return r.entry.LastModified != "" && !r.changed }

func (r *Record) headLastModified() (at time.Time, said bool) {
	value := r.Header("last-modified")
	if value == nil {
		return time.Time{}, false
	}
	at, err := http.ParseTime(string(value))
	return at.UTC(), err == nil
}

// Clone returns a copy that shares no memory with r: neither with the page that lists the object, nor with the buffers
// of the connection.
func (r *Record) Clone() *Record {
	entry := *r.entry
	for _, text := range []*string{&entry.Key, &entry.Encoded, &entry.ETag, &entry.LastModified, &entry.StorageClass} {
		*text = strings.Clone(*text) // parts of the page's text
	}
	entry.Details = entry.Details.Clone()
	clone := &Record{entry: &entry, changed: r.changed}
	if f := r.further; f != nil {
		clone.further = &Further{Tags: cloneFields(f.Tags), Annotations: cloneFields(f.Annotations)}
	}
	if r.head != nil {
		clone.head = &head.Result{
			Status: r.head.Status, Equal: r.head.Equal,
			Metadata: cloneFields(r.head.Metadata), Headers: cloneFields(r.head.Headers),
		}
	}
	return clone
}

func cloneFields(fields []head.Header) []head.Header {
	clone := slices.Clone(fields)
	for i := range clone {
		clone[i] = head.Header{Name: slices.Clone(clone[i].Name), Value: slices.Clone(clone[i].Value)}
	}
	return clone
}

// Map is texts by name: custom metadata, or tags. It is sorted by name, and no name comes twice. Names and values are
// any bytes.
type Map []head.Header

// Get returns the value of a name, nil if the Map does not have the name.
func (m Map) Get(name string) []byte {
	for i := range m {
		if string(m[i].Name) == name {
			return m[i].Value
		}
	}
	return nil
}
