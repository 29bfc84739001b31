package output

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"headcount/scan"
	"headcount/scan/csvrow"
	"headcount/scan/field"
)

// readCSV is Format.Read. The header names the columns: a title that no Field has names a text of the metadata.
func readCSV(r io.Reader, o *Options, add func(*scan.Record) error) error {
	table := csvTable{columns: map[string]*field.Field{}, safe: o.Safe}
	for _, f := range field.Every() {
		table.columns[f.Name] = &f
	}
	rows := csvrow.NewReader(bufio.NewReader(r), recordBytesMax)
	header, err := rows.Next()
	switch {
	case err == io.EOF:
		return errors.New("it has no header")
	case err != nil:
		return fmt.Errorf("header: %w", err)
	}
	for _, cell := range header {
		title := string(table.rearm(cell.Text))
		if slices.Contains(table.titles, title) {
			return fmt.Errorf("header: the title %q comes twice", title)
		}
		table.titles = append(table.titles, title)
	}
	for n := 1; ; n++ {
		row, err := rows.Next()
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

func (t *csvTable) record(row []csvrow.Cell) (scan.Record, error) {
	if len(row) != len(t.titles) {
		return scan.Record{}, fmt.Errorf("it has %d cells, and the header has %d", len(row), len(t.titles))
	}
	var inBase64 []string
	if at := slices.Index(t.titles, base64Title); at >= 0 {
		inBase64 = strings.Fields(string(row[at].Text))
	}
	t.builder.reset()
	for i, title := range t.titles {
		if cell := row[i]; title != base64Title && (cell.Quoted || len(cell.Text) > 0) {
			if err := t.set(title, cell.Text, inBase64); err != nil {
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
		return t.setTexts(f, text, inBase64)
	}
	base64Title := title
	if f == nil {
		base64Title = base64Name(field.Metadata, strings.ToLower(title))
	}
	value, err := decodeIf(slices.Contains(inBase64, base64Title), text)
	switch {
	case err != nil:
		return err
	case f == nil:
		metadata := metadataField()
		t.builder.addText(&metadata, strings.ToLower(title), value)
		return nil
	}
	return t.builder.set(f, value)
}

// setTexts sets a Map from a text of JSON.
func (t *csvTable) setTexts(f *field.Field, text []byte, inBase64 []string) error {
	var texts map[string]string
	if err := json.Unmarshal(text, &texts); err != nil {
		return err
	}
	t.builder.setMap(f)
	for name, text := range texts {
		value, err := decodeIf(slices.Contains(inBase64, base64Name(f.Name, name)), []byte(text))
		if err != nil {
			return err
		}
		t.builder.addText(f, name, value)
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
