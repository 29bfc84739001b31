package output

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"headcount/scan"
	"headcount/scan/field"
)

// readCSV is Format.Read. The header names the columns: a title that no Field has names a text of the metadata.
func readCSV(r io.Reader, o *Options, add func(*scan.Record) error) error {
	table := csvTable{columns: map[string]*field.Field{}, safe: o.Safe}
	for _, f := range slices.Concat(field.All(), field.Always()) {
		table.columns[f.Name] = &f
	}
	rows := newCSVReader(r)
	header, err := rows.next()
	switch {
	case err == io.EOF:
		return errors.New("it has no header")
	case err != nil:
		return fmt.Errorf("header: %w", err)
	}
	for _, cell := range header {
		title := string(table.rearm(cell.text))
		if slices.Contains(table.titles, title) {
			return fmt.Errorf("header: the title %q comes twice", title)
		}
		table.titles = append(table.titles, title)
	}
	for n := 1; ; n++ {
		row, err := rows.next()
		if err == io.EOF {
			return nil
		}
		var record scan.Record
		if err == nil {
			record, err = table.record(row)
		}
		if err != nil {
			return &ReadError{Object: n, Err: err}
		}
		if err := add(&record); err != nil {
			return err
		}
	}
}

// csvTable makes Records of the rows below a header.
type csvTable struct {
	titles  []string
	columns map[string]*field.Field // by title
	safe    bool
	builder recordBuilder
}

func (t *csvTable) record(row []csvCell) (scan.Record, error) {
	if len(row) != len(t.titles) {
		return scan.Record{}, fmt.Errorf("it has %d cells, and the header has %d", len(row), len(t.titles))
	}
	var inBase64 []string
	if at := slices.Index(t.titles, base64Title); at >= 0 {
		inBase64 = strings.Fields(string(row[at].text))
	}
	t.builder.reset()
	for i, title := range t.titles {
		if cell := row[i]; title != base64Title && (cell.quoted || len(cell.text) > 0) {
			if err := t.set(title, cell.text, inBase64); err != nil {
				return scan.Record{}, fmt.Errorf("column %s: %w", title, err)
			}
		}
	}
	return t.builder.record()
}

// rearm returns the text of a cell without the quote of csvEncoder.disarm.
func (t *csvTable) rearm(text []byte) []byte {
	if t.safe && len(text) > 0 && text[0] == '\'' && isFormula(text) {
		return text[1:]
	}
	return text
}

// set sets the value of a cell that is not absent. inBase64 names the values that are in base64.
func (t *csvTable) set(title string, text []byte, inBase64 []string) error {
	text = t.rearm(text)
	f := t.columns[title]
	if f != nil && f.Type == field.Map {
		return t.setTexts(text, inBase64)
	}
	base64Title := title
	if f == nil {
		base64Title = base64Name(strings.ToLower(title))
	}
	value, err := decodeIf(slices.Contains(inBase64, base64Title), text)
	switch {
	case err != nil:
		return err
	case f == nil:
		t.builder.addText(strings.ToLower(title), value)
		return nil
	}
	return t.builder.set(f, value)
}

// setTexts sets the metadata from a text of JSON.
func (t *csvTable) setTexts(text []byte, inBase64 []string) error {
	var texts map[string]string
	if err := json.Unmarshal(text, &texts); err != nil {
		return err
	}
	t.builder.setMap()
	for name, text := range texts {
		value, err := decodeIf(slices.Contains(inBase64, base64Name(name)), []byte(text))
		if err != nil {
			return err
		}
		t.builder.addText(name, value)
	}
	return nil
}

func decodeIf(inBase64 bool, text []byte) (string, error) {
	if !inBase64 {
		return string(text), nil
	}
	value, err := base64.StdEncoding.AppendDecode(nil, text)
	return string(value), err
}

// csvReader reads rows of CSV. encoding/csv cannot tell a cell that is empty from one that is "", and changes line ends
// in cells.
type csvReader struct {
	bounded *boundedReader
	r       *bufio.Reader // of bounded
	text    []byte        // of all cells of the row
	row     []csvCell
}

type csvCell struct {
	text   []byte
	quoted bool
}

func newCSVReader(r io.Reader) *csvReader {
	bounded := &boundedReader{r: r, max: recordBytesMax}
	return &csvReader{bounded: bounded, r: bufio.NewReader(bounded)}
}

// next returns the next row, which is valid until the next call, or io.EOF.
func (c *csvReader) next() ([]csvCell, error) {
	c.bounded.left = c.bounded.max
	if _, err := c.r.Peek(1); err != nil {
		return nil, err
	}
	c.text, c.row = c.text[:0], c.row[:0]
	var lengths []int
	for end := byte(','); end == ','; {
		before := len(c.text)
		quoted, next, err := c.readCell()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF // the last line was cut
		}
		if err != nil {
			return nil, err
		}
		c.row, lengths, end = append(c.row, csvCell{quoted: quoted}), append(lengths, len(c.text)-before), next
	}
	text := c.text
	for i, n := range lengths {
		c.row[i].text, text = text[:n], text[n:]
	}
	return c.row, nil
}

// readCell appends the text of a cell to c.text, and returns the byte behind the cell: a comma or a line feed.
func (c *csvReader) readCell() (quoted bool, end byte, err error) {
	from := len(c.text)
	end, err = c.r.ReadByte()
	if quoted = end == '"'; quoted {
		if end, err = c.readQuoted(); end == '\r' {
			end, err = c.r.ReadByte()
		}
		if err == nil && end != ',' && end != '\n' {
			err = errors.New("a quote is not the last character of its cell")
		}
		return quoted, end, err
	}
	for err == nil && end != ',' && end != '\n' {
		if end == '"' {
			return quoted, end, errors.New("a quote is not the first character of its cell")
		}
		c.text = append(c.text, end)
		end, err = c.r.ReadByte()
	}
	if end == '\n' && len(c.text) > from {
		c.text = bytes.TrimSuffix(c.text, []byte{'\r'})
	}
	return quoted, end, err
}

// readQuoted appends the text of a cell behind its first quote, and returns the byte behind its last quote.
func (c *csvReader) readQuoted() (end byte, err error) {
	for {
		text, err := c.r.ReadSlice('"')
		c.text = append(c.text, text...)
		if err == bufio.ErrBufferFull {
			continue
		}
		if err == nil {
			end, err = c.r.ReadByte()
		}
		if err != nil || end != '"' {
			c.text = bytes.TrimSuffix(c.text, []byte{'"'})
			return end, err
		}
	}
}
