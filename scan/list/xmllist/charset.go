package xmllist

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// errNotASCII is a document that declares another encoding than UTF-8, and needs it.
var errNotASCII = errors.New("the response is not in UTF-8")

// charsetReader reads a document that declares another encoding than UTF-8. Some stores declare one and write only
// ASCII, which most encodings have in common. Another byte is refused: it may be UTF-8 in spite of the declaration, and
// a wrong guess would change a key.
func charsetReader(charset string, body io.Reader) (io.Reader, error) {
	name := strings.NewReplacer("_", "-", " ", "").Replace(strings.ToLower(charset))
	switch {
	case name == "utf8":
		return body, nil
	case slices.Contains([]string{"us-ascii", "ascii", "windows-1252", "cp1252"}, name),
		strings.HasPrefix(name, "iso-8859-"), strings.HasPrefix(name, "latin"):
		return asciiReader{body, charset}, nil
	}
	return nil, fmt.Errorf("unknown encoding %.40q", charset)
}

// asciiReader refuses bytes that are not ASCII.
type asciiReader struct {
	io.Reader
	charset string // that the document declares
}

func (r asciiReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if slices.ContainsFunc(p[:n], func(b byte) bool { return b >= utf8.RuneSelf }) {
		return 0, fmt.Errorf("%w: it declares %.40s, and has bytes other than ASCII", errNotASCII, r.charset)
	}
	return n, err
}
