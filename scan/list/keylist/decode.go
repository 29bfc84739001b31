package keylist

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"headcount/scan/csvrow"
	"headcount/scan/exit"
	"headcount/scan/list"
)

// decoder reads the next entry of a text, or returns io.EOF. Its other errors are about the record that it has read.
type decoder func(*text) (list.Entry, error)

// newDecoder returns the decoder of the form that the text has. It consumes what comes before the first record.
func (f *File) newDecoder() (decoder, error) {
	if f.cfg.Null {
		return decodeNull, nil
	}
	if err := f.text.skipMark(); err != nil {
		return nil, err
	}
	if f.cfg.Column != "" {
		return f.newCSVDecoder()
	}
	if first, _ := f.text.in.Peek(1); string(first) == "{" { // an error comes again
		return decodeJSON, nil
	}
	return decodeLine, nil
}

// skipMark consumes the mark by which some programs begin UTF-8, and refuses other encodings.
func (t *text) skipMark() error {
	begin, err := t.in.Peek(3)
	switch {
	case string(begin) == "\uFEFF":
		return t.skip(3)
	case bytes.HasPrefix(begin, []byte("\xFF\xFE")), bytes.HasPrefix(begin, []byte("\xFE\xFF")):
		return exit.WithHint(errors.New("the text is in UTF-16"), "convert the file to UTF-8: iconv -f UTF-16 -t UTF-8")
	case err != nil && err != io.EOF:
		return err
	}
	return nil
}

// entry returns the entry of a key of which nothing else is known.
func entry(key []byte) list.Entry { return list.Entry{Key: string(key), Size: -1} }

// decodeLine reads a key that is a line. Empty lines are none.
func decodeLine(t *text) (list.Entry, error) {
	for {
		line, err := t.record()
		if err != nil {
			return list.Entry{}, err
		}
		switch line = bytes.TrimSuffix(line, []byte("\r")); {
		case len(line) == 0:
			t.consume()
		case bytes.IndexByte(line, 0) >= 0:
			return list.Entry{}, exit.WithHint(errors.New("it has a NUL"), "-0 reads keys that end in NULs")
		default:
			return entry(line), nil
		}
	}
}

// decodeNull reads a key that ends in a NUL.
func decodeNull(t *text) (list.Entry, error) {
	key, err := t.record()
	switch {
	case err != nil:
		return list.Entry{}, err
	case len(key) == 0:
		return list.Entry{}, errors.New("it is empty")
	case t.handedOut()-t.at == int64(len(key)):
		return list.Entry{}, errors.New("it does not end in a NUL")
	}
	return entry(key), nil
}

// newCSVDecoder reads the titles, and returns the decoder of the rows.
func (f *File) newCSVDecoder() (decoder, error) {
	rows := csvrow.NewReader(f.text.in, recordBytesMax)
	rows.OpenEnd = true
	titles, err := rows.Next()
	if err == io.EOF {
		err = errors.New("there are no titles: the file is empty")
	}
	if err != nil {
		return nil, hintAtRow(err)
	}
	names := make([]string, len(titles))
	for i := range titles {
		names[i] = string(titles[i].Text)
	}
	column := slices.Index(names, f.cfg.Column)
	missing := fmt.Errorf("no column has the title %q: the titles are %q", f.cfg.Column, names)
	switch {
	case column < 0 && len(names) == 1 && strings.ContainsAny(names[0], ";\t"):
		return nil, exit.WithHint(missing, "only commas separate the cells: write commas in place of semicolons or tabs")
	case column < 0:
		return nil, exit.WithHint(missing, "--keys-column names one of the titles in the first line")
	case slices.Contains(names[column+1:], f.cfg.Column):
		return nil, fmt.Errorf("two columns have the title %q", f.cfg.Column)
	}
	f.text.consume()
	return func(*text) (list.Entry, error) {
		row, err := rows.Next()
		switch {
		case err != nil:
			return list.Entry{}, hintAtRow(err)
		case len(row) != len(names):
			return list.Entry{}, exit.WithHint(
				fmt.Errorf("the row has %d cells, and there are %d titles", len(row), len(names)),
				"each row has a cell for each title; a cell with a comma or a line end stands in quotes")
		case len(row[column].Text) == 0:
			return list.Entry{}, fmt.Errorf("column %s: the key is empty", f.cfg.Column)
		}
		return entry(row[column].Text), nil
	}, nil
}

