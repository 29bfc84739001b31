package heads

import (
	"strings"
	"testing"

	"headcount/output/console"
)

func labelsOf(a *axis) string {
	var labels []string
	for _, t := range a.ticks {
		labels = append(labels, t.label)
	}
	return strings.Join(labels, "|")
}

// Ticks are at round numbers, and their labels have units.
func TestTicks(t *testing.T) {
	for _, c := range []struct {
		what string
		axis *axis
		want string
	}{
		{"rates", linearAxis("", 41_995, 5, rateLabel), "0|10 k|20 k|30 k|40 k|50 k"},
		{"few", linearAxis("", 0.7, 5, rateLabel), "0|0.2|0.4|0.6|0.8"},
		{"nothing", linearAxis("", 0, 5, rateLabel), "0|1"},
		{"millions", linearAxis("", 2.1e6, 5, rateLabel), "0|500 k|1 M|1.5 M|2 M|2.5 M"},
		{"half a minute", timeAxis(30, 6), "0|5 s|10 s|15 s|20 s|25 s|30 s"},
		{"two minutes", timeAxis(120, 6), "0|30 s|60 s|90 s|120 s"},
		{"an hour", timeAxis(3600, 6), "0|10 min|20 min|30 min|40 min|50 min|60 min"},
		{"a day", timeAxis(86_400, 6), "0|5 h|10 h|15 h|20 h"},
		{"no time", timeAxis(0, 6), "0"},
		{"latencies", logAxis("", 0.4, 80, latencyLabel), "200 µs|500 µs|1 ms|2 ms|5 ms|10 ms|20 ms|50 ms|100 ms"},
		{"decades", logAxis("", 0.4, 2000, latencyLabel), "100 µs|1 ms|10 ms|100 ms|1 s|10 s"},
		{"one latency", logAxis("", 5, 5, latencyLabel), "5 ms|10 ms"},
		{"powers of two", workersAxis(4, 64), "4|8|16|32|64"},
		{"other workers", workersAxis(5, 7), "5|7"},
		{"nines", ninesAxis(30_000), "50 %|90 %|99 %|99.9 %|99.99 %"},
		{"one answer", ninesAxis(1), "50 %"},
	} {
		if got := labelsOf(c.axis); got != c.want {
			t.Errorf("%s: %s, want %s", c.what, got, c.want)
		}
	}
}

// A value on the axis has a position between its ends; any other value has none.
func TestAxisPlaces(t *testing.T) {
	a := logAxis("", 1, 100, latencyLabel)
	a.from, a.to = 200, 0
	for _, c := range []struct {
		value, want float64
		on          bool
	}{{1, 200, true}, {10, 100, true}, {100, 0, true}, {101, 0, false}, {0.5, 0, false}, {0, 0, false}, {-1, 0,
		false}} {
		if px, on := a.position(c.value); on != c.on || px != c.want {
			t.Errorf("%g is at %g, %v; want %g, %v", c.value, px, on, c.want, c.on)
		}
	}
}

func TestTexts(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{console.Number(0), "0"}, {console.Number(999), "999"}, {console.Number(-1000), "-1,000"},
		{console.Number(-100), "-100"}, {console.Number(1_234_567), "1,234,567"},
		{figureText(0.004), "0.004"}, {figureText(0.123), "0.12"}, {figureText(9.994), "9.99"},
		{figureText(9.996), "10.0"},
		{figureText(99.96), "100"}, {figureText(1234.5), "1,235"}, {figureText(2e12), "2e+12"},
		{rateText(9.5), "9.50"}, {rateText(99.6), "100"}, {rateText(41_995.4), "41,995"},
		{commandText([]string{"headcount", "s3://b/it's 100 %/", ""}), `headcount 's3://b/it'\''s 100 %/' ''`},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}
