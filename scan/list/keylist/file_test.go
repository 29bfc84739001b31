package keylist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"headcount/scan/exit"
	"headcount/scan/list"
)

// fileOf returns the File of a text.
func fileOf(text string, cfg Config) *File {
	cfg.Name = "--keys k"
	cfg.Open = func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }
	return New(cfg)
}

// read returns the entries of a Range, and its Pages.
func read(t *testing.T, f *File, rng list.Range) (entries []list.Entry, pages []*list.Page, err error) {
	t.Helper()
	source := f.Pager(rng)
	for {
		page, err := source.Next(t.Context())
		if page == nil {
			return entries, pages, err
		}
		entries, pages = append(entries, page.Entries...), append(pages, page)
	}
}

func keysOf(entries []list.Entry) (keys []string) {
	for i := range entries {
		keys = append(keys, entries[i].Key)
	}
	return keys
}

// Every form gives the keys as they are written, in the order of the text.
func TestForms(t *testing.T) {
	for _, c := range []struct {
		text string
		cfg  Config
		want []string
	}{
		{"b\na\nb\n", Config{}, []string{"b", "a", "b"}},
		{"b\r\n\r\n\na b%20+\xff\n", Config{}, []string{"b", "a b%20+\xff"}},
		{"\uFEFFa\nlast", Config{}, []string{"a", "last"}},
		{" a \n", Config{}, []string{" a "}},
		{"a\x00{b\n\r\x00", Config{Null: true}, []string{"a", "{b\n\r"}},
		{"id,key\n1,a\n2,\"b,\"\"\n\"\r\n3,c", Config{Column: "key"}, []string{"a", "b,\"\n", "c"}},
		{"\uFEFF\"key\"\n{\n", Config{Column: "key"}, []string{"{"}},
		{`{"key":"a\n\u00e9"}` + "\n\n" + ` {"size":3,"key_b64":"/w=="}` + "\r\n", Config{}, []string{"a\né", "\xff"}},
		{`{"key":"\ud83d\ude00\uFFFD` + "\uFFFD" + `"}`, Config{}, []string{"😀\uFFFD\uFFFD"}},
		{`{"key":null,"key_b64":"YQ==","other":[1,{}]}`, Config{}, []string{"a"}},
		{"p/a\np/\n", Config{Prefix: "p/"}, []string{"p/a", "p/"}},
		{`{"key":"p/","prefix":true}`, Config{Prefixes: true}, []string{"p/"}},
	} {
		entries, _, err := read(t, fileOf(c.text, c.cfg), list.Range{})
		if got := keysOf(entries); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, %v; want %q", c.text, got, err, c.want)
		}
		for i := range entries {
			if e := &entries[i]; e.ETag != "" || e.CommonPrefix != c.cfg.Prefixes || c.text[0] != '{' && e.Size != -1 {
				t.Errorf("%q: %+v", c.text, e)
			}
		}
	}
}

// A line of JSON says what an earlier scan has listed.
func TestJSONSaysWhatWasListed(t *testing.T) {
	const line = `{"key":"a b","listed_key":"a%20b","etag":"\"x\"","size":7,"last_modified":"2026-01-02T03:04:05Z"}`
	entries, _, err := read(t, fileOf(line, Config{}), list.Range{})
	want := list.Entry{Key: "a b", Encoded: "a%20b", ETag: "x", Size: 7, LastModified: "2026-01-02T03:04:05Z"}
	if err != nil || len(entries) != 1 || entries[0] != want {
		t.Errorf("%+v, %v; want %+v", entries, err, want)
	}
}