// hintAtRow returns the error of a row of CSV with a hint, if there is one.
func hintAtRow(err error) error {
	switch {
	case err == io.EOF:
		return err
	case errors.Is(err, csvrow.ErrOpenQuote):
		return exit.WithHint(err, "the row begins on this line: close the quotes of each cell")
	case errors.Is(err, csvrow.ErrQuote):
		return exit.WithHint(err, `a cell with a quote stands in quotes, and has "" for it; only commas separate the cells`)
	}
	return err
}

// Object is what is read of a JSON object: a record of an earlier scan, or a line of --errors or --missing. Other
// members are skipped.
type Object struct {
	Key          member[string] `json:"key"`
	KeyB64       member[[]byte] `json:"key_b64"`
	Prefix       bool           `json:"prefix"`
	VersionID    string         `json:"version_id"`
	IsLatest     bool           `json:"is_latest"`
	DeleteMarker bool           `json:"delete_marker"`
	ETag         string         `json:"etag"`
	Size         *int64         `json:"size"`
	LastModified string         `json:"last_modified"`
	ListedKey    string         `json:"listed_key"`
	ListedKeyB64 []byte         `json:"listed_key_b64"`
}

// member is a member of a JSON object. encoding/json keeps the last one of several, and does not say that there were
// more.
type member[T any] struct {
	value T
	count int
	text  []byte // as it is written; valid until the next line
}

func (m *member[T]) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		return nil
	}
	m.count++
	m.text = text
	return json.Unmarshal(text, &m.value)
}

// isLossy reports whether a text was written with half of a surrogate pair, as Python writes names that are not UTF-8.
// encoding/json reads U+FFFD in its place, which is written in one of two ways.
func (m *member[T]) isLossy() bool {
	if !bytes.Contains(m.text, []byte(`\u`)) {
		return false
	}
	replaced := strings.Count(fmt.Sprint(m.value), "\uFFFD")
	return replaced > bytes.Count(m.text, []byte("\uFFFD"))+bytes.Count(bytes.ToLower(m.text), []byte(`\ufffd`))
}

// decodeJSON reads a line with a JSON object. Empty lines are none.
func decodeJSON(t *text) (list.Entry, error) {
	for {
		line, err := t.record()
		if err != nil {
			return list.Entry{}, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			t.consume()
			continue
		}
		return parseObject(line)
	}
}

// parseObject returns the entry that a JSON object names.
func parseObject(line []byte) (list.Entry, error) {
	if !utf8.Valid(line) { // encoding/json would read another key
		return list.Entry{}, errors.New("it is not UTF-8: the member key_b64 has such a key in base64")
	}
	var o Object
	if err := json.Unmarshal(line, &o); err != nil {
		return list.Entry{}, describe(err)
	}
	return o.Entry()
}

// Entry returns the entry that the object names. Its error says what is wrong with the object. The text from which the
// object was decoded is still valid.
func (o *Object) Entry() (list.Entry, error) {
	e := list.Entry{
		Key: o.Key.value + string(o.KeyB64.value), Encoded: o.ListedKey + string(o.ListedKeyB64),
		ETag: strings.Trim(o.ETag, `"`), Size: -1, LastModified: o.LastModified, CommonPrefix: o.Prefix,
	}
	switch {
	case o.Key.count+o.KeyB64.count > 1:
		return e, errors.New("it has more than one key")
	case e.Key == "":
		return e, errors.New("it has no key")
	case o.Key.isLossy():
		return e, errors.New(`it has half of a surrogate pair, as \udcff: the member key_b64 has such a key in base64`)
	}
	if o.VersionID != "" {
		e.Details = &list.Details{VersionID: o.VersionID, IsLatest: o.IsLatest, DeleteMarker: o.DeleteMarker}
	}
	if o.Size != nil && *o.Size >= 0 {
		e.Size = *o.Size
	}
	return e, nil
}

// describe says where in the line an error of encoding/json is, and what is there, without the names of Go's types.
func describe(err error) error {
	var (
		syntax *json.SyntaxError
		kind   *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("column %d: %w", syntax.Offset, err)
	case errors.As(err, &kind) && kind.Field != "":
		return fmt.Errorf("the member %s is a JSON %s", kind.Field, kind.Value) // Offset may be that in the member
	case errors.As(err, &kind):
		return fmt.Errorf("column %d: a JSON %s", kind.Offset, kind.Value)
	}
	return err
}
