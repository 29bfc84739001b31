package output

import (
	"io"
	"strconv"

	"headcount/scan"
)

// Failures writes each object that failed as a line of JSON: key, status (absent where there was no answer), class,
// attempts, request_id, error.
type Failures struct {
	w    io.Writer
	line []byte
}

// NewFailures returns one that writes to w, a Write for each line.
func NewFailures(w io.Writer) *Failures { return &Failures{w: w} }

// Add writes one line. It is not called concurrently.
func (f *Failures) Add(e *scan.ObjectError) error {
	line := appendText(append(f.line[:0], '{'), "key", e.Key)
	if e.Status != 0 {
		line = append(strconv.AppendInt(append(line, `"status":`...), int64(e.Status), 10), ',')
	}
	line = appendText(line, "class", e.Class)
	line = append(strconv.AppendInt(append(line, `"attempts":`...), int64(e.Attempts), 10), ',')
	line = appendOptional(line, "request_id", e.RequestID)
	if e.Err != nil {
		line = appendText(line, "error", e.Err.Error())
	}
	f.line = append(closed(line, '}'), '\n')
	_, err := f.w.Write(f.line)
	return err
}
