package output

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"headcount/output/parquet"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/field"
	"headcount/scan/list"
)

func parquetFormat() Format {
	return Format{
		Name: "parquet", About: "a table with types, compressed", Suffixes: []string{".parquet"}, Resumable: true,
		Binary: true, Headed: true, Flags: []string{"columns"}, Fields: tableFields, New: newParquetSink,
	}
}

// parquetSink writes Records as rows of a Parquet file. Its columns are those of the Fields, of field.Always, and then
// base64. A column without a value is null, and so is a time that is no time.
//
// A row group is written when it is full, or when Sync is called. Until Close, no reader of Parquet takes the file for
// a whole one. After an error the file stays so: rows that count may be missing.
type parquetSink struct {
	to        Destination
	columns   []column // without base64
	types     []parquet.Type
	texts     []column // of columns, those whose values the column base64 may name
	syncEvery time.Duration
	w         *parquet.Writer
	free      sync.Pool // of *parquetChunk
	started   bool
	synced    time.Time // of the last Sync, or of Start
	complete  bool      // the run
	err       error     // of the first method that failed
}

func newParquetSink(to Destination, o *Options) (Sink, error) {
	s := &parquetSink{
		to: to, columns: slices.Concat(tableColumns(o), alwaysColumns()),
		syncEvery: cmp.Or(o.SyncEvery, parquetSyncEvery),
	}
	var columns []parquet.Column
	for i := range s.columns {
		c := &s.columns[i]
		s.types = append(s.types, parquetType(c))
		if s.types[i] == parquet.Text || s.types[i] == parquet.Map {
			s.texts = append(s.texts, *c)
		}
		columns = append(columns, parquet.Column{Name: c.title, Type: s.types[i]})
	}
	columns = append(columns, parquet.Column{Name: base64Title, Type: parquet.Text})
	var err error
	s.w, err = parquet.NewWriter(to, columns, parquetCreatedBy(o.Version))
	return s, err
}

// parquetCreatedBy returns who wrote a file, in the form that parquet-mr parses: it ignores the statistics of others.
func parquetCreatedBy(version string) string {
	return "headcount version " + strings.NewReplacer("(", "", ")", "").Replace(version)
}

func parquetType(c *column) parquet.Type {
	switch {
	case c.isMap():
		return parquet.Map
	case c.name != "":
		return parquet.Text
	case c.Type == field.Int:
		return parquet.Int
	case c.Type == field.Bool:
		return parquet.Bool
	case c.Type == field.Time:
		return parquet.Time
	}
	return parquet.Text
}

// Start reads the row groups that an earlier run has written.
func (s *parquetSink) Start() error {
	s.started, s.synced = true, time.Now()
	if f, ok := s.to.(*File); ok {
		return s.keep(s.w.Continue(f.f, f.size))
	}
	return nil
}

// keep keeps the first error.
func (s *parquetSink) keep(err error) error {
	s.err = cmp.Or(s.err, err)
	return err
}

// NewChunk returns an empty Chunk.
func (s *parquetSink) NewChunk() scan.Chunk {
	if c, ok := s.free.Get().(*parquetChunk); ok {
		return c
	}
	return &parquetChunk{columns: s.columns, types: s.types, texts: s.texts}
}

// Commit adds the rows of one page. It writes the row group that is full by them.
func (s *parquetSink) Commit(_ *list.Page, chunks []scan.Chunk) error {
	for _, c := range chunks {
		chunk, ok := c.(*parquetChunk)
		if !ok {
			return s.keep(fmt.Errorf("a chunk of another sink: %T", c))
		}
		if err := s.w.Append(&chunk.rows); err != nil {
			return s.keep(err)
		}
		chunk.rows.Reset()
		s.free.Put(chunk)
	}
	return nil
}

const (
	// parquetSyncRows is half a row group: it holds as many rows as a quick scan has in a second.
	parquetSyncRows = parquet.GroupRows / 2

	// parquetSyncEvery bounds the work that a kill costs a slow scan. At 2,000 objects a second these are half a row group
	// too; at 100 a second, a scan of 10 hours has 1,200 row groups.
	parquetSyncEvery = 30 * time.Second
)

