package peers

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"headcount/bench/process"
)

func TestNewRun(t *testing.T) {
	got := newRun("s3sim", client{name: "go", inFlight: 4}, 2, 20_000,
		process.Usage{CPU: 2 * time.Second, MaxRSS: 5, Wall: 4 * time.Second})
	want := Run{
		Server: "s3sim", Client: "go", Round: 2, Objects: 20_000, InFlight: 4, CPUSeconds: 2, CPUMicrosPerHead: 100,
		WallSeconds: 4, HeadsPerSecond: 5000, MaxRSSBytes: 5,
	}
	if got != want {
		t.Errorf("%+v", got)
	}
}

// reportOf returns a report of two servers whose runs took these µs CPU per HEAD, in the order of the rounds. Their
// HEADs per second are 1e6 divided by the µs.
func reportOf(clients string, micros map[string][]float64) *Report {
	cfg := Config{
		Workers: 64, Pool: 4, Clients: strings.Split(clients, ","), Latencies: []time.Duration{0, time.Millisecond},
	}
	r := &Report{cfg: cfg, Rounds: 3}
	for _, s := range cfg.servers() {
		for _, w := range cfg.clients() {
			r.Startups = append(r.Startups, Startup{s.name, w.name, 0.25, 0.5})
			for i, figure := range micros[w.name] {
				r.Runs = append(r.Runs, Run{
					Server: s.name, Client: w.name, Round: i + 1, Objects: 5000, InFlight: w.inFlight,
					CPUMicrosPerHead: figure, HeadsPerSecond: 1e6 / figure, MaxRSSBytes: int64(20+i) * 1e6,
				})
			}
		}
	}
	return r
}

func TestWrite(t *testing.T) {
	r := reportOf("boto3,rclone,go,rust,direct,pipelined", map[string][]float64{
		"boto3": {1000, 1100, 900}, "go": {142, 142, 142}, "rust": {100}, "direct": {10, 10, 10},
		"pipelined": {2.5, 2.5, 2.5},
	})
	r.Absent = []Absent{{"rclone", "rclone is not installed"}}
	r.Rejected = []Rejected{{"s3sim, 1ms", "rust", "its 3 records are not the 4 of direct"}}
	var got bytes.Buffer
	if err := r.Write(&got); err != nil {
		t.Fatal(err)
	}
	want := `
s3sim; medians of 3 rounds
client     objects  in flight                 HEADs/s  of direct        µs CPU per HEAD  × direct  to start, ms CPU  max RSS, MB
boto3         5000          1         1000 (909–1111)    1/100.0  1000.0 (900.0–1100.0)     100.0               250         22.0
go            5000          4        7042 (7042–7042)     1/14.2    142.0 (142.0–142.0)      14.2               250         22.0
rust          5000         64                   10000     1/10.0                  100.0      10.0               250         20.0
direct        5000         64  100000 (100000–100000)       1.00       10.0 (10.0–10.0)      1.00               250         22.0
pipelined     5000        128  400000 (400000–400000)       4.00          2.5 (2.5–2.5)      0.25               250         22.0

HEADs/s, on a logarithmic scale
boto3      █ 1000
go         ████████████████████ 7042
rust       ███████████████████████ 10000
direct     ██████████████████████████████████████████████ 100000
pipelined  ████████████████████████████████████████████████████████████ 400000

s3sim, 1ms added to every HEAD; medians of 3 rounds
client     objects  in flight                 HEADs/s  of direct        µs CPU per HEAD  × direct  to start, ms CPU  max RSS, MB
boto3         5000          1         1000 (909–1111)    1/100.0  1000.0 (900.0–1100.0)     100.0               250         22.0
go            5000          4        7042 (7042–7042)     1/14.2    142.0 (142.0–142.0)      14.2               250         22.0
direct        5000         64  100000 (100000–100000)       1.00       10.0 (10.0–10.0)      1.00               250         22.0
pipelined     5000        128  400000 (400000–400000)       4.00          2.5 (2.5–2.5)      0.25               250         22.0

HEADs/s, on a logarithmic scale
boto3      █ 1000
go         ████████████████████ 7042
direct     ██████████████████████████████████████████████ 100000
pipelined  ████████████████████████████████████████████████████████████ 400000

not measured
rclone  absent    rclone is not installed
rust    rejected  s3sim, 1ms: its 3 records are not the 4 of direct
`
	if "\n"+got.String() != want {
		t.Errorf("\n%s", got.String())
	}

	// Without direct there is nothing to compare with. If no client is missing, the list of missing clients is not
	// printed.
	got.Reset()
	if err := reportOf("go", map[string][]float64{"go": {100}}).Write(&got); err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.Fields(got.String()), " ")
	if !strings.Contains(words, "go 5000 4 10000 - 100.0 - 250 20.0 ") || strings.Contains(words, "not measured") {
		t.Errorf("\n%s", got.String())
	}
}

