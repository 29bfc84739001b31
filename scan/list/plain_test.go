package list

import (
	"bytes"
	"strings"
	"testing"
)

// naiveRun is the twin of plain and letters: one byte at a time.
func naiveRun(text []byte, belongs func(byte) bool) int {
	for i, b := range text {
		if !belongs(b) {
			return i
		}
	}
	return len(text)
}

func TestPlainAndLettersCountAsTheirTwins(t *testing.T) {
	isPlain := func(b byte) bool { return b >= 0x20 && b < 0x80 && !strings.ContainsRune("&<>", rune(b)) }
	isLetter := func(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }
	// Every pair of bytes at every place of a word and of what is left after one: a wrong mark needs a neighbour.
	for first := range 256 {
		for second := range 256 {
			for at := range 12 {
				text := bytes.Repeat([]byte("a"), 14)
				text[at], text[at+1] = byte(first), byte(second)
				if got, want := plainEnd(text, 0), naiveRun(text, isPlain); got != want {
					t.Fatalf("plainEnd(%q) is %d, want %d", text, got, want)
				}
				if got, want := lettersEnd(text, 0), naiveRun(text, isLetter); got != want {
					t.Fatalf("lettersEnd(%q) is %d, want %d", text, got, want)
				}
			}
		}
	}
	for n := range 20 {
		text := []byte(strings.Repeat("Zz", 10)[:n])
		if plainEnd(text, 0) != n || lettersEnd(text, 0) != n {
			t.Errorf("of %d letters, plain has %d and letters %d", n, plainEnd(text, 0), lettersEnd(text, 0))
		}
	}
}
