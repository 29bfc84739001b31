package heads

import (
	"strings"
	"testing"
	"time"

	"headcount/bench/figures"
)

func TestTable(t *testing.T) {
	r := sweep([4]float64{1, 987.6, 1.234, 12.34}, [4]float64{64, 12345, 5.2, 123.4},
		[4]float64{128, 12346, 10.3, 1234})
	r.Steps[1].Errors, r.Steps[1].Statuses = 3, map[string]int64{"200": 123450, "503": 2, "timeout": 1}
	r.Steps[2].CPUMicrosPerHead = 9.87
	setLimits(r.Steps, false)
	r.Knee = findKnee(r)
	var text strings.Builder
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	want := `workers  HEADs/s  p50 ms  p90 ms  p99 ms  p99.9 ms  max ms  errors  µs CPU per HEAD  connections  in flight  limited by
      1      988    1.23    1.23    12.3      12.3    12.3       0              0.0            1        1.0       store
     64   12,345    5.20    5.20     123       123     123       3              0.0           64       64.0       store
    128   12,346    10.3    10.3    1234      1234    1234       0              9.9          128      128.0       store

64 workers: 123,450 × 200, 2 × 503, 1 × timeout
`
	if !strings.HasPrefix(text.String(), want) {
		t.Errorf("\n%s", text.String())
	}
	for _, part := range []string{
		"\nknee: 64 workers: 12,345 HEADs/s at a p99 of 123 ms; 128: 12,346 HEADs/s at 1234 ms; the highest throughput is 12,346 HEADs/s, with 128\n",
		"\n64 workers: limited by the store: 64 workers are answered more slowly than 1: p50 5.20 ms and 1.23 ms\n",
	} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("%q is not in\n%s", part, text.String())
		}
	}
}

func TestTableOfRate(t *testing.T) {
	r := &Report{Loop: Open, Steps: []Step{{
		Workers: 1024, Rate: 0.5, Heads: 4, Unsent: 1, DurationSeconds: 10, HeadsPerSecond: 0.4, Connections: 1,
		Latency: Latency{P50: 500}, Service: &Latency{P50: 5},
	}}}
	setLimits(r.Steps, false)
	var text strings.Builder
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"\n      0.5      0.4     500 ", "from send             5.00 ", "\nnot complete",
		"0.5 HEADs/s planned: 1 planned HEADs were not sent",
		"limited by the store: of 5 HEADs planned, 4 succeeded, and 1 were not sent\n",
	} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("%q is not in\n%s", part, text.String())
		}
	}
}

func TestBenchmarks(t *testing.T) {
	r := sweep([4]float64{1, 987.6, 1.234, 12.34}, [4]float64{64, 0, 0, 0})
	r.Steps = append(r.Steps, Step{Rate: 1000, Heads: 7, Service: &Latency{P999: 0.2}})
	r.Headcount, r.Machine, r.Endpoints, r.Prefix = "headcount 1", figures.Machine{CPU: "a CPU"}, []string{"http://a",
		"http://b"}, "odd\nprefix: "
	r.Date = time.Now()
	var text strings.Builder
	if err := r.WriteBenchmarks(&text); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		"\ncpu: a CPU\n", "\nendpoint: http://a http://b\n", "\nprefix: odd prefix:\n",
		"\nUnit HEADs/s better=higher\n",
		"\nBenchmarkHead/workers=1\t9876\t987.6 HEADs/s\t1234000 p50-latency-ns\t", "\t12340000 p99.9-latency-ns\t",
		"\t0 unsent\t1 connections\t1 in-flight\n",
		"\nBenchmarkHead/rate=1000\t7\t0 HEADs/s\t", "\t200000 p99.9-service-ns\t",
	} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("%q is not in\n%s", part, text.String())
		}
	}
	if strings.Contains(text.String(), "workers=64") {
		t.Error("a benchmark has run 0 times")
	}
}
