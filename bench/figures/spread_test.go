package figures

import (
	"slices"
	"testing"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   Spread
	}{
		{nil, Spread{}},
		{[]float64{7}, Spread{7, 7, 7}},
		{[]float64{9, 1, 2}, Spread{2, 1, 9}},
		{[]float64{4, 1, 9, 2}, Spread{3, 1, 9}},
	} {
		given := slices.Clone(c.values)
		if got := SpreadOf(given); got != c.want || !slices.Equal(given, c.values) {
			t.Errorf("%v: %v", c.values, got)
		}
	}
}
