package cli

import "testing"

func TestGCPercent(t *testing.T) {
	for live, want := range map[uint64]int{
		0: 100, 4 << 20: 100, 18 << 20: 100, 24 << 20: 40, 21 << 20: 60, 30 << 20: 40, 36 << 20: 40, 8 << 30: 40,
	} {
		if got := gcPercentFor(live); got != want {
			t.Errorf("%d bytes in use: %d, want %d", live, got, want)
		}
	}
}
