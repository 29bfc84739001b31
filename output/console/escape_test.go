package console

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// Whatever a text holds, it has no character that a terminal obeys after the escapes, and JSON stays the same JSON.
func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		"plain é 😀 \u200d":         `plain é 😀 ` + "\u200d",
		"del\x7f nel\u0085 \u009b": `del\u007f nel\u0085 \u009b`,
		"\u202a\u202e\u2066\u2069": `\u202a\u202e\u2066\u2069`,
		"\u200e\u200f\u061c end":   `\u200e\u200f\u061c end`,
		"\x1b[2J\x00":              `\u001b[2J\u0000`,
		"\x9b2J \xff\xc3 \ufffd":   `\x9b2J \xff\xc3 ` + "\ufffd",
	} {
		if got := string(Escape([]byte(text))); got != want {
			t.Errorf("%q is written %s, want %s", text, got, want)
		}
	}
	var all strings.Builder
	for r := rune(0); r < 0x11000; r++ {
		all.WriteRune(r)
	}
	line, err := json.Marshal(all.String())
	if err != nil {
		t.Fatal(err)
	}
	var read string
	escaped := Escape(append(line, '\n'))
	if err := json.Unmarshal(escaped, &read); err != nil || read != all.String() {
		t.Errorf("not the same JSON: %v", err)
	}
	if n := len(escaped); escaped[n-1] != '\n' {
		t.Error("the line feed is escaped")
	}
}

type failingWriter struct{ after int }

func (f failingWriter) Write(text []byte) (int, error) { return f.after, errors.New("full") }

// An EscapingWriter has the contract of io.Writer: it counts the bytes that it was given.
func TestEscapingWriter(t *testing.T) {
	var out bytes.Buffer
	if n, err := EscapingWriter(&out).Write([]byte("a\x7fb\n")); n != 4 || err != nil || out.String() != "a\\u007fb\n" {
		t.Errorf("%d, %v, %q", n, err, out.String())
	}
	if n, err := EscapingWriter(failingWriter{2}).Write([]byte("abc")); n != 2 || err == nil {
		t.Errorf("%d, %v", n, err)
	}
	if n, err := EscapingWriter(failingWriter{7}).Write([]byte("a\x7f\x7fb")); n > 4 || err == nil {
		t.Errorf("%d, %v", n, err)
	}
}
