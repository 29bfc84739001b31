package output

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/list"
)

// Failures writes each object that failed as a line of JSON: key, etag and size as listed, status (absent where there was no
// answer), class, attempts, request_id, error.
type Failures struct {
	to   Destination
	line []byte
}

// NewFailures returns one that writes to a Destination, a Write for each line.
func NewFailures(to Destination) *Failures { return &Failures{to: to} }

// Add writes one line. It is not called concurrently.
func (f *Failures) Add(e *scan.ObjectError) error {
	line := appendText(append(f.line[:0], '{'), "key", e.Entry.Key)
	line = appendOptional(line, "etag", e.Entry.ETag)
	if e.Entry.Size >= 0 {
		line = append(strconv.AppendInt(append(line, `"size":`...), e.Entry.Size, 10), ',')
	}
	if e.Status != 0 {
		line = append(strconv.AppendInt(append(line, `"status":`...), int64(e.Status), 10), ',')
	}
	line = appendText(line, "class", string(e.Class))
	line = append(strconv.AppendInt(append(line, `"attempts":`...), int64(e.Attempts), 10), ',')
	line = appendOptional(line, "request_id", e.RequestID)
	if e.Err != nil {
		line = appendText(line, "error", e.Err.Error())
	}
	f.line = append(closed(line, '}'), '\n')
	_, err := f.to.Write(f.line)
	return err
}

// Sync returns the Position behind all lines, when they are on disk.
func (f *Failures) Sync() (checkpoint.Position, error) { return f.to.Sync() }

// Close closes the Destination.
func (f *Failures) Close() error { return f.to.Close() }

// ReadFailures reads what Failures has written: the objects to ask for again. The error names the line.
func ReadFailures(r io.Reader) ([]list.Entry, error) {
	var entries []list.Entry
	lines := json.NewDecoder(r)
	for n := 1; ; n++ {
		var line struct {
			Key       *string `json:"key"`
			KeyB64    []byte  `json:"key_b64"`
			VersionID string  `json:"version_id"`
			ETag      string  `json:"etag"`
			Size      *int64  `json:"size"`
		}
		err := lines.Decode(&line)
		if err == io.EOF {
			return entries, nil
		}
		e := list.Entry{ETag: line.ETag, Size: -1, Key: string(line.KeyB64)}
		switch {
		case err != nil:
			return nil, fmt.Errorf("object %d: %w", n, err)
		case line.VersionID != "":
			return nil, fmt.Errorf("object %d is a version, %s: only the latest can be asked for", n, line.VersionID)
		case line.Key != nil:
			e.Key = *line.Key
		}
		if e.Key == "" {
			return nil, fmt.Errorf("object %d has no key", n)
		}
		if line.Size != nil && *line.Size >= 0 {
			e.Size = *line.Size
		}
		entries = append(entries, e)
	}
}
