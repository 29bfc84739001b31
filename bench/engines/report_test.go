package engines

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		figures []float64
		want    spread
	}{
		{nil, spread{}},
		{[]float64{7}, spread{7, 7, 7}},
		{[]float64{9, 1, 2}, spread{2, 1, 9}},
		{[]float64{4, 1, 9, 2}, spread{3, 1, 9}},
	} {
		given := slices.Clone(c.figures)
		if got := spreadOf(given); got != c.want || !slices.Equal(given, c.figures) {
			t.Errorf("%v: %v", c.figures, got)
		}
	}
}

func TestNewRun(t *testing.T) {
	got := newRun("direct", 2, 200_000, spent{cpu: 2 * time.Second, maxRSS: 5, wall: 4 * time.Second})
	want := Run{
		Way: "direct", Round: 2, CPUSeconds: 2, CPUMicrosPerObject: 10, WallSeconds: 4, ObjectsPerSecond: 50_000, MaxRSSBytes: 5,
	}
	if got != want {
		t.Errorf("%+v", got)
	}
}

// reportOf is a report whose runs took these µs CPU per object, in the order of the rounds, on a machine that does as many
// objects a second as there are µs in one.
func reportOf(cfg Config, micros map[string][]float64) *Report {
	for _, w := range allWays(cfg) {
		if micros[w.name] != nil {
			cfg.Ways = append(cfg.Ways, w.name)
		}
	}
	r := &Report{cfg: cfg}
	for _, w := range cfg.Ways {
		for i, figure := range micros[w] {
			r.Runs = append(r.Runs, Run{
				Way: w, Round: i + 1, CPUMicrosPerObject: figure, ObjectsPerSecond: 1e6 / figure, MaxRSSBytes: int64(20+i) * 1e6,
			})
		}
	}
	return r
}

// Ratios are within a round: the machine was three times slower in the second, and the ratio is 2 all the same. A round
// that was cut short has none.
func TestRatiosAreOfOneRound(t *testing.T) {
	r := reportOf(Config{}, map[string][]float64{"floor": {10, 30, 10, 10}, "direct": {20, 60, 20}})
	if got := r.ratios("direct", "floor", cpuPerObject); !slices.Equal(got, []float64{2, 2, 2}) {
		t.Errorf("%v", got)
	}
	if got := r.ratios("direct", "sdk", cpuPerObject); got != nil {
		t.Errorf("a ratio to what was not run: %v", got)
	}
}

func TestTable(t *testing.T) {
	for name, c := range map[string]struct {
		micros map[string][]float64
		want   string
	}{
		"all": {map[string][]float64{
			"floor": {9, 8, 10}, "direct": {10, 11, 10.5}, "pipelined": {2.5, 2.5, 2.5}, "sdk": {150, 140, 160}, "gosdk": {200, 180, 220},
			"floor-tls": {10, 10, 10}, "direct-tls": {12, 12, 12}, "pipelined-tls": {3, 3, 3}, "sdk-tls": {150, 150, 150},
		}, `
way                 µs CPU per object              × floor                  of sdk                of gosdk          k objects/s  max RSS, MB
floor               9.00 (8.00–10.00)                    1  1/16.7 (1/17.5–1/16.0)  1/22.2 (1/22.5–1/22.0)  111.1 (100.0–125.0)         22.0
direct            10.50 (10.00–11.00)     1.11 (1.05–1.38)  1/15.0 (1/15.2–1/12.7)  1/20.0 (1/21.0–1/16.4)    95.2 (90.9–100.0)         22.0
pipelined            2.50 (2.50–2.50)     0.28 (0.25–0.31)  1/60.0 (1/64.0–1/56.0)  1/80.0 (1/88.0–1/72.0)  400.0 (400.0–400.0)         22.0
sdk            150.00 (140.00–160.00)  16.67 (16.00–17.50)                       1     1/1.3 (1/1.4–1/1.3)        6.7 (6.2–7.1)         22.0
gosdk          200.00 (180.00–220.00)  22.22 (22.00–22.50)        1.33 (1.29–1.38)                       1        5.0 (4.5–5.6)         22.0
floor-tls         10.00 (10.00–10.00)                    1  1/15.0 (1/15.0–1/15.0)                       -  100.0 (100.0–100.0)         22.0
direct-tls        12.00 (12.00–12.00)     1.20 (1.20–1.20)  1/12.5 (1/12.5–1/12.5)                       -     83.3 (83.3–83.3)         22.0
pipelined-tls        3.00 (3.00–3.00)     0.30 (0.30–0.30)  1/50.0 (1/50.0–1/50.0)                       -  333.3 (333.3–333.3)         22.0
sdk-tls        150.00 (150.00–150.00)  15.00 (15.00–15.00)                       1                       -        6.7 (6.7–6.7)         22.0
`},
		"without others": {map[string][]float64{"direct": {10}, "sdk-tls": {150}}, `
way           µs CPU per object  × floor  of sdk  of gosdk          k objects/s  max RSS, MB
direct      10.00 (10.00–10.00)        -       -         -  100.0 (100.0–100.0)         20.0
sdk-tls  150.00 (150.00–150.00)        -       1         -        6.7 (6.7–6.7)         20.0
`},
	} {
		var got bytes.Buffer
		if err := reportOf(Config{}, c.micros).Write(&got); err != nil {
			t.Fatal(err)
		}
		if "\n"+got.String() != c.want {
			t.Errorf("%s:\n%s", name, got.String())
		}
	}
}

