package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	reader "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
	"pgregory.net/rapid"
)

// pair is a name and a value of a Map. A row has for each Column a string, an int64, a bool or []pair; nil: absent.
type pair struct{ name, value string }

func addRow(rows *Rows, columns []Column, values []any) {
	for i, c := range columns {
		switch v := values[i].(type) {
		case nil:
			rows.Absent(c.Type)
		case string:
			rows.Text([]byte(v))
		case int64:
			rows.Int(v)
		case bool:
			rows.Bool(v)
		case []pair:
			rows.Map(len(v))
			for _, p := range v {
				rows.Text([]byte(p.name))
				rows.Text([]byte(p.value))
			}
		}
	}
	rows.EndRow()
}

// read returns the rows of a file, by the reader of parquet-go.
func read(file []byte, columns []Column) (rows [][]any, err error) {
	f, err := reader.OpenFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	for _, group := range f.RowGroups() {
		all := group.Rows()
		buffer := make([]reader.Row, group.NumRows())
		n, err := all.ReadRows(buffer)
		if n != len(buffer) {
			return nil, fmt.Errorf("%d rows of %d: %w", n, len(buffer), err)
		}
		for _, row := range buffer {
			rows = append(rows, readRow(row, columns))
		}
		if err := all.Close(); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func readRow(row reader.Row, columns []Column) (values []any) {
	leaf := 0
	next := func() (values []reader.Value) {
		for len(row) > 0 && row[0].Column() == leaf {
			values, row = append(values, row[0]), row[1:]
		}
		leaf++
		return values
	}
	for _, c := range columns {
		v := next()
		switch {
		case c.Type == Map:
			second := next()
			if v[0].DefinitionLevel() == 0 {
				values = append(values, nil)
				continue
			}
			pairs := []pair{}
			for i := range v {
				if v[i].DefinitionLevel() == 2 {
					pairs = append(pairs, pair{string(v[i].ByteArray()), string(second[i].ByteArray())})
				}
			}
			values = append(values, pairs)
		case v[0].IsNull():
			values = append(values, nil)
		case c.Type == Text:
			values = append(values, string(v[0].ByteArray()))
		case c.Type == Bool:
			values = append(values, v[0].Boolean())
		default:
			values = append(values, v[0].Int64())
		}
	}
	return values
}

func drawColumns(rt *rapid.T) []Column {
	types := rapid.SliceOfN(rapid.SampledFrom([]Type{Text, Int, Bool, Time, Map}), 1, 6).Draw(rt, "types")
	var columns []Column
	for i, t := range types {
		columns = append(columns, Column{fmt.Sprintf("c.%d", i), t})
	}
	return columns
}

func drawRow(rt *rapid.T, columns []Column) (row []any) {
	long := rapid.Map(rapid.IntRange(0, 3000), func(n int) string { return strings.Repeat("a", n) })
	text := rapid.OneOf(rapid.String(), long)
	for _, c := range columns {
		if rapid.IntRange(0, 3).Draw(rt, "absent") == 0 {
			row = append(row, nil)
			continue
		}
		switch c.Type {
		case Text:
			row = append(row, text.Draw(rt, c.Name))
		case Int, Time:
			row = append(row, rapid.Int64().Draw(rt, c.Name))
		case Bool:
			row = append(row, rapid.Bool().Draw(rt, c.Name))
		case Map:
			pairs := []pair{}
			for range rapid.IntRange(0, 3).Draw(rt, "pairs") {
				pairs = append(pairs, pair{text.Draw(rt, "name"), text.Draw(rt, "value")})
			}
			row = append(row, pairs)
		}
	}
	return row
}

// Any rows are read back as they were written, however they are cut into pages and row groups, and however often a
// process is killed behind a part, or anywhere before the next part, and another one continues. A file that is not
// closed is refused.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		columns := drawColumns(rt)
		limits := sizes{
			groupRows:  rapid.SampledFrom([]int{1, 10, 1000}).Draw(rt, "group rows"),
			groupBytes: rapid.SampledFrom([]int64{1, 5000, 1 << 20}).Draw(rt, "group bytes"),
			pageBytes:  rapid.SampledFrom([]int{1, 100, 1 << 20}).Draw(rt, "page bytes"),
		}
		var (
			file           bytes.Buffer
			want           [][]any
			synced         int // bytes
			w              = newWriter(rt, &file, columns, limits)
			rows           Rows
			restartsOnDisk = func() {
				file.Truncate(synced)
				w = newWriter(rt, &file, columns, limits)
				if err := w.Continue(bytes.NewReader(file.Bytes()), int64(synced)); err != nil {
					rt.Fatal(err)
				}
			}
		)
		for range rapid.IntRange(0, 8).Draw(rt, "commits") {
			var added [][]any
			rows.Reset()
			for range rapid.IntRange(0, 20).Draw(rt, "rows") {
				row := drawRow(rt, columns)
				addRow(&rows, columns, row)
				added = append(added, row)
			}
			if err := w.Append(&rows); err != nil {
				rt.Fatal(err)
			}
			want = append(want, added...)
			if _, err := read(file.Bytes(), columns); err == nil || bytes.HasSuffix(file.Bytes(), []byte(magic)) {
				rt.Fatal("a file that is not closed is read")
			}
			switch rapid.IntRange(0, 3).Draw(rt, "then") {
			case 0:
				if err := w.Flush(); err != nil || w.Rows() != 0 {
					rt.Fatal(w.Rows(), err)
				}
				synced = file.Len()
			case 1:
				if err := w.Flush(); err != nil {
					rt.Fatal(err)
				}
				synced = file.Len()
				if rapid.Bool().Draw(rt, "closed") { // a run that was stopped
					checkFile(rt, w, &file, columns, want)
				} else {
					file.WriteString("PAR1, written by a process that was killed")
				}
				restartsOnDisk()
			}
		}
		checkFile(rt, w, &file, columns, want)
	})
}