// SyncDue implements scan.GroupingSink. A row group in the middle of the file has at least as many rows as there are
// row groups before it. So a file of 10 million rows has 4,500 row groups at most, whatever syncEvery is: the
// descriptions of the row groups stay in memory until Close.
func (s *parquetSink) SyncDue() bool {
	rows := s.w.Rows()
	return rows == 0 || rows >= parquetSyncRows || time.Since(s.synced) >= s.syncEvery && rows >= s.w.Groups()
}

// Sync writes the rows of all committed pages, and returns the Position behind them.
func (s *parquetSink) Sync() (checkpoint.Position, error) {
	if s.err != nil {
		return checkpoint.Position{}, s.err
	}
	if err := s.w.Flush(); err != nil {
		return checkpoint.Position{}, s.keep(err)
	}
	s.synced = time.Now()
	at, err := s.to.Sync()
	return at, s.keep(err)
}

// completeKey is what the footer has under this key: true, or false if the run ended early.
const completeKey = "headcount.complete"

// End implements scan.EndingSink.
func (s *parquetSink) End(complete bool) { s.complete = complete }

// Close finishes the file, unless a method failed or the run did not begin. It closes the Destination.
func (s *parquetSink) Close() error {
	var err error
	if s.started && s.err == nil {
		err = s.w.Close(parquet.KeyValue{Key: completeKey, Value: strconv.FormatBool(s.complete)})
	}
	return cmp.Or(err, s.to.Close())
}

// parquetChunk is a scan.Chunk of rows.
type parquetChunk struct {
	columns []column
	types   []parquet.Type
	texts   []column
	rows    parquet.Rows
	text    []byte
}

// Add adds the row of a Record.
func (c *parquetChunk) Add(r *scan.Record) {
	isUTF8 := true
	for i := range c.columns {
		isUTF8 = c.addValue(i, r) && isUTF8
	}
	if isUTF8 {
		c.rows.Absent(parquet.Text)
	} else {
		c.rows.Text([]byte(base64Names(c.texts, r)))
	}
	c.rows.EndRow()
}

// addValue adds the value of a column. valid is false if a text in it is not UTF-8, and stands in base64.
func (c *parquetChunk) addValue(i int, r *scan.Record) (valid bool) {
	column, t := &c.columns[i], c.types[i]
	switch t {
	case parquet.Text:
		var ok bool
		if c.text, ok = column.appendText(c.text[:0], r); ok {
			return c.addText(c.text)
		}
	case parquet.Int:
		if n, ok := column.Int(r); ok {
			c.rows.Int(n)
			return true
		}
	case parquet.Bool:
		if value, ok := column.Bool(r); ok {
			c.rows.Bool(value)
			return true
		}
	case parquet.Time:
		if at, ok := column.Time(r); ok {
			c.rows.Int(at.UnixMicro())
			return true
		}
	case parquet.Map:
		if texts, ok := column.Map(r); ok {
			return c.addMap(texts)
		}
	}
	c.rows.Absent(t)
	return true
}

func (c *parquetChunk) addMap(texts scan.Map) (valid bool) {
	valid = true
	c.rows.Map(len(texts))
	for i := range texts {
		c.rows.Text(validName(texts[i].Name))
		valid = c.addText(texts[i].Value) && valid
	}
	return valid
}

// validName returns a name as UTF-8. Only a listing with metadata can have another one: HTTP allows ASCII alone.
func validName(name []byte) []byte {
	if utf8.Valid(name) {
		return name
	}
	return bytes.ToValidUTF8(name, []byte("\ufffd"))
}

// addText adds a text, or its base64 if it is not UTF-8; then valid is false.
func (c *parquetChunk) addText(text []byte) (valid bool) {
	if !utf8.Valid(text) {
		c.rows.Text(base64.StdEncoding.AppendEncode(nil, text))
		return false
	}
	c.rows.Text(text)
	return true
}
