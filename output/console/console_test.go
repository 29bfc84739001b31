package console

import (
	"bytes"
	"math"
	"testing"
)

// The text of a key or a store is shown, and a terminal does not obey it.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain":                "plain",
		"日本 é 😀 \ufffd":        "日本 é 😀 \ufffd",
		`C:\dir "quoted"`:      `C:\dir "quoted"`,
		"a\x1b[2Jb\nc\r\t\x00": `a\x1b[2Jb\nc\r\t\x00`,
		"\xff\xe9 \x7f\u009b":  `\xff\xe9 \x7f\u009b`,
		"\u202eabc":            `\u202eabc`,
	} {
		if got := Printable(text); got != want {
			t.Errorf("%q is shown as %s, want %s", text, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999",
		math.MaxInt64: "9,223,372,036,854,775,807",
	} {
		if got := Number(n); got != want {
			t.Errorf("%d is written %s", n, got)
		}
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int64]string{0: "0 tries", 1: "1 try", 1000: "1,000 tries"} {
		if got := Count(n, "try", "tries"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestFit(t *testing.T) {
	for columns, want := range map[int]string{0: "", 1: "", 3: "é─", 4: "é─x", 80: "é─x"} {
		if got := Fit("é─x", columns); got != want {
			t.Errorf("%d columns: %q, want %q", columns, got, want)
		}
	}
}

// A drawn line is removed before anything else is written, and by no escape sequence but ClearLine.
func TestStatusLine(t *testing.T) {
	var text bytes.Buffer
	s := NewStatusLine(&text)
	s.Draw("one")
	s.Draw("two")
	PrintLine(s, "a line")
	PrintLine(s, "another")
	s.Draw("three")
	s.Draw("")
	s.Draw("")
	if want := "one" + ClearLine + "two" + ClearLine + "a line\nanother\nthree" + ClearLine; text.String() != want {
		t.Errorf("%q, want\n%q", text.String(), want)
	}
	if got := s.Columns(); got != columnsDefault {
		t.Errorf("%d columns", got)
	}
}
