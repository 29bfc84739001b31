package output

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"

	"headcount/scan"
)

func csvFormat() Format {
	return Format{
		Name: "csv", About: "a table", Suffixes: []string{".csv"}, Resumable: true, Headed: true,
		Flags: []string{"columns", "csv-safe"}, Fields: tableFields, Read: readCSV,
		New: func(to Destination, o *Options) (Sink, error) { return newLines(to, newCSVEncoder(o)), nil },
	}
}

// csvEncoder writes Records as rows of CSV. Its columns are those of the Fields, of field.Always, and then base64. A
// cell without a value is empty, and an empty text is "". A line ends with a line feed.
// https://www.rfc-editor.org/rfc/rfc4180
type csvEncoder struct {
	columns []column // without base64
	safe    bool
}

func newCSVEncoder(o *Options) *csvEncoder {
	return &csvEncoder{columns: slices.Concat(tableColumns(o), alwaysColumns()), safe: o.Safe}
}

func (e *csvEncoder) header() []byte {
	var row []byte
	for i := range e.columns {
		from := len(row)
		row = append(row, e.columns[i].title...)
		row = append(finishCell(e.disarm(row, from), from), ',')
	}
	return append(append(row, base64Title...), '\n')
}

func (e *csvEncoder) appendLine(row []byte, r *scan.Record) ([]byte, error) {
	isUTF8 := true
	for i := range e.columns {
		var valid bool
		row, valid = e.appendCell(row, &e.columns[i], r)
		row, isUTF8 = append(row, ','), isUTF8 && valid
	}
	if !isUTF8 {
		row = append(row, base64Names(e.columns, r)...) // percent-encoded: the cell needs no quotes
	}
	return append(row, '\n'), nil
}

// appendCell appends the cell of a column. valid is false if a text in it is not UTF-8, and stands in base64.
func (e *csvEncoder) appendCell(row []byte, c *column, r *scan.Record) (cell []byte, valid bool) {
	if c.isMap() {
		if texts, ok := c.Map(r); ok {
			return appendMapCell(row, texts)
		}
		return row, true
	}
	from := len(row)
	row, ok := c.appendText(row, r)
	if !ok {
		return row, true
	}
	if e.isPlain(row[from:]) {
		return row, true
	}
	if valid = utf8.Valid(row[from:]); !valid {
		text := base64.StdEncoding.AppendEncode(nil, row[from:])
		row = append(row[:from], text...)
	}
	return finishCell(e.disarm(row, from), from), valid
}

// disarm puts a quote before row[from:], the text of a cell, if a spreadsheet would run it and the user asked for that.
func (e *csvEncoder) disarm(row []byte, from int) []byte {
	if !e.safe || !isFormula(row[from:]) {
		return row
	}
	return slices.Insert(row, from, '\'')
}

// isPlain reports whether the text of a cell stands in it as it is. It is false for some such texts too, and quick for
// nearly all.
func (e *csvEncoder) isPlain(cell []byte) bool {
	return isVerbatim(cell) && !startsOdd(cell) && bytes.IndexByte(cell, ',') < 0 && !(e.safe && isFormula(cell))
}

// startsOdd reports whether a cell needs quotes for its beginning: it has none, or some readers trim a space or skip a
// comment.
func startsOdd(cell []byte) bool { return len(cell) == 0 || cell[0] == ' ' || cell[0] == '#' }

// isFormula reports whether a spreadsheet may take a cell for a formula, or whether it may be one without the quotes in
// front: a reader that removes one quote then reads the exact text. Some spreadsheets trim spaces, and take full-width
// characters for those of ASCII.
// https://owasp.org/www-community/attacks/CSV_Injection
// https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/0x10-V1-Encoding-and-Sanitization.md (1.2.10)
func isFormula(cell []byte) bool {
	first, _ := utf8.DecodeRune(bytes.TrimLeft(cell, "' \u00a0\u3000"))
	return strings.ContainsRune("=+-@\t\r\n\x00＝＋－＠", first)
}

// finishCell puts row[from:], the text of a cell, into quotes if it needs them.
func finishCell(row []byte, from int) []byte {
	if !needsQuotes(row[from:]) {
		return row
	}
	return append(doubleQuotes(slices.Insert(row, from, '"'), from+1), '"')
}

// needsQuotes reports whether the text of a cell needs quotes around it.
func needsQuotes(cell []byte) bool { return startsOdd(cell) || bytes.ContainsAny(cell, "\",\r\n") }

// doubleQuotes doubles the quotes in row[from:].
func doubleQuotes(row []byte, from int) []byte {
	end, quotes := len(row), bytes.Count(row[from:], []byte{'"'})
	to := end + quotes
	row = slices.Grow(row, quotes)[:to]
	for ; quotes > 0; quotes-- { // from the last quote to the first
		at := from + bytes.LastIndexByte(row[from:end], '"')
		to -= end - at
		copy(row[to:], row[at:end])
		to--
		row[to], end = '"', at
	}
	return row
}

// appendMapCell appends texts by name as JSON, with the quotes of CSV. valid is false if a value is not UTF-8, and
// stands in base64.
func appendMapCell(row []byte, texts scan.Map) (cell []byte, valid bool) {
	row, valid = append(row, '"', '{'), true
	for i := range texts {
		if i > 0 {
			row = append(row, ',')
		}
		row = append(appendInCell(row, texts[i].Name), ':')
		if value := texts[i].Value; isVerbatim(value) || utf8.Valid(value) {
			row = appendInCell(row, value)
		} else {
			from := len(row)
			row, valid = doubleQuotes(appendBase64(row, value), from), false
		}
	}
	return append(row, '}', '"'), valid
}

// appendInCell appends a JSON string with the quotes of CSV.
func appendInCell(row, text []byte) []byte {
	from := len(row)
	if isVerbatim(text) {
		return append(append(append(row, '"', '"'), text...), '"', '"')
	}
	return doubleQuotes(appendEscaped(row, text), from)
}