// A line of JSON can name a version.
func TestJSONNamesVersions(t *testing.T) {
	const lines = `{"key":"a","version_id":"null"}` + "\n" + `{"key":"a","version_id":"v","delete_marker":true,"is_latest":true}`
	entries, _, err := read(t, fileOf(lines, Config{}), list.Range{})
	if err != nil || len(entries) != 2 || entries[0].VersionID() != "null" || entries[0].Details.DeleteMarker ||
		entries[1].VersionID() != "v" || !entries[1].Details.DeleteMarker || !entries[1].Details.IsLatest {
		t.Errorf("%+v, %v", entries, err)
	}
}

// A mistake is a usage error that names the file and the line.
func TestMistakes(t *testing.T) {
	long := strings.Repeat("k", 1025)
	for _, c := range []struct {
		text string
		cfg  Config
		want string
	}{
		{"a\n" + long, Config{}, "line 2: the key has 1025 bytes, and S3 allows 1024"},
		{strings.Repeat("k", 2<<20), Config{}, "line 1: it has more than 1048576 bytes"},
		{"a\n\nb\x00\n", Config{}, "line 3: it has a NUL"},
		{"\xff\xfea\x00\n\x00", Config{}, "line 1: the text is in UTF-16"},
		{"p/a\nq\n", Config{Prefix: "p/"}, `line 2: the key "q" is not below the prefix "p/"`},
		{"a\x00b", Config{Null: true}, "key 2: it does not end in a NUL"},
		{"a\x00\x00", Config{Null: true}, "key 2: it is empty"},
		{"", Config{}, "it has no keys"},
		{"\n\r\n", Config{}, "it has no keys"},
		{"", Config{Null: true}, "it has no keys"},
		{"\uFEFFid,key\n", Config{Column: "key"}, "it has no keys"},
		{"\n", Config{Prefixes: true}, "it has no prefixes"},
		{"", Config{Column: "key"}, "line 1: there are no titles: the file is empty"},
		{"id,name\n", Config{Column: "key"}, `line 1: no column has the title "key": the titles are ["id" "name"]`},
		{"key,key\n", Config{Column: "key"}, `line 1: two columns have the title "key"`},
		{"key,id\n\"a\n\",1\nb\n", Config{Column: "key"}, "line 4: the row has 1 cells, and there are 2 titles"},
		{"key,id\n,1\n", Config{Column: "key"}, "line 2: column key: the key is empty"},
		{"key\n\"a", Config{Column: "key"}, "line 2: the quotes of a cell are not closed"},
		{"{\"key\":\"a\"}\n{\"key\" \"b\"}\n", Config{}, "line 2: column 8: invalid character '\"' after object key"},
		{`{"key":7}`, Config{}, "line 1: the member key is a JSON number"},
		{`{"key":"a","size":"7"}`, Config{}, "line 1: the member size is a JSON string"},
		{"{\"key\":\"a\"}\n[\"b\"]", Config{}, "line 2: column 1: a JSON array"},
		{`{"key":"a"} {"key":"b"}`, Config{}, "line 1: column 13: invalid character '{' after top-level value"},
		{`{"size":7}`, Config{}, "line 1: it has no key"},
		{`{"key":"a","key_b64":"YQ=="}`, Config{}, "line 1: it has more than one key"},
		{`{"key":"a\udcff"}`, Config{}, `line 1: it has half of a surrogate pair, as \udcff: the member key_b64 has such`},
		{"{\"key\":\"\xff\"}", Config{}, "line 1: it is not UTF-8: the member key_b64 has such a key in base64"},
		{`{"key":"p/","prefix":true}`, Config{}, `line 1: "p/" is a prefix, and no object`},
	} {
		_, _, err := read(t, fileOf(c.text, c.cfg), list.Range{})
		if err == nil || !strings.HasPrefix(err.Error(), "--keys k: "+c.want) || exit.Code(err) != exit.Usage ||
			exit.Hint(err) == "" {
			t.Errorf("%.40q: %v (%s), want %s", c.text, err, exit.Hint(err), c.want)
		}
	}
	f := New(Config{Name: "--keys k", Open: func() (io.ReadCloser, error) { return os.Open(t.TempDir()) }})
	if _, _, err := read(t, f, list.Range{}); err == nil || err.Error() != "--keys k: is a directory" {
		t.Error(err)
	}
	f = New(Config{Name: "--keys k", Open: func() (io.ReadCloser, error) { return nil, errors.New("no such file") }})
	if _, _, err := read(t, f, list.Range{}); err == nil || err.Error() != "--keys k: no such file" {
		t.Error(err)
	}
}

