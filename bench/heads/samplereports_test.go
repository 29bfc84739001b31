package heads

import (
	"flag"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"headcount/bench/figures"
)

var pageFolder = flag.String("page", "", "write the sample pages and charts to this `folder`, to look at them")

// TestSamplePages writes sample pages and charts, to look at them: go test ./bench/heads -run SamplePages -page /tmp
func TestSamplePages(t *testing.T) {
	for name, r := range samples() {
		text := pageOf(t, r)
		if *pageFolder == "" {
			continue
		}
		must(t, os.WriteFile(filepath.Join(*pageFolder, name+".html"), []byte(text), 0o644))
		must(t, os.WriteFile(filepath.Join(*pageFolder, name+".txt"), []byte(r.chart()), 0o644))
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// samples returns Reports like those of real measurements.
func samples() map[string]*Report {
	return map[string]*Report{
		"sweep":  sweepSample(),
		"open":   openSample(),
		"single": singleSample(),
		"errors": errorsSample(),
		"long":   longSample(),
		"empty":  {},
	}
}

func newSample(loop string, command ...string) *Report {
	return &Report{
		Complete: true, Date: time.Date(2026, 11, 22, 20, 15, 0, 0, time.UTC), Headcount: "headcount 1.0.0 (b03d797)",
		Command: append([]string{"headcount", "bench", "head"}, command...),
		Machine: figures.Machine{CPU: "Intel(R) Xeon(R) Platinum 8375C CPU @ 2.90GHz", Cores: 16, Kernel: "Linux 6.1.0",
			Go: "go1.26.0 linux/amd64"},
		Bucket: "sensor-archive", Prefix: "2026/", Region: "us-east-1", Server: "FlashBlade",
		Endpoints: []string{"https://10.61.200.11", "https://10.61.200.12"},
		Engine:    "direct", EngineWhy: "plain SigV4 over HTTP/1.1", Loop: loop, Keys: 100_000, Pipeline: 1,
	}
}

// sampler generates latencies of a store that is sometimes much slower.
type sampler struct {
	random *rand.Rand
	base   float64 // in ms, of most HEADs
}

func (s sampler) latency() float64 {
	ms := s.base * math.Exp(0.22*s.random.NormFloat64())
	if s.random.Float64() < 0.008 {
		ms *= 1 + 6*s.random.ExpFloat64()
	}
	return ms
}

// collected is a list of latencies.
type collected []float64

func (c collected) latency() Latency {
	if len(c) == 0 {
		return Latency{}
	}
	sorted := slices.Sorted(slices.Values(c))
	at := func(share float64) float64 { return sorted[min(len(sorted)-1, int(share*float64(len(sorted))))] }
	var sum float64
	for _, v := range c {
		sum += v
	}
	return Latency{at(.5), at(.9), at(.99), at(.999), sorted[len(sorted)-1], sum / float64(len(c))}
}

func (c collected) histogram() []Bucket {
	const width = 1.01
	counts := map[int]int64{}
	for _, v := range c {
		counts[int(math.Ceil(math.Log(v)/math.Log(width)))]++
	}
	var buckets []Bucket
	for _, i := range slices.Sorted(maps.Keys(counts)) {
		buckets = append(buckets, Bucket{math.Pow(width, float64(i)), counts[i]})
	}
	return buckets
}

// sampleClosedStep returns the Step of a store with this capacity in HEADs/s, and 0.9 ms of latency.
func sampleClosedStep(random *rand.Rand, workers int, began, seconds, capacity float64) Step {
	const base = 0.9
	most := float64(workers) / base * 1e3
	rate := capacity * math.Pow(1+math.Pow(capacity/most, 4), -0.25)
	if workers > 256 {
		rate *= 0.97 - float64(workers)/1e5
	}
	s := sampler{random, float64(workers) / rate * 1e3 * 0.95}
	step := Step{
		Workers: workers, BeganSeconds: began, DurationSeconds: seconds, HeadsPerSecond: rate,
		Heads:            int64(rate * seconds),
		CPUMicrosPerHead: 10.5 + 4/float64(workers), Connections: workers, InFlight: float64(workers) * 0.98,
		LimitedBy: "workers", LimitedWhy: "each worker was waiting for an answer nearly all of the time",
	}
	if rate > 0.9*capacity {
		step.LimitedBy, step.LimitedWhy = "store", "twice the workers brought 2 % more HEADs/s and twice the latency, with 22 % of this machine's CPU in use"
	}
	var all collected
	const part = 0.5
	for at := part; at <= seconds; at += part {
		var here collected
		for range 500 {
			here = append(here, s.latency())
		}
		all = append(all, here...)
		l := here.latency()
		heads := int64(rate * part * (1 + 0.02*random.NormFloat64()))
		step.Series = append(step.Series,
			Moment{AtSeconds: began + at, Heads: heads, Seconds: part, P50: l.P50, P99: l.P99, Max: l.Max})
	}
	step.Latency, step.Histogram = all.latency(), all.histogram()
	step.Statuses = map[string]int64{"200": step.Heads}
	return step
}

func sweepSample() *Report {
	r := newSample(Closed, "--workers", "1,2,4,8,16,32,64,128,256,512,1024", "--duration", "10s", "--html", "page.html",
		"s3://sensor-archive/2026/")
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 11 {
		r.Steps = append(r.Steps, sampleClosedStep(random, 1<<i, float64(i)*11, 10, 42_000))
	}
	r.Knee = &Knee{64, r.Steps[6].HeadsPerSecond, "twice as many workers bring 2 % more HEADs/s and 1.9 × the p99"}
	return r
}

// openSample returns the Report of 2,000 HEADs/s for 60 s on a store that takes 5 ms and stalls for 500 ms every 10 s.
func openSample() *Report {
	r := newSample(Open, "--rate", "2000", "--workers", "64", "--duration", "1m", "s3://sensor-archive/2026/")
	const rate, seconds, stall, every = 2000.0, 60, 500.0, 10_000.0
	random := rand.New(rand.NewPCG(3, 4))
	s := sampler{random, 5}
	var all, service collected
	step := Step{
		Workers: 64, Rate: rate, DurationSeconds: seconds, CPUMicrosPerHead: 14.2, Connections: 64, InFlight: 34,
		LimitedBy: "rate", LimitedWhy: "the store answered what was planned",
	}
	for second := range seconds {
		var here collected
		for i := range int(rate) {
			at := (float64(second) + float64(i)/rate) * 1e3
			wait := 0.0
			if into := math.Mod(at, every); into > 7_000 && into < 7_000+stall {
				wait = 7_000 + stall - into
			}
			own := s.latency()
			here = append(here, wait+own)
			if wait == 0 || i%100 == 0 { // HEADs in flight at the beginning of the stall
				service = append(service, min(own+wait, own+stall))
			} else {
				service = append(service, own)
			}
		}
		all = append(all, here...)
		l := here.latency()
		step.Series = append(step.Series,
			Moment{AtSeconds: float64(second + 1), Heads: int64(rate), Seconds: 1, P50: l.P50, P99: l.P99, Max: l.Max})
	}
	told := service.latency()
	step.Heads, step.HeadsPerSecond = int64(rate*seconds), 1999.7
	step.Latency, step.Histogram, step.Service = all.latency(), all.histogram(), &told
	step.Statuses = map[string]int64{"200": step.Heads}
	r.Steps = []Step{step}
	return r
}

func singleSample() *Report {
	r := newSample(Closed, "s3://sensor-archive/2026/")
	r.Steps = []Step{sampleClosedStep(rand.New(rand.NewPCG(5, 6)), 64, 0, 30, 42_000)}
	return r
}

// errorsSample returns the Report of a store that refuses more than 5,500 requests per second, in a run that was
// stopped.
func errorsSample() *Report {
	r := newSample(Closed, "--workers", "4,8,16,32", "s3://sensor-archive/It's 100 %/")
	r.Complete, r.Server, r.Endpoints = false, "AmazonS3", []string{"https://sensor-archive.s3.us-east-1.amazonaws.com"}
	random := rand.New(rand.NewPCG(7, 8))
	for i, workers := range []int{4, 8, 16, 32} {
		s := sampleClosedStep(random, workers, float64(i)*11, 10, 5_500)
		if workers >= 8 {
			s.Errors = int64(workers) * 310
			s.Statuses["503"] = s.Errors
			for j := range s.Series {
				if j%3 == i%3 {
					s.Series[j].Errors = s.Errors / 7
				}
			}
		}
		if workers == 32 {
			s.Statuses["timeout"] = 12
			for j := 8; j < 11; j++ {
				s.Series[j] = Moment{AtSeconds: s.Series[j].AtSeconds, Seconds: 0.5, Errors: 4}
			}
		}
		r.Steps = append(r.Steps, s)
	}
	return r
}

// longSample returns a Report with more moments than a drawing has room for.
func longSample() *Report {
	r := newSample(Closed, "--duration", "1h", "s3://sensor-archive/2026/")
	s := sampleClosedStep(rand.New(rand.NewPCG(9, 10)), 64, 0, 30, 42_000)
	one := s.Series
	s.Series = nil
	for i := range 3600 {
		m := one[i%len(one)]
		m.AtSeconds, m.Seconds, m.Heads = float64(i+1), 1, m.Heads*2
		if i%700 == 650 {
			m.Max, m.P99, m.Heads = 900, 420, m.Heads/2
		}
		s.Series = append(s.Series, m)
	}
	s.DurationSeconds, s.Heads = 3600, s.Heads*120
	r.Steps = []Step{s}
	return r
}