func newWriter(rt *rapid.T, file *bytes.Buffer, columns []Column, limits sizes) *Writer {
	w, err := NewWriter(file, columns, "headcount version 0")
	if err != nil {
		rt.Fatal(err)
	}
	w.sizes = limits
	return w
}

// checkFile closes w and compares the rows of the file.
func checkFile(rt *rapid.T, w *Writer, file *bytes.Buffer, columns []Column, want [][]any) {
	if err := w.Close(); err != nil {
		rt.Fatal(err)
	}
	got, err := read(file.Bytes(), columns)
	if err != nil {
		rt.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		rt.Fatalf("\n got %q\nwant %q", got, want)
	}
}

// A Writer refuses to continue at a place where no part ends.
func TestContinueElsewhere(t *testing.T) {
	var file bytes.Buffer
	columns := []Column{{"key", Text}}
	w, err := NewWriter(&file, columns, "")
	if err != nil {
		t.Fatal(err)
	}
	ends := map[int]bool{0: true, len(magic): true}
	var rows Rows
	addRow(&rows, columns, []any{"a key"})
	for range 3 {
		if err := errors.Join(w.Append(&rows), w.Flush()); err != nil {
			t.Fatal(err)
		}
		ends[file.Len()] = true
	}
	for size := range file.Len() + 1 {
		w, err := NewWriter(&file, columns, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Continue(bytes.NewReader(file.Bytes()), int64(size)); (err == nil) != ends[size] {
			t.Errorf("at byte %d: %v", size, err)
		}
	}
}

// newFile returns a closed file of as many row groups as rows, and its Writer.
func newFile(t *testing.T, columns []Column, rows ...[]any) (*Writer, []byte) {
	t.Helper()
	var file bytes.Buffer
	w, err := NewWriter(&file, columns, "headcount version 0")
	if err != nil {
		t.Fatal(err)
	}
	var added Rows
	for _, row := range rows {
		added.Reset()
		addRow(&added, columns, row)
		if err := errors.Join(w.Append(&added), w.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w, file.Bytes()
}

// The footer is that of the structure of parquet-go, but no row group has an ordinal: 16 bits cannot number them.
func TestFooter(t *testing.T) {
	columns := []Column{{"key", Text}, {"metadata", Map}}
	for _, groups := range []int{0, 1, 14, 15, 200} {
		w, file := newFile(t, columns, slices.Repeat([][]any{{"a", []pair{{"b", "c"}}}}, groups)...)
		length := int(binary.LittleEndian.Uint32(file[len(file)-trailerEnd:]))
		footer := file[len(file)-trailerEnd-length : len(file)-trailerEnd]

		var read format.FileMetaData
		if err := thrift.Unmarshal(new(thrift.CompactProtocol), footer, &read); err != nil {
			t.Fatal(err)
		}
		if len(read.RowGroups) != groups || read.NumRows != int64(groups) || read.CreatedBy != w.createdBy ||
			len(read.ColumnOrders) != 3 || len(read.Schema) != len(w.schema) {
			t.Errorf("%d row groups: the footer is %+v", groups, read)
		}
		for i := range read.RowGroups {
			if g := &read.RowGroups[i]; g.NumRows != 1 || len(g.Columns) != 3 || g.FileOffset != g.Columns[0].MetaData.DataPageOffset {
				t.Errorf("the row group %d of %d is %+v", i, groups, g)
			}
		}
		var ordinals struct {
			RowGroups []struct {
				Ordinal *int16 `thrift:"7,optional"`
			} `thrift:"4,required"`
		}
		if err := thrift.Unmarshal(new(thrift.CompactProtocol), footer, &ordinals); err != nil {
			t.Fatal(err)
		}
		for i, group := range ordinals.RowGroups {
			if group.Ordinal != nil {
				t.Errorf("the row group %d of %d has the ordinal %d", i, groups, *group.Ordinal)
			}
		}
	}
}

// What a Writer keeps of a row group until Close is small, with long keys too.
func TestRowGroupsTakeLittleMemory(t *testing.T) {
	const groups, count = 100, 30
	var columns []Column
	var row []any
	for i := range count {
		columns = append(columns, Column{fmt.Sprintf("a_typical_title_%d", i), Text})
		row = append(row, strings.Repeat("k", 1000))
	}
	w, _ := newFile(t, columns, slices.Repeat([][]any{row}, groups)...)
	if got, most := cap(w.groups.descriptions)/groups, count*150; got > most {
		t.Errorf("%d bytes for a row group, want at most %d", got, most)
	}
}
