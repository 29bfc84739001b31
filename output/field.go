package output

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"headcount/scan"
)

// Field is one member of a line.
type Field struct {
	Name string

	// add appends the member, and a comma, to a line. What the store did not say it leaves out.
	add func(line []byte, r *scan.Record) []byte
}

// Fields are all that a line can have, in the order of --fields all. The HEAD is believed before the LIST: it is the
// newer one, and what --fields says of an object should be of one moment.
func Fields() []Field {
	return []Field{
		{"key", addKey},
		{"metadata", addMetadata},
		{"size", addSize},
		{"etag", addETag},
		{"last_modified", addLastModified},
		{"storage_class", addStorageClass},
		text("version_id", "x-amz-version-id"),
		text("content_type", "content-type"),
		text("content_encoding", "content-encoding"),
		text("content_language", "content-language"),
		text("content_disposition", "content-disposition"),
		text("cache_control", "cache-control"),
		text("expires", "expires"),
		text("website_redirect_location", "x-amz-website-redirect-location"),
		text("server_side_encryption", "x-amz-server-side-encryption"),
		text("sse_kms_key_id", "x-amz-server-side-encryption-aws-kms-key-id"),
		text("sse_customer_algorithm", "x-amz-server-side-encryption-customer-algorithm"),
		flag("bucket_key_enabled", "x-amz-server-side-encryption-bucket-key-enabled"),
		text("replication_status", "x-amz-replication-status"),
		text("object_lock_mode", "x-amz-object-lock-mode"),
		text("object_lock_retain_until", "x-amz-object-lock-retain-until-date"),
		text("object_lock_legal_hold", "x-amz-object-lock-legal-hold"),
		text("expiration", "x-amz-expiration"),
		text("restore", "x-amz-restore"),
		text("archive_status", "x-amz-archive-status"),
		number("parts_count", "x-amz-mp-parts-count"),
		number("tag_count", "x-amz-tagging-count"),
	}
}

