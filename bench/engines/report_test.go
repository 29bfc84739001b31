package engines

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"headcount/bench/process"
)

func TestNewRun(t *testing.T) {
	got := newRun("direct", 2, 200_000, process.Usage{CPU: 2 * time.Second, MaxRSS: 5, Wall: 4 * time.Second})
	want := Run{
		Client: "direct", Round: 2, CPUSeconds: 2, CPUMicrosPerObject: 10, WallSeconds: 4, ObjectsPerSecond: 50_000,
		MaxRSSBytes: 5,
	}
	if got != want {
		t.Errorf("%+v", got)
	}
}

// reportOf returns a report whose runs took these µs CPU per object, in the order of the rounds. Their objects per
// second are 1e6 divided by the µs.
func reportOf(cfg Config, micros map[string][]float64) *Report {
	for _, c := range allClients(cfg) {
		if micros[c.name] != nil {
			cfg.Clients = append(cfg.Clients, c.name)
		}
	}
	r := &Report{cfg: cfg}
	for _, c := range cfg.Clients {
		for i, figure := range micros[c] {
			r.Runs = append(r.Runs, Run{
				Client: c, Round: i + 1, CPUMicrosPerObject: figure, ObjectsPerSecond: 1e6 / figure,
				MaxRSSBytes: int64(20+i) * 1e6,
			})
		}
	}
	return r
}

// Ratios are between runs of one round: in the second round the machine was three times slower, and the ratio is still
// 2. A round that was not finished has no ratio.
func TestRatiosAreOfOneRound(t *testing.T) {
	r := reportOf(Config{}, map[string][]float64{"floor": {10, 30, 10, 10}, "direct": {20, 60, 20}})
	if got := r.ratios("direct", "floor", cpuPerObject); !slices.Equal(got, []float64{2, 2, 2}) {
		t.Errorf("%v", got)
	}
	if got := r.ratios("direct", "sdk", cpuPerObject); got != nil {
		t.Errorf("a ratio to a client that was not run: %v", got)
	}
}

func TestTable(t *testing.T) {
	for name, c := range map[string]struct {
		micros map[string][]float64
		want   string
	}{
		"all": {map[string][]float64{
			"floor": {9, 8, 10}, "direct": {10, 11, 10.5}, "pipelined": {2.5, 2.5, 2.5}, "sdk": {150, 140, 160},
			"gosdk":     {200, 180, 220},
			"floor-tls": {10, 10, 10}, "direct-tls": {12, 12, 12}, "pipelined-tls": {3, 3, 3},
			"sdk-tls": {150, 150, 150},
		}, `
client              µs CPU per object              × floor                  of sdk                of gosdk          k objects/s  max RSS, MB
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
client        µs CPU per object  × floor  of sdk  of gosdk          k objects/s  max RSS, MB
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

func TestThresholds(t *testing.T) {
	good := map[string][]float64{
		"floor": {9, 27, 9}, "direct": {10, 30, 10}, "pipelined": {2.7, 8.1, 2.7}, "sdk": {120, 360, 120},
		"gosdk":     {140, 420, 140},
		"floor-tls": {10, 30, 10}, "direct-tls": {12, 36, 12},
	}
	with := func(client string, figures ...float64) map[string][]float64 {
		changed := map[string][]float64{client: figures}
		for c, f := range good {
			if c != client {
				changed[c] = f
			}
		}
		return changed
	}
	latency := Config{Workers: 512, Latency: 20 * time.Millisecond} // at most 25,600 objects/s: 39 µs each
	for name, c := range map[string]struct {
		cfg             Config
		micros          map[string][]float64
		missed, checked int
		want            string // in the output
	}{
		"good": {Config{}, good, 0, 6, "direct ≤ 1.25 × floor met 1.11 ×"},
		"direct beside the sdk": {Config{}, with("gosdk", 129, 387, 129), 1, 6,
			"direct ≤ 1/13 of gosdk missed 1/12.9"},
		"direct beside the floor": {Config{}, with("direct", 11.3, 33.9, 10), 2, 6,
			"direct ≤ 1.25 × floor missed 1.26 ×"},
		"one bad round": {Config{}, with("direct", 10, 60, 10), 0, 6, "direct ≤ 1.25 × floor met 1.11 ×"},
		"direct over TLS": {Config{}, with("direct-tls", 12.6, 37.8, 12.6), 1, 6,
			"direct-tls ≤ 1.25 × floor-tls missed 1.26 ×"},
		"pipelined": {Config{}, with("pipelined", 3.2, 9.6, 3.2), 2, 6,
			"pipelined ≤ 1/45 of gosdk missed 1/43.8"},
		"pipelined's rate": {Config{}, map[string][]float64{"pipelined": {4.1, 3.9, 4.1}}, 1, 1,
			"pipelined ≥ 250 k objects/s missed 243.9 k objects/s"},
		"two clients": {Config{}, map[string][]float64{"floor": {9}, "direct": {9}}, 0, 1, "met 1.00 ×"},
		"latency": {latency, map[string][]float64{"direct": {45}, "gosdk": {185}}, 0, 2,
			"direct ≥ 85 % of 512 ÷ 20ms = 21.8 k objects/s met 22.2 k objects/s"},
		"slow with latency": {latency, map[string][]float64{"direct": {46.5}, "gosdk": {185}}, 2, 2,
			"direct ≥ 4 × gosdk, in objects/s missed 3.98 ×"},
	} {
		var output strings.Builder
		missed, checked, err := reportOf(c.cfg, c.micros).Check(&output)
		if err != nil || missed != c.missed || checked != c.checked {
			t.Errorf("%s: %d missed of %d, %v", name, missed, checked, err)
		}
		if words := strings.Join(strings.Fields(output.String()), " "); !strings.Contains(words, c.want) {
			t.Errorf("%s:\n%s", name, output.String())
		}
	}
}

func TestHasThresholds(t *testing.T) {
	for clients, want := range map[string]bool{"floor,sdk": false, "direct": false, "pipelined": true,
		"direct-tls,floor": false, "direct,sdk": false, "direct,gosdk": true} {
		if got := (Config{Clients: strings.Split(clients, ",")}).HasThresholds(); got != want {
			t.Errorf("%s: %v", clients, got)
		}
	}
}