func TestBars(t *testing.T) {
	good := map[string][]float64{
		"floor": {9, 27, 9}, "direct": {10, 30, 10}, "pipelined": {2.7, 8.1, 2.7}, "sdk": {120, 360, 120}, "gosdk": {140, 420, 140},
		"floor-tls": {10, 30, 10}, "direct-tls": {12, 36, 12},
	}
	with := func(way string, figures ...float64) map[string][]float64 {
		changed := map[string][]float64{way: figures}
		for w, f := range good {
			if w != way {
				changed[w] = f
			}
		}
		return changed
	}
	latency := Config{Workers: 512, Latency: 20 * time.Millisecond} // at most 25,600 objects/s: 39 µs each
	for name, c := range map[string]struct {
		cfg             Config
		micros          map[string][]float64
		missed, checked int
		want            string // that is said
	}{
		"good":                    {Config{}, good, 0, 6, "direct ≤ 1.25 × floor met 1.11 ×"},
		"direct beside the sdk":   {Config{}, with("gosdk", 129, 387, 129), 1, 6, "direct ≤ 1/13 of gosdk missed 1/12.9"},
		"direct beside the floor": {Config{}, with("direct", 11.3, 33.9, 10), 2, 6, "direct ≤ 1.25 × floor missed 1.26 ×"},
		"one bad round":           {Config{}, with("direct", 10, 60, 10), 0, 6, "direct ≤ 1.25 × floor met 1.11 ×"},
		"direct over TLS":         {Config{}, with("direct-tls", 12.6, 37.8, 12.6), 1, 6, "direct-tls ≤ 1.25 × floor-tls missed 1.26 ×"},
		"pipelined":               {Config{}, with("pipelined", 3.2, 9.6, 3.2), 2, 6, "pipelined ≤ 1/45 of gosdk missed 1/43.8"},
		"pipelined's rate":        {Config{}, map[string][]float64{"pipelined": {4.1, 3.9, 4.1}}, 1, 1, "pipelined ≥ 250 k objects/s missed 243.9 k objects/s"},
		"two ways":                {Config{}, map[string][]float64{"floor": {9}, "direct": {9}}, 0, 1, "met 1.00 ×"},
		"latency":                 {latency, map[string][]float64{"direct": {45}, "gosdk": {185}}, 0, 2, "direct ≥ 85 % of 512 ÷ 20ms = 21.8 k objects/s met 22.2 k objects/s"},
		"slow with latency":       {latency, map[string][]float64{"direct": {46.5}, "gosdk": {185}}, 2, 2, "direct ≥ 4 × gosdk, in objects/s missed 3.98 ×"},
	} {
		var said strings.Builder
		missed, checked, err := reportOf(c.cfg, c.micros).Check(&said)
		if err != nil || missed != c.missed || checked != c.checked {
			t.Errorf("%s: %d missed of %d, %v", name, missed, checked, err)
		}
		if words := strings.Join(strings.Fields(said.String()), " "); !strings.Contains(words, c.want) {
			t.Errorf("%s:\n%s", name, said.String())
		}
	}
}

func TestHasBars(t *testing.T) {
	for ways, want := range map[string]bool{"floor,sdk": false, "direct": false, "pipelined": true, "direct-tls,floor": false, "direct,sdk": false, "direct,gosdk": true} {
		if got := (Config{Ways: strings.Split(ways, ",")}).HasBars(); got != want {
			t.Errorf("%s: %v", ways, got)
		}
	}
}
