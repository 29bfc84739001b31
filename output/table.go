package output

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/rivo/uniseg"

	"headcount/output/console"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/field"
	"headcount/scan/list"
)

func tableFormat() Format {
	return Format{
		Name: "table", About: "aligned columns for people", Flags: []string{"columns"}, Fields: tableFields,
		New: func(to Destination, o *Options) (Sink, error) { return newTable(to, o), nil },
	}
}

// Table is a Sink for people: a header, and a line for each Record, in aligned columns. A page is aligned when it is
// committed, so columns grow from page to page. On a terminal, cells are cut where a line would be too long; where they
// would be too short to read, each cell gets a line. Characters that a terminal obeys are escaped. The values of
// field.Always stand at the end of a Record's line.
type Table struct {
	to      Destination
	columns []column
	always  []column
	started bool
	widths  []int  // of the widest cell of each column so far; nil: nothing is written
	upright bool   // each cell gets a line
	text    []byte // of the page that is committed
}

const (
	cellGap = "  "

	// cellMin is the width to which a cell is cut at least: enough to see what it is.
	cellMin = 4

	// cellReadable is the width to which the cells of the first page may be cut: a date, or the end of a key's folder.
	cellReadable = 10

	// padMax is the width to which cells are filled up at most, where they are not cut: one long key does not widen all
	// lines.
	padMax = 100

	absentCell = "-"
)

func newTable(to Destination, o *Options) *Table {
	return &Table{to: to, columns: tableColumns(o), always: alwaysColumns()}
}

// Start writes nothing: the first page has the width of the header.
func (t *Table) Start() error {
	t.started = true
	return nil
}

// NewChunk returns an empty Chunk.
func (t *Table) NewChunk() scan.Chunk { return &tableChunk{table: t} }

// tableChunk is a scan.Chunk of rows of cells.
type tableChunk struct {
	table *Table
	rows  [][]string // the last cell of each is what field.Always has
}

// Add appends the row of a Record.
func (c *tableChunk) Add(r *scan.Record) {
	var row []string
	for i := range c.table.columns {
		row = append(row, c.table.columns[i].printable(r))
	}
	var notes []string
	for i := range c.table.always {
		if text := c.table.always[i].printable(r); text != absentCell {
			notes = append(notes, c.table.always[i].title+"="+text)
		}
	}
	c.rows = append(c.rows, append(row, strings.Join(notes, " ")))
}

// printable returns the value of the column as a text for people.
func (c *column) printable(r *scan.Record) string {
	if !c.isMap() {
		text, ok := c.appendText(nil, r)
		if !ok {
			return absentCell
		}
		return console.Printable(string(text))
	}
	texts, ok := c.Map(r)
	if !ok {
		return absentCell
	}
	var words []string
	for i := range texts {
		words = append(words, console.Printable(fmt.Sprintf("%s=%s", texts[i].Name, texts[i].Value)))
	}
	return strings.Join(words, " ")
}

// Commit writes the rows of one page.
func (t *Table) Commit(_ *list.Page, chunks []scan.Chunk) error {
	var rows [][]string
	for _, c := range chunks {
		chunk, ok := c.(*tableChunk)
		if !ok {
			return fmt.Errorf("a chunk of another sink: %T", c)
		}
		rows = append(rows, chunk.rows...)
	}
	if len(rows) == 0 {
		return nil
	}
	return t.write(rows)
}

// write writes rows, and the header before the first ones.
func (t *Table) write(rows [][]string) error {
	isFirst := t.widths == nil
	if isFirst {
		t.widths = make([]int, len(t.columns)+1)
	}
	for _, row := range append(rows, t.header()) {
		for i, cell := range row {
			t.widths[i] = max(t.widths[i], uniseg.StringWidth(cell))
		}
	}
	widths := t.widths
	if columns := t.to.Columns(); columns > 0 {
		room := columns - 1 - len(cellGap)*len(t.columns) // some terminals scroll after a full line
		if isFirst {
			_, least := cutWidths(widths, cellReadable)
			t.upright = least > room
		}
		widths = fitWidths(widths, room)
	}
	t.text = t.text[:0]
	if isFirst && !t.upright {
		t.text = t.appendRow(t.text, t.header(), widths)
	}
	for i, row := range rows {
		switch {
		case !t.upright:
			t.text = t.appendRow(t.text, row, widths)
			continue
		case i > 0 || !isFirst:
			t.text = append(t.text, '\n')
		}
		t.text = t.appendUpright(t.text, row)
	}
	_, err := t.to.Write(t.text)
	return err
}

func (t *Table) header() []string {
	var titles []string
	for i := range t.columns {
		titles = append(titles, console.Printable(t.columns[i].title))
	}
	return append(titles, "")
}

// fitWidths returns widths whose sum is at most room, if possible: the widest are cut.
func fitWidths(widths []int, room int) []int {
	most := max(cellMin, min(room, slices.Max(widths)))
	fitted, sum := cutWidths(widths, most)
	for ; sum > room && most > cellMin; fitted, sum = cutWidths(widths, most) {
		most--
	}
	return fitted
}

// cutWidths returns widths of which none is larger than most, and their sum.
func cutWidths(widths []int, most int) (fitted []int, sum int) {
	for _, width := range widths {
		fitted = append(fitted, min(width, most))
		sum += min(width, most)
	}
	return fitted, sum
}

// appendRow appends a line. Numbers end at the right of their column, everything else begins at the left.
func (t *Table) appendRow(line []byte, row []string, widths []int) []byte {
	from := len(line)
	for i, cell := range row {
		cell = cutCell(cell, widths[i])
		padding := strings.Repeat(" ", max(0, min(widths[i], padMax)-uniseg.StringWidth(cell)))
		if i < len(t.columns) && t.columns[i].Type == field.Int {
			cell, padding = padding+cell, ""
		}
		line = append(append(append(line, cell...), padding...), cellGap...)
	}
	return append(append(line[:from], strings.TrimRight(string(line[from:]), " ")...), '\n')
}

// appendUpright appends a line for each cell, with its title before it.
func (t *Table) appendUpright(lines []byte, row []string) []byte {
	titles := t.header()
	widest := 0
	for _, title := range titles {
		widest = max(widest, uniseg.StringWidth(title))
	}
	for i, cell := range row {
		if i < len(t.columns) {
			padding := strings.Repeat(" ", widest-uniseg.StringWidth(titles[i]))
			cell = strings.TrimRight(titles[i]+padding+cellGap+cell, " ")
		}
		if cell != "" { // most Records have nothing of field.Always
			lines = append(append(lines, cell...), '\n')
		}
	}
	return lines
}

// cutCell cuts a cell that is wider than width, and marks it.
func cutCell(cell string, width int) string {
	if uniseg.StringWidth(cell) <= width {
		return cell
	}
	var kept strings.Builder
	for g := uniseg.NewGraphemes(cell); g.Next() && uniseg.StringWidth(kept.String())+g.Width() < width; {
		kept.WriteString(g.Str())
	}
	return kept.String() + "…"
}

// Sync returns when all committed rows are on disk. No later run can continue a table.
func (t *Table) Sync() (checkpoint.Position, error) { return t.to.Sync() }

// Close writes the header if there was no Record, and closes the Destination.
func (t *Table) Close() error {
	var err error
	if t.started && t.widths == nil {
		err = t.write(nil)
	}
	return cmp.Or(err, t.to.Close())
}
