package csvrow

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// readAll returns the rows of a text, as Go writes them, and the error after the last one.
func readAll(text string, openEnd bool) (rows []string, err error) {
	r := NewReader(bufio.NewReaderSize(strings.NewReader(text), 16), 40)
	r.OpenEnd = openEnd
	for {
		row, err := r.Next()
		if err != nil {
			return rows, err
		}
		var cells []string
		for _, cell := range row {
			if cell.Quoted {
				cells = append(cells, fmt.Sprintf("%q", cell.Text))
			} else {
				cells = append(cells, string(cell.Text))
			}
		}
		rows = append(rows, strings.Join(cells, "|"))
	}
}

func TestRows(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                     nil,
		"a,b\n":                                {"a|b"},
		"a,b\r\n,\n":                           {"a|b", "|"},
		"\"\",\"a,\"\"\n\"\n":                  {`""|"a,\"\n"`},
		"\n":                                   {""},
		"\"more than sixteen bytes\",x\r\ny\n": {`"more than sixteen bytes"|x`, "y"},
	} {
		for _, openEnd := range []bool{false, true} {
			if got, err := readAll(text, openEnd); err != io.EOF || !slices.Equal(got, want) {
				t.Errorf("%q: %q, %v; want %q", text, got, err, want)
			}
		}
		if cut := strings.TrimSuffix(text, "\n"); cut != text && cut != "" {
			if got, err := readAll(cut, true); err != io.EOF || !slices.Equal(got, want) {
				t.Errorf("%q: %q, %v; want %q", cut, got, err, want)
			}
			if _, err := readAll(cut, false); err != io.ErrUnexpectedEOF {
				t.Errorf("%q: %v", cut, err)
			}
		}
	}
}

func TestBadRows(t *testing.T) {
	for text, want := range map[string]string{
		"a\"b\n":                                "a quote is not the first character of its cell",
		"\"a\"b\n":                              "a quote is not the last character of its cell",
		"\"a\n":                                 "the quotes of a cell are not closed: unexpected EOF",
		"\"a\"\"":                               "the quotes of a cell are not closed: unexpected EOF",
		strings.Repeat("a", 41) + "\n":          "it has more than 40 bytes",
		"\"" + strings.Repeat("a", 41) + "\"\n": "it has more than 40 bytes",
		strings.Repeat("a,b,", 11) + "\n":       "",
	} {
		_, err := readAll(text, true)
		if want == "" {
			want = "EOF"
		}
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
