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

	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/exit"
)

// decompressed returns the text of the beginning of a file, which its name says how to decompress.
func decompressed(t *testing.T, name string, compressed []byte) string {
	t.Helper()
	var in io.Reader = bytes.NewReader(compressed)
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

// openAt opens a file and continues it at a Position.
func openAt(t *testing.T, name string, at checkpoint.Position) *File {
	t.Helper()
	f, err := OpenFile(t.Context(), name)
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

// writeAndSync writes some texts and returns the Position behind them.
func writeAndSync(t *testing.T, f *File, texts ...string) checkpoint.Position {
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

// A process that continues a file at a Position finds all bytes before the Position, and none behind it.
func TestFileContinues(t *testing.T) {
	for _, name := range []string{"o", "o.gz", "o.zst"} {
		t.Run(name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(name, []byte("the output of another run\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			f := openAt(t, name, checkpoint.Position{})
			first := writeAndSync(t, f, "one\n", "two\n")
			if got := decompressed(t, name, readFile(t, name)); got != "one\ntwo\n" || first.Bytes != f.Size() {
				t.Errorf("%q at %+v, of %d bytes", got, first, f.Size())
			}
			again := writeAndSync(t, f)
			if again != first {
				t.Errorf("nothing was written, and the Position changed from %+v to %+v", first, again)
			}
			second := writeAndSync(t, f, "three\n")
			if got := decompressed(t, name, readFile(t, name)[:second.Bytes]); got != "one\ntwo\nthree\n" {
				t.Errorf("%q", got)
			}
			if _, err := io.WriteString(f, strings.Repeat("behind the checkpoint\n", 10_000)); err != nil {
				t.Fatal(err)
			}
			f.f.Close() // as the end of a killed process does
			f = openAt(t, name, first)
			last := writeAndSync(t, f, "four\n")
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			text := readFile(t, name)
			if got := decompressed(t, name, text); got != "one\ntwo\nfour\n" || last.Bytes != int64(len(text)) {
				t.Errorf("%q at %+v, of %d bytes", got, last, len(text))
			}
		})
	}
}

// Check refuses a file that is not the file of a Position, and does not change the file.
func TestCheckRefuses(t *testing.T) {
	name := filepath.Join(t.TempDir(), "o")
	f := openAt(t, name, checkpoint.Position{})
	at := writeAndSync(t, f, strings.Repeat("a record\n", tailBytes))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	text := string(readFile(t, name))
	for what, c := range map[string]struct{ text, want string }{
		"as it was":      {text, ""},
		"longer":         {text + "half a li", ""},
		"cut":            {text[:len(text)-1], "it was cut"},
		"empty":          {"", "it was cut"},
		"another record": {text[:len(text)-2] + "x\n", "the file was changed"},
		"shifted":        {"x" + text, "the file was changed"},
	} {
		if err := os.WriteFile(name, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := OpenFile(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Check(at); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
		if err := f.Close(); err != nil || string(readFile(t, name)) != c.text {
			t.Errorf("%s: Check changed the file, %v", what, err)
		}
	}
}

// A program that asks for no lock can replace, remove or cut the file of a run. The run notices at its end.
func TestFileReplacedWhileOpen(t *testing.T) {
	for want, disturb := range map[string]func() error{
		"":                                     func() error { return os.Chmod("f", 0o600) },
		"f was replaced or removed by another": func() error { return os.Rename("other", "f") },
		"f was replaced or removed by":         func() error { return os.Remove("f") },
		"f was replaced or":                    func() error { return os.Rename("f", "moved") },
		"f was changed by another program":     func() error { return os.Truncate("f", 3) },
	} {
		t.Chdir(t.TempDir())
		if err := os.WriteFile("other", []byte("one\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		f := openAt(t, "f", checkpoint.Position{})
		if _, err := f.Write([]byte("one\n")); err != nil {
			t.Fatal(err)
		}
		if err := disturb(); err != nil {
			t.Fatal(err)
		}
		err := scan.WrapOutput(f.Close())
		if want == "" && err == nil {
			continue
		}
		if want == "" || err == nil || !strings.Contains(err.Error(), want) || exit.Code(err) != exit.Output {
			t.Errorf("%v (exit %d), want %q", err, exit.Code(err), want)
		}
	}
}
