package inventory

import (
	"bufio"
	"context"
	"crypto/md5"
	"encoding/hex"

	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"

	"headcount/scan/csvrow"
	"headcount/scan/list/inventory/parquet"
)

// dataFile is a data file, as its manifest names it.
type dataFile struct {
	Key  string `json:"key"`
	Size int64  `json:"size"`
	MD5  string `json:"MD5checksum"`
}

// open opens the file, and compares its size and its checksum.
func (f *dataFile) open(ctx context.Context, fetch Fetch) (File, error) {
	file, err := fetch(ctx, f.Key)
	if err != nil {
		return nil, err
	}
	if err := f.check(ctx, file); err != nil {
		_ = file.Close() // it is only read
		return nil, err
	}
	return file, nil
}

func (f *dataFile) check(ctx context.Context, file File) error {
	hash := md5.New()
	size, err := io.Copy(hash, &contextReader{ctx, file})
	sum := hex.EncodeToString(hash.Sum(nil))
	const advice = "fetch the file again; if it is still another one, wait for the next Inventory"
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return &Error{File: file.Name(), What: err.Error()}
	case size != f.Size:
		what := fmt.Sprintf("it has %d bytes, and %d in the manifest", size, f.Size)
		return &Error{File: file.Name(), What: what, Advice: advice}
	case !strings.EqualFold(sum, f.MD5):
		what := fmt.Sprintf("its MD5 is %s, and %s in the manifest", sum, f.MD5)
		return &Error{File: file.Name(), What: what, Advice: advice}
	}
	return nil
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context
	in  io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.in.Read(p)
}

// rows reads the rows of a data file. Its error is io.EOF after the last one.
type rows interface {
	next(*row) error

	// at sets the place of the last row in an error.
	at(*Error)
}

// rows returns the rows from one on, counted from 0.
func (m *manifest) rows(file File, size, from int64) (r rows, err error) {
	if m.FileFormat == formatParquet {
		r, err = newParquetRows(m, file, size, from)
	} else {
		r, err = newCSVRows(m, file, from)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// csvRows reads a file in CSV, compressed by gzip.
type csvRows struct {
	columns []column
	in      *csvrow.Reader
	line    int64
	text    []byte
	ends    []int
}

// rowBytesMax bounds a row of CSV. The longest columns are the access control list and the key, of 3 KB if encoded.
const rowBytesMax = 1 << 20

// csvBufferBytes is what is decompressed at once.
const csvBufferBytes = 64 << 10

func newCSVRows(m *manifest, file io.ReadSeeker, from int64) (*csvRows, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	text, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("it is not compressed by gzip: %w", err)
	}
	r := &csvRows{columns: m.columns, in: csvrow.NewReader(bufio.NewReaderSize(text, csvBufferBytes), rowBytesMax)}
	r.in.OpenEnd = true
	for r.line < from {
		r.line++
		if _, err := r.in.Next(); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r *csvRows) at(e *Error) { e.Line = int(r.line) }

func (r *csvRows) next(to *row) error {
	r.line++
	cells, err := r.in.Next()
	switch {
	case err != nil:
		return err
	case len(cells) != len(r.columns):
		return fmt.Errorf("%d columns, and %d in the fileSchema of the manifest", len(cells), len(r.columns))
	}
	r.text, r.ends = r.text[:0], r.ends[:0]
	for i, cell := range cells {
		if r.columns[i] != unknownColumn {
			r.text = append(r.text, cell.Text...)
		}
		r.ends = append(r.ends, len(r.text))
	}
	text, start := string(r.text), 0 // one allocation for all texts
	for i, end := range r.ends {
		if r.columns[i] != unknownColumn {
			to[r.columns[i]] = text[start:end]
		}
		start = end
	}
	// AWS always encodes keys in CSV, as forms do: a plus is a space.
	key := to[keyColumn]
	if to[keyColumn], err = url.QueryUnescape(key); err != nil {
		return &valueError{keyColumn, key, "encoded as in a URL"}
	}
	return nil
}

// parquetRows reads a file in Parquet.
type parquetRows struct {
	columns []column
	in      *parquet.Rows
	types   []parquet.Type
	row     int64
	text    []byte
	ends    []int
}

func newParquetRows(m *manifest, file io.ReaderAt, size, from int64) (*parquetRows, error) {
	in, err := parquet.Open(file, size)
	if err != nil {
		return nil, err
	}
	r := &parquetRows{row: from}
	var chosen []parquet.Column
	for _, c := range in.Columns() {
		if known := columnOf(c.Name); known != unknownColumn && m.has(known) {
			chosen = append(chosen, c)
			r.columns, r.types = append(r.columns, known), append(r.types, c.Type)
		}
	}
	for _, c := range m.columns {
		if c != unknownColumn && !slices.Contains(r.columns, c) {
			return nil, fmt.Errorf("it has no column for %s, which the manifest names", knownColumns()[c].name)
		}
	}
	r.in, err = in.Rows(chosen, from)
	return r, err
}

func (r *parquetRows) at(e *Error) { e.Row = r.row }

func (r *parquetRows) next(to *row) error {
	r.row++
	if err := r.in.Next(); err != nil {
		return err
	}
	r.text, r.ends = r.text[:0], r.ends[:0]
	for n, t := range r.types {
		switch {
		case r.in.Null(n):
		case t == parquet.Text:
			r.text = append(r.text, r.in.Text(n)...)
		case t == parquet.Int:
			r.text = strconv.AppendInt(r.text, r.in.Int(n), 10)
		case t == parquet.Bool:
			r.text = strconv.AppendBool(r.text, r.in.Bool(n))
		case t == parquet.Time:
			r.text = r.in.Time(n).AppendFormat(r.text, timeLayout)
		}
		r.ends = append(r.ends, len(r.text))
	}
	text, start := string(r.text), 0 // one allocation for all texts
	for n, end := range r.ends {
		to[r.columns[n]] = text[start:end]
		start = end
	}
	return nil
}

// timeLayout is how a LIST and CSV write times.
const timeLayout = "2006-01-02T15:04:05.000Z"
