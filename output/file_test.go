package output

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"headcount/scan/checkpoint"
)

// unpacked is what the beginning of a file holds, by its name.
func unpacked(t *testing.T, name string, packed []byte) string {
	t.Helper()
	var in io.Reader = bytes.NewReader(packed)
	var err error
	switch Compression(name) {
	case "gzip":
		in, err = gzip.NewReader(in)
	case "zstd":
		in, err = zstd.NewReader(in)
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// began opens a file and goes on with it at a place.
func began(t *testing.T, name string, at checkpoint.Position) *File {
	t.Helper()
	f, err := OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if at != (checkpoint.Position{}) {
		if err := f.Check(at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Truncate(at); err != nil {
		t.Fatal(err)
	}
	return f
}

// synced writes some texts and returns where they end.
func synced(t *testing.T, f *File, texts ...string) checkpoint.Position {
	t.Helper()
	for _, text := range texts {
		if _, err := io.WriteString(f, text); err != nil {
			t.Fatal(err)
		}
	}
	at, err := f.Sync()
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// A process that goes on at a place finds all that was written before it, and nothing of what came after.
func TestFileIsGoneOnWith(t *testing.T) {
	for _, name := range []string{"o", "o.gz", "o.zst"} {
		t.Run(name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(name, []byte("what another run has left\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			f := began(t, name, checkpoint.Position{})
			first := synced(t, f, "one\n", "two\n")
			if got := unpacked(t, name, readFile(t, name)); got != "one\ntwo\n" || first.Bytes != f.Size() {
				t.Errorf("%q at %+v, of %d bytes", got, first, f.Size())
			}
			again := synced(t, f)
			if again != first {
				t.Errorf("nothing was written, and the place is %+v after %+v", again, first)
			}
			second := synced(t, f, "three\n")
			if got := unpacked(t, name, readFile(t, name)[:second.Bytes]); got != "one\ntwo\nthree\n" {
				t.Errorf("%q", got)
			}
			if _, err := io.WriteString(f, strings.Repeat("of no checkpoint\n", 10_000)); err != nil {
				t.Fatal(err)
			}
			f.f.Close() // as a process that is killed does
			f = began(t, name, first)
			last := synced(t, f, "four\n")
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			text := readFile(t, name)
			if got := unpacked(t, name, text); got != "one\ntwo\nfour\n" || last.Bytes != int64(len(text)) {
				t.Errorf("%q at %+v, of %d bytes", got, last, len(text))
			}
		})
	}
}

// A file of which a place is not a place is not gone on with, and Check changes nothing of it.
func TestFileOfAnother(t *testing.T) {
	name := filepath.Join(t.TempDir(), "o")
	f := began(t, name, checkpoint.Position{})
	at := synced(t, f, strings.Repeat("a record\n", tailBytes))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	text := string(readFile(t, name))
	for what, c := range map[string]struct{ text, want string }{
		"as it was":      {text, ""},
		"longer":         {text + "half a li", ""},
		"cut":            {text[:len(text)-1], "it was cut"},
		"empty":          {"", "it was cut"},
		"another record": {text[:len(text)-2] + "x\n", "it was changed"},
		"shifted":        {"x" + text, "it was changed"},
	} {
		if err := os.WriteFile(name, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := OpenFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Check(at); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
		if err := f.Close(); err != nil || string(readFile(t, name)) != c.text {
			t.Errorf("%s: it was changed by a look, %v", what, err)
		}
	}
}
