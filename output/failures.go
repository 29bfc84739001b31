package output

import (
	"encoding/json"
	"io"
	"strconv"
	"unicode/utf8"

	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/list"
	"headcount/scan/list/keylist"
)

// FailureLines is a scan.FailureSink that writes each failed object as a line: a JSON object. Its members are key,
// listed_key (the key before it was decoded, where that changed it), version_id (in a scan of versions), etag, size and
// last_modified (as listed), status (absent without an answer), class, attempts, request_id, and error.
type FailureLines struct {
	to   Destination
	page []byte // the lines of the page that is written
}

// NewFailureLines returns a sink that writes the failures of each page with one Write.
func NewFailureLines(to Destination) *FailureLines { return &FailureLines{to: to} }

// Add writes the lines of one page.
func (f *FailureLines) Add(page []*scan.ObjectError) error {
	f.page = f.page[:0]
	for _, e := range page {
		f.page = appendFailure(f.page, e)
	}
	_, err := f.to.Write(f.page)
	return err
}

func appendFailure(line []byte, e *scan.ObjectError) []byte {
	line = appendText(append(line, '{'), "key", e.Entry.Key)
	line = appendOptional(line, "listed_key", e.Entry.Encoded)
	line = appendOptional(line, "version_id", e.Entry.VersionID())
	line = appendOptional(line, "etag", e.Entry.ETag)
	if e.Entry.Size >= 0 {
		line = appendInt(line, "size", e.Entry.Size)
	}
	line = appendOptional(line, "last_modified", e.Entry.LastModified)
	if e.Status != 0 {
		line = appendInt(line, "status", int64(e.Status))
	}
	line = appendText(line, "class", string(e.Class))
	line = appendInt(line, "attempts", int64(e.Attempts))
	line = appendOptional(line, "request_id", e.RequestID)
	if e.Err != nil {
		line = appendText(line, "error", e.Err.Error())
	}
	return append(closeObject(line), '\n')
}

// Sync returns the Position behind all lines, when they are on disk.
func (f *FailureLines) Sync() (checkpoint.Position, error) { return f.to.Sync() }

// Close closes the Destination.
func (f *FailureLines) Close() error { return f.to.Close() }

// appendText appends a member that is a string, or base64 under name_b64 if value is not UTF-8, and a comma.
func appendText(line []byte, name, value string) []byte {
	if !utf8.ValidString(value) {
		return append(appendBase64(appendName(line, name+"_b64"), []byte(value)), ',')
	}
	return append(appendString(appendName(line, name), []byte(value)), ',')
}

// appendOptional is appendText for a value that is absent if it is empty.
func appendOptional(line []byte, name, value string) []byte {
	if value == "" {
		return line
	}
	return appendText(line, name, value)
}

func appendInt(line []byte, name string, value int64) []byte {
	return append(strconv.AppendInt(appendName(line, name), value, 10), ',')
}

func appendName(line []byte, name string) []byte {
	return append(append(append(line, '"'), name...), '"', ':')
}

// failureBytesMax bounds the text of one failed object: a thousand times the longest key of S3.
const failureBytesMax = 1 << 20

// ReadFailureLines reads the objects that FailureLines has written, and hands each to add, whose error ends the
// reading. It keeps one object in memory. Its own error is a *ReadError.
func ReadFailureLines(r io.Reader, add func(list.Entry) error) error {
	return readObjects(r, failureBytesMax, readFailure, add)
}

func readFailure(lines *json.Decoder) (list.Entry, error) {
	var line keylist.Object
	if err := lines.Decode(&line); err != nil {
		return list.Entry{}, err
	}
	return line.Entry()
}
