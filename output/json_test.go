package output

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func FuzzString(f *testing.F) {
	for _, seed := range []string{"", "a", "\"\\", "\u2028\u2029", "\xe2\x80", "\xff", "😀", "\x7f", "\xed\xa0\x80"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var back string
		if err := json.Unmarshal(appendString(nil, []byte(text)), &back); err != nil {
			t.Fatal(err)
		}
		if want := string([]rune(text)); back != want { // each byte that is not UTF-8 is U+FFFD
			t.Fatalf("%q was read back as %q", text, back)
		}
	})
}

// isVerbatim against a loop over the bytes: every byte, at every index of texts of up to 19 bytes.
func TestIsVerbatim(t *testing.T) {
	for length := range 20 {
		for at := range length {
			for c := range 256 {
				text := bytes.Repeat([]byte("a"), length)
				text[at] = byte(c)
				want := c >= ' ' && c < 0x7f && c != '"' && c != '\\'
				if got := isVerbatim(text); got != want {
					t.Fatalf("%q: %v", text, got)
				}
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOf(rapid.ByteRange(0x1f, 0x81)).Draw(t, "text")
		want := !slices.ContainsFunc(text, func(c byte) bool { return c < ' ' || c >= 0x7f || c == '"' || c == '\\' })
		if got := isVerbatim(text); got != want {
			t.Fatalf("%q: %v", text, got)
		}
	})
}
