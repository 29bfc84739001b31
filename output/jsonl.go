package output

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"

	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/field"
	"headcount/scan/list"
)

// chunkBytes is the first size of a Chunk's buffer: enough for the smallest batch. A buffer that grew is used again as
// it is.
const chunkBytes = 1 << 10

// JSONLines is a scan.Sink that writes each Record as a line: a JSON object whose members are the chosen Fields and
// then field.Always. A Field without a value has no member.
type JSONLines struct {
	to      Destination
	members []jsonMember
	free    sync.Pool // of *jsonChunk
	page    []byte    // the lines of the page that is committed
}

// NewJSONLines returns a Sink that writes each page with one Write, during Commit only.
func NewJSONLines(to Destination, fields []field.Field) *JSONLines {
	s := &JSONLines{to: to}
	for _, f := range slices.Concat(fields, field.Always()) {
		s.members = append(s.members, newJSONMember(f))
	}
	return s
}

// NewChunk returns an empty Chunk.
func (s *JSONLines) NewChunk() scan.Chunk {
	if c, ok := s.free.Get().(*jsonChunk); ok {
		return c
	}
	return &jsonChunk{members: s.members, lines: make([]byte, 0, chunkBytes)}
}

// Commit writes the lines of one page.
func (s *JSONLines) Commit(_ *list.Page, chunks []scan.Chunk) error {
	s.page = s.page[:0]
	for _, c := range chunks {
		chunk, ok := c.(*jsonChunk)
		if !ok {
			return fmt.Errorf("a chunk of another sink: %T", c)
		}
		s.page = append(s.page, chunk.lines...)
		chunk.lines = chunk.lines[:0]
		s.free.Put(chunk)
	}
	if len(s.page) == 0 {
		return nil
	}
	_, err := s.to.Write(s.page)
	return err
}

// Sync returns the Position behind all committed lines, when they are on disk.
func (s *JSONLines) Sync() (checkpoint.Position, error) { return s.to.Sync() }

// Close closes the Destination.
func (s *JSONLines) Close() error { return s.to.Close() }

// jsonChunk is a scan.Chunk of lines.
type jsonChunk struct {
	members []jsonMember
	lines   []byte
}

// Add appends the line of a Record.
func (c *jsonChunk) Add(r *scan.Record) {
	line := append(c.lines, '{')
	for i := range c.members {
		line = c.members[i].appendTo(line, r)
	}
	c.lines = append(closeObject(line), '\n')
}

// jsonMember is a Field as a member of a JSON object.
type jsonMember struct {
	field.Field
	start string // the name, and the colon behind it

	// startBase64 is start for a value that is not UTF-8. Such a value is base64 under a name of its own: as texts with
	// U+FFFD, two keys could become equal.
	startBase64 string
}

func newJSONMember(f field.Field) jsonMember {
	return jsonMember{Field: f, start: `"` + f.Name + `":`, startBase64: `"` + f.Name + `_b64":`}
}

// appendTo appends the member and a comma, if r has a value of the Field.
func (m *jsonMember) appendTo(line []byte, r *scan.Record) []byte {
	switch m.Type {
	case field.Text, field.Time:
		return m.appendText(line, r)
	case field.Int:
		if n, ok := m.Int(r); ok {
			line = append(strconv.AppendInt(append(line, m.start...), n, 10), ',')
		}
	case field.Bool:
		if value, ok := m.Bool(r); ok {
			line = append(strconv.AppendBool(append(line, m.start...), value), ',')
		}
	case field.Map:
		if texts, ok := m.Map(r); ok {
			line = m.appendMap(line, texts)
		}
	}
	return line
}

// appendText appends the text first and then checks it: the JSON of nearly every text is the text itself.
func (m *jsonMember) appendText(line []byte, r *scan.Record) []byte {
	before := len(line)
	line = append(append(line, m.start...), '"')
	from := len(line)
	line, ok := m.AppendText(line, r)
	if !ok {
		return line[:before]
	}
	text := line[from:]
	if isVerbatim(text) {
		return append(line, '"', ',')
	}
	to := len(line)
	if utf8.Valid(text) {
		line = appendEscaped(append(line, m.start...), text)
	} else {
		line = appendBase64(append(line, m.startBase64...), text)
	}
	return append(slices.Delete(line, before, to), ',')
}

// appendMap appends an object, and a second one for the values that are not UTF-8, if there are any.
func (m *jsonMember) appendMap(line []byte, texts scan.Map) []byte {
	line = append(append(line, m.start...), '{')
	invalid := 0
	for i := range texts {
		before := len(line)
		line = append(appendString(line, texts[i].Name), ':')
		var verbatim bool
		if line, verbatim = appendVerbatim(line, texts[i].Value); !verbatim {
			if !utf8.Valid(texts[i].Value) {
				line = line[:before]
				invalid++
				continue
			}
			line = appendEscaped(line, texts[i].Value)
		}
		line = append(line, ',')
	}
	line = append(closeObject(line), ',')
	if invalid == 0 {
		return line
	}
	line = append(append(line, m.startBase64...), '{')
	for i := range texts {
		if !utf8.Valid(texts[i].Value) {
			line = append(appendString(line, texts[i].Name), ':')
			line = append(appendBase64(line, texts[i].Value), ',')
		}
	}
	return append(closeObject(line), ',')
}