// The hint about CSV is about the mistake that it has.
func TestHintsAboutCSV(t *testing.T) {
	for text, want := range map[string]string{
		"key\n\"a":         "close the quotes",
		"\"key\na":         "close the quotes",
		"key,id\na,1,2\n":  "a cell for each title",
		"id;key\n1;a\n":    "only commas separate",
		"id\tkey\n1\ta\n":  "only commas separate",
		"\"id\";\"key\"\n": "only commas separate",
		"id,name\n":        "names one of the titles",
		"key,key\n":        "reads CSV whose first line has the titles",
	} {
		_, _, err := read(t, fileOf(text, Config{Column: "key"}), list.Range{})
		if !strings.Contains(exit.Hint(err), want) {
			t.Errorf("%q: %v: %s, want %s", text, err, exit.Hint(err), want)
		}
	}
}

// Keys that the store does not have may be rows of CSV, or lines of a JSON array.
func TestHintIfNoneFound(t *testing.T) {
	for _, c := range []struct {
		text string
		cfg  Config
		want string
	}{
		{"size,key\n1,a\n", Config{}, "--keys-column NAME"},
		{"[\n\"a\",\n]\n", Config{}, "jq -c '.[]'"},
		{"[{\"key\":\"a\"}]\n", Config{}, "jq -c '.[]'"},
		{"a\nb,c\n", Config{}, ""},
		{"a,b\x00", Config{Null: true}, ""},
		{"key\n\"a,b\"\n", Config{Column: "key"}, ""},
	} {
		f := fileOf(c.text, c.cfg)
		_, _, err := read(t, f, list.Range{})
		if got := f.HintIfNoneFound(); err != nil || !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("%q: %s, %v; want %s", c.text, got, err, c.want)
		}
	}
}

// texts are one list of keys in every form.
func texts(n int) map[string]Config {
	forms := map[string]Config{}
	var lines, null, table, objects strings.Builder
	table.WriteString("key\r\n")
	for i := range n {
		key := fmt.Sprintf("%d-%s", i*7919%n, strings.Repeat("é", i%50))
		fmt.Fprintf(&lines, "%s\n", key)
		fmt.Fprintf(&null, "%s\x00", key)
		fmt.Fprintf(&table, "\"%s\"\n", key)
		fmt.Fprintf(&objects, "{\"key\":%q}\n\n", key)
	}
	forms[lines.String()], forms[null.String()] = Config{}, Config{Null: true}
	forms[table.String()], forms[objects.String()] = Config{Column: "key"}, Config{}
	return forms
}

// Pages adjoin, and any Range between two of their places gives the same keys as they did.
func TestRanges(t *testing.T) {
	for text, cfg := range texts(3500) {
		all, pages, err := read(t, fileOf(text, cfg), list.Range{})
		if err != nil || len(all) != 3500 || len(pages) != 4 {
			t.Fatalf("%d keys, %d pages, %v", len(all), len(pages), err)
		}
		for i, page := range pages {
			before := ""
			if i > 0 {
				before = pages[i-1].Range.Through
			}
			if page.Range.After != before || page.Range.Through <= before {
				t.Errorf("page %d is %v, after %s", i, page.Range, before)
			}
		}
		// What a killed run leaves: page 1, and all from page 3 on.
		f := fileOf(text, cfg)
		one, _, err := read(t, f, pages[1].Range)
		rest, _, restErr := read(t, f, list.Range{After: pages[2].Range.Through})
		if err != nil || restErr != nil || !slices.Equal(keysOf(one), keysOf(all[1000:2000])) ||
			!slices.Equal(keysOf(rest), keysOf(all[3000:])) {
			t.Errorf("%d keys, %d keys, %v, %v", len(one), len(rest), err, restErr)
		}
		// Places of other pages than before.
		both, _, err := read(t, fileOf(text, cfg), list.Range{After: pages[0].Range.Through, Through: pages[2].Range.Through})
		if err != nil || len(both) != 2000 {
			t.Errorf("%d keys, %v", len(both), err)
		}
	}
}