// The length of a bar is the logarithm of the rate, from the power of ten below the least rate.
func TestChart(t *testing.T) {
	for _, c := range []struct {
		bars []chartBar
		want string
	}{
		{nil, ""},
		{[]chartBar{{"one", 10}}, "one  " + strings.Repeat("█", 60) + " 10\n"},
		{[]chartBar{{"a", 20}, {"longer", 10_000}, {"c", 100}}, "" +
			"a       " + strings.Repeat("█", 6) + " 20\n" +
			"longer  " + strings.Repeat("█", 60) + " 10000\n" +
			"c       " + strings.Repeat("█", 20) + " 100\n"},
		{[]chartBar{{"a", 10}, {"b", 1000}}, "a  █ 10\nb  " + strings.Repeat("█", 60) + " 1000\n"},
	} {
		if got := chart(c.bars); got != c.want {
			t.Errorf("%v:\n%s", c.bars, got)
		}
	}
}

// Ratios are between runs of one round: in the second round the machine was three times slower. A client that was not
// run has no ratio, and a rejected one neither.
func TestRatio(t *testing.T) {
	r := reportOf("go,rust,direct", map[string][]float64{"go": {140, 420, 140}, "direct": {10, 30},
		"rust": {100, 100, 100}})
	r.Rejected = []Rejected{{"s3sim", "rust", "it is"}}
	for client, want := range map[string]float64{"go": 14, "direct": 1, "rust": 0, "boto3": 0} {
		if got := r.ratio("s3sim", client, "direct", cpuPerHead); got != want {
			t.Errorf("%s: %v", client, got)
		}
	}
	if got := r.ratio("s3sim", "direct", "rust", cpuPerHead); got != 0 {
		t.Errorf("a ratio to a rejected client: %v", got)
	}
}

func TestThresholds(t *testing.T) {
	const clients = "boto3,go,rust,sdk,direct"
	good := map[string][]float64{"boto3": {1000}, "go": {125}, "rust": {100}, "sdk": {5}, "direct": {10}}
	with := func(client string, figure ...float64) map[string][]float64 {
		changed := map[string][]float64{}
		for c, f := range good {
			changed[c] = f
		}
		changed[client] = figure
		return changed
	}
	for name, c := range map[string]struct {
		clients         string
		micros          map[string][]float64
		missed, checked int
		want            string // in the output
	}{
		"good": {clients, good, 0, 12, "s3sim: CPU per HEAD of boto3 ≥ 100 × direct met 100.0 ×"},
		"boto3": {clients, with("boto3", 999), 1, 12,
			"s3sim: CPU per HEAD of boto3 ≥ 100 × direct missed 99.9 ×"},
		"rust":           {clients, with("rust", 99), 1, 12, "s3sim: CPU per HEAD of rust ≥ 10 × direct missed 9.90 ×"},
		"go":             {clients, with("go", 119), 1, 12, "s3sim: CPU per HEAD of go ≥ 12 × direct missed 11.9 ×"},
		"with latency":   {clients, with("rust", 50), 1, 12, "s3sim, 1ms: CPU per HEAD of rust > direct met 5.00 ×"},
		"equal":          {clients, with("rust", 10), 3, 12, "s3sim: HEADs/s of direct > rust missed 1.00 ×"},
		"equal, waiting": {clients, with("rust", 10), 3, 12, "s3sim, 1ms: HEADs/s of direct ≥ 0.95 × rust met 1.00 ×"},
		"equal, pool":    {clients, with("go", 10), 4, 12, "s3sim, 1ms: HEADs/s of direct > go missed 1.00 ×"},
		"behind": {clients, with("rust", 9), 4, 12,
			"s3sim, 1ms: HEADs/s of direct ≥ 0.95 × rust missed 0.90 ×"},
		"not measured": {clients, with("rust"), 0, 8, "s3sim: HEADs/s of direct > rust not measured -"},
		"aiohttp": {"aiohttp,direct", map[string][]float64{"aiohttp": {11}, "direct": {10}}, 0, 4,
			"s3sim: CPU per HEAD of aiohttp > direct met 1.10 ×"},
	} {
		var output strings.Builder
		missed, checked, err := reportOf(c.clients, c.micros).Check(&output)
		if err != nil || missed != c.missed || checked != c.checked {
			t.Errorf("%s: %d missed of %d, %v", name, missed, checked, err)
		}
		if words := strings.Join(strings.Fields(output.String()), " "); !strings.Contains(words, c.want) {
			t.Errorf("%s:\n%s", name, output.String())
		}
	}
}

func TestHasThresholds(t *testing.T) {
	for clients, want := range map[string]bool{"direct": false, "direct,sdk,pipelined": false, "go": false,
		"go,direct": true} {
		cfg := Config{Clients: strings.Split(clients, ","), Versitygw: true}
		if got := cfg.HasThresholds(); got != want {
			t.Errorf("%s: %v", clients, got)
		}
	}
}
