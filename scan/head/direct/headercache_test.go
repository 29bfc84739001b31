package direct

import (
	"fmt"
	"slices"
	"testing"
)

// controlIndex finds the same control character as a comparison byte by byte, whatever stands beside it.
func TestControlIndex(t *testing.T) {
	naive := func(text []byte) int {
		isControl := func(c byte) bool { return c < ' ' || c == 0x7f }
		if i := slices.IndexFunc(text, isControl); i >= 0 {
			return i
		}
		return len(text)
	}
	neighbours := []byte{0, '\r', 0x1f, ' ', '~', 0x7f, 0x80, 0xa0, 0xff}
	for c := range 256 {
		for _, neighbour := range neighbours {
			for length := range 18 {
				for at := range length {
					text := []byte(fmt.Sprintf("%*s", length, ""))
					text[at] = byte(c)
					if at > 0 {
						text[at-1] = neighbour
					}
					if got, want := controlIndex(text), naive(text); got != want {
						t.Fatalf("%q: %d, want %d", text, got, want)
					}
				}
			}
		}
	}
}