// A text that has changed in front of a place is refused there. Behind all places, it may have changed.
func TestChangedText(t *testing.T) {
	for text, cfg := range texts(3500) {
		_, pages, _ := read(t, fileOf(text, cfg), list.Range{})
		at := int(bytesOf(pages[1].Range.Through))
		hole, rest := pages[1].Range, list.Range{After: pages[1].Range.Through}
		digit := at - 300 + strings.IndexAny(text[at-300:], "0123456789")
		for _, changed := range []string{
			text[1:], "0" + text, text[:at-30], text[:digit] + "x" + text[digit+1:], "",
		} {
			for _, rng := range []list.Range{hole, rest} {
				f := fileOf(changed, cfg)
				_, _, err := read(t, f, rng)
				if exit.Code(err) != exit.Usage {
					t.Errorf("%d bytes, %v: %v", len(changed), rng, err)
				}
			}
		}
		for _, changed := range []string{text + "more", text[:at]} {
			if _, _, err := read(t, fileOf(changed, cfg), hole); err != nil {
				t.Errorf("changed behind the range: %v", err)
			}
		}
	}
}

// A mistake comes again: no later call skips it.
func TestMistakeIsFinal(t *testing.T) {
	source := fileOf("a\x00b\n", Config{}).Pager(list.Range{})
	for range 2 {
		if page, err := source.Next(t.Context()); page != nil || err == nil {
			t.Errorf("%v, %v", page, err)
		}
	}
}

// An error of the file names the line before which it came.
func TestReadError(t *testing.T) {
	f := New(Config{Name: "--keys k", Open: func() (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader("a\nb\n"), iotest.ErrReader(errors.New("broken")))), nil
	}})
	if _, _, err := read(t, f, list.Range{}); err == nil || err.Error() != "--keys k: line 3: broken" {
		t.Error(err)
	}
}

// Next ends with its context while the writer of a pipe waits.
func TestNextEndsWithItsContext(t *testing.T) {
	r, w := io.Pipe()
	f := New(Config{Name: "--keys -", Open: func() (io.ReadCloser, error) { return r, nil }})
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("why")
	go func() {
		_, _ = w.Write([]byte("a\n")) // it returns when the File has read it
		cancel(why)
	}()
	if page, err := f.Pager(list.Range{}).Next(ctx); page != nil || err != why {
		t.Errorf("%v, %v", page, err)
	}
	f.Close()
}

func TestAll(t *testing.T) {
	all, err := fileOf("b\na\n", Config{Prefixes: true}).All(t.Context(), 2)
	if err != nil || !slices.Equal(all, []string{"b", "a"}) {
		t.Errorf("%q, %v", all, err)
	}
	if _, err := fileOf("b\na\n", Config{Prefixes: true}).All(t.Context(), 1); exit.Code(err) != exit.Usage {
		t.Error(err)
	}
}

func BenchmarkFile(b *testing.B) {
	for text, cfg := range texts(100_000) {
		b.Run(fmt.Sprintf("%+v", strings.SplitN(text, "\n", 2)[0][:4]), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				source := fileOf(text, cfg).Pager(list.Range{})
				for {
					page, err := source.Next(b.Context())
					if err != nil {
						b.Fatal(err)
					}
					if page == nil {
						break
					}
				}
			}
		})
	}
}
