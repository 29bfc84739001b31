package heads

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

// checkChart checks the properties of every chart. A chart has chartRows rows at most, and one more for errors.
func checkChart(t tester, text string) {
	t.Helper()
	if text == "" {
		return
	}
	if notNumber(text) != "" || strings.ContainsAny(text, "\x1b\t") || !strings.HasSuffix(text, "\n") {
		t.Errorf("not a chart:\n%s", text)
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > chartRows+2 {
		t.Errorf("%d lines:\n%s", len(lines), text)
	}
	for _, line := range lines {
		if n := utf8.RuneCountInString(line); n > chartColumns {
			t.Errorf("%d columns: %s", n, line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("spaces end %q", line)
		}
	}
}

func TestCharts(t *testing.T) {
	for name, r := range samples() {
		text := r.chart()
		checkChart(t, text)
		if (text == "") != (name == "empty") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

func TestBarChart(t *testing.T) {
	r := &Report{
		Steps: []Step{
			{Workers: 1, HeadsPerSecond: 1000, Latency: Latency{P99: 1.25}},
			{Workers: 8, HeadsPerSecond: 7920, Latency: Latency{P99: 1.5}},
			{Workers: 16, HeadsPerSecond: 8000, Latency: Latency{P99: 31.25}},
			{Workers: 32, HeadsPerSecond: 0, Latency: Latency{P99: math.NaN()}},
		},
		Knee: &Knee{Workers: 8},
	}
	const want = `
workers  HEADs/s                                           p99, ms
      1    1,000 █████                                        1.25
      8    7,920 ███████████████████████████████████████▋     1.50  knee
     16    8,000 ████████████████████████████████████████     31.2
     32        0                                                 –
`
	if got := "\n" + r.chart(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestTimeChart(t *testing.T) {
	r := &Report{Steps: []Step{{
		Workers: 8, HeadsPerSecond: 100,
		Series: []Moment{
			{AtSeconds: 1, Seconds: 1, Heads: 100, P99: 10},
			{AtSeconds: 2, Seconds: 1, Heads: 50, P99: 20},
			{AtSeconds: 3, Seconds: 1, Heads: 0, Errors: 3},
			{AtSeconds: 4, Seconds: 1, Heads: 90, P99: 80},
		},
	}}}
	const want = `
         100 ┤██████████████                            ▄▄▄▄▄▄▄▄▄▄▄▄▄▄
     HEADs/s │██████████████                            ██████████████
             │██████████████▄▄▄▄▄▄▄▄▄▄▄▄▄▄              ██████████████
             │████████████████████████████              ██████████████
             │████████████████████████████              ██████████████
           0 ├────────────────────────────────────────────────────────
     80.0 ms ┤                                          ██████████████
         p99 │                                          ██████████████
             │                                          ██████████████
             │▄▄▄▄▄▄▄▄▄▄▄▄▄▄██████████████              ██████████████
           0 └────────────────────────────────────────────────────────
      errors                              ××××××××××××××
              0                                                 4.00 s
`
	if got := "\n" + r.chart(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// If there are more steps than rows, the first, the last, the best and the knee are drawn.
func TestChartOfManySteps(t *testing.T) {
	r := &Report{Knee: &Knee{Workers: 16}}
	for workers := range 40 {
		rate := 1000.0
		if workers == 23 {
			rate = 2000
		}
		r.Steps = append(r.Steps, Step{Workers: workers, HeadsPerSecond: rate})
	}
	kept := map[int]bool{}
	steps := r.chartedSteps()
	for _, s := range steps {
		kept[s.Workers] = true
	}
	if len(steps) > chartRows-1 || len(steps) < chartRows-3 || !kept[0] || !kept[16] || !kept[23] || !kept[39] {
		t.Errorf("%d steps are kept: %v", len(steps), kept)
	}
}