// ParseFields reads the value of --fields: names separated by commas, or all. The error names what there is.
func ParseFields(value string) ([]Field, error) {
	all := Fields()
	if value == "all" {
		return all, nil
	}
	var chosen []Field
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		i := slices.IndexFunc(all, func(f Field) bool { return f.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no field %q; there are: all, %s", name, names(all))
		}
		if slices.ContainsFunc(chosen, func(f Field) bool { return f.Name == name }) {
			return nil, fmt.Errorf("the field %q is named twice", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

func names(fields []Field) string {
	var list []string
	for _, f := range fields {
		list = append(list, f.Name)
	}
	return strings.Join(list, ", ")
}

// NeedHead are the names of those fields that no listing gives, be it one with metadata: for them a HEAD is needed.
func NeedHead(fields []Field) []string {
	var names []string
	for _, f := range fields {
		switch f.Name {
		case "key", "metadata", "size", "etag", "last_modified", "storage_class":
		default:
			names = append(names, f.Name)
		}
	}
	return names
}

func addKey(line []byte, r *scan.Record) []byte { return appendText(line, "key", r.Entry.Key) }

// addMetadata appends the names sorted, as head.Result has them, and the values as they were received. Values that are
// not UTF-8 are in a second object, metadata_b64.
func addMetadata(line []byte, r *scan.Record) []byte {
	line = append(line, `"metadata":{`...)
	invalid := 0
	for _, m := range r.Head.Metadata {
		before := len(line)
		line = append(appendString(line, m.Name), ':')
		var verbatim bool
		if line, verbatim = appendVerbatim(line, m.Value); !verbatim {
			if !utf8.Valid(m.Value) {
				line = line[:before]
				invalid++
				continue
			}
			line = appendEscaped(line, m.Value)
		}
		line = append(line, ',')
	}
	line = append(closed(line, '}'), ',')
	if invalid == 0 {
		return line
	}
	line = append(line, `"metadata_b64":{`...)
	for _, m := range r.Head.Metadata {
		if !utf8.Valid(m.Value) {
			line = append(appendString(line, m.Name), ':')
			line = append(appendBase64(line, m.Value), ',')
		}
	}
	return append(closed(line, '}'), ',')
}

func addSize(line []byte, r *scan.Record) []byte {
	size, err := strconv.ParseInt(string(r.Head.Get("content-length")), 10, 64)
	if err != nil || size < 0 {
		size = r.Entry.Size
	}
	if size < 0 {
		return line
	}
	return append(strconv.AppendInt(append(line, `"size":`...), size, 10), ',')
}

func addETag(line []byte, r *scan.Record) []byte {
	if tag := r.Head.ETag(); len(tag) > 0 {
		return appendText(line, "etag", tag)
	}
	return appendOptional(line, "etag", r.Entry.ETag)
}

// addLastModified appends RFC 3339 in UTC. A LIST has it to the millisecond and a HEAD to the second, so where the
// object did not change the LIST is the better one.
func addLastModified(line []byte, r *scan.Record) []byte {
	listed := r.Entry.LastModified
	if listed != "" && !r.Changed {
		return appendText(line, "last_modified", listed)
	}
	at, err := http.ParseTime(string(r.Head.Get("last-modified")))
	if err != nil {
		return line // malformed is not worth failing an object for
	}
	line = append(line, `"last_modified":"`...)
	return append(at.UTC().AppendFormat(line, time.RFC3339), '"', ',')
}

// addStorageClass prefers the HEAD, which leaves STANDARD out.
func addStorageClass(line []byte, r *scan.Record) []byte {
	if class := r.Head.Get("x-amz-storage-class"); len(class) > 0 {
		return appendText(line, "storage_class", class)
	}
	return appendOptional(line, "storage_class", r.Entry.StorageClass)
}

// text is a Field that is a header as it is.
func text(name, header string) Field {
	return Field{name, func(line []byte, r *scan.Record) []byte {
		if value := r.Head.Get(header); value != nil {
			return appendText(line, name, value)
		}
		return line
	}}
}

// number is a Field whose header is a whole number; what is none is left out.
func number(name, header string) Field {
	return Field{name, func(line []byte, r *scan.Record) []byte {
		n, err := strconv.ParseInt(string(r.Head.Get(header)), 10, 64)
		if err != nil {
			return line
		}
		return append(strconv.AppendInt(appendName(line, name), n, 10), ',')
	}}
}

// flag is a Field whose header is true or false; what is neither is left out.
func flag(name, header string) Field {
	return Field{name, func(line []byte, r *scan.Record) []byte {
		b, err := strconv.ParseBool(string(r.Head.Get(header)))
		if err != nil {
			return line
		}
		return append(strconv.AppendBool(appendName(line, name), b), ',')
	}}
}

func appendName(line []byte, name string) []byte {
	return append(append(append(line, '"'), name...), '"', ':')
}

func appendOptional(line []byte, name, value string) []byte {
	if value == "" {
		return line
	}
	return appendText(line, name, value)
}

// appendText appends a member that is a string; what is not UTF-8 is base64 under the name with _b64, so that two keys
// never become one.
func appendText[T string | []byte](line []byte, name string, value T) []byte {
	before := len(line)
	line, verbatim := appendVerbatim(appendName(line, name), value)
	switch {
	case verbatim:
	case valid(value):
		line = appendEscaped(line, value)
	default:
		line = append(append(append(line[:before], '"'), name...), `_b64":`...)
		line = appendBase64(line, []byte(value))
	}
	return append(line, ',')
}

// valid is utf8.Valid for both kinds of text.
func valid[T string | []byte](text T) bool {
	switch text := any(text).(type) {
	case string:
		return utf8.ValidString(text)
	case []byte:
		return utf8.Valid(text)
	}
	return false
}

func appendBase64(line, value []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(line, '"'), value), '"')
}

// closed ends an object: the comma after its last member becomes the bracket.
func closed(line []byte, bracket byte) []byte {
	if last := len(line) - 1; line[last] == ',' {
		line[last] = bracket
		return line
	}
	return append(line, bracket)
}
