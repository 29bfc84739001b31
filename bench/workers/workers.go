// Package workers measures whether a scan finds the number of workers that a store rewards: for stores that answer after so long, what
// fixed numbers bring, and what the scan brings that has to find one. A Run is one scan; a Case is all Runs of one store.
package workers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"headcount/bench/engines"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

const (
	bucket = "workers"

	// objects are more than any scan comes to the end of.
	objects = 1_000_000_000

	// begins is the part of a Run with a fixed number that does not count: connections are made in it.
	begins = 0.2

	// sampleEvery is how often the objects of a Run are counted, and stretch the time in which a rate has to be kept up to be reached.
	sampleEvery = 50 * time.Millisecond
	stretch     = time.Second
)

// The bars: what auto must bring of what the best fixed number does, and when at the latest.
const (
	keptMin      = 0.90
	reachedAtMax = 5 * time.Second
)

// Latencies returns those of the stores that are measured.
func Latencies() []time.Duration {
	return []time.Duration{500 * time.Microsecond, 5 * time.Millisecond, 50 * time.Millisecond}
}

// Numbers returns the fixed numbers of workers.
func Numbers() []int { return []int{8, 16, 32, 64, 128, 256, 512, 1024} }

// Config says how to measure.
type Config struct {
	Program   string        // headcount's executable file
	Lasts     time.Duration // the scan that has to find its number; those with a fixed one last a quarter of it
	Latencies []time.Duration
	Numbers   []int
	Engine    string
	Ran       func(latency time.Duration, r Run) // is called after every Run
}

// Run is what one scan came to.
type Run struct {
	Workers          int     `json:"workers"` // scan.WorkersAuto: the scan found it
	Found            int     `json:"found"`   // it had at the end
	ObjectsPerSecond float64 `json:"objects_per_second"`
	LimitedBy        string  `json:"limited_by"`

	Path []metrics.Step `json:"workers_path,omitempty"`

	samples []sample
}

// sample is how many objects were answered at a time.
type sample struct {
	at      time.Duration
	objects int64
}

// Case is what was measured of one store.
type Case struct {
	LatencySeconds float64 `json:"latency_seconds"`
	Fixed          []Run   `json:"fixed"`

	// Best are the Runs of the best fixed number right before and after Auto's, with which that is compared: a machine that is shared is not
	// the same a minute later.
	Best []Run `json:"best"`
	Auto Run   `json:"auto"`

	Kept             float64 `json:"kept"`               // what Auto brought of what the best brought, once it had had the time to find it
	ReachedAtSeconds float64 `json:"reached_at_seconds"` // when it first brought nine tenths of that, for a second; negative: never
}

// Cases are of one store each.
type Cases []Case

// IsMet says whether the Case reached the bars.
func (c *Case) IsMet() bool {
	return c.Kept >= keptMin && c.ReachedAtSeconds >= 0 && c.ReachedAtSeconds <= reachedAtMax.Seconds()
}

// Measure measures each store. When it fails, the Cases are those until then.
func Measure(ctx context.Context, cfg Config) (Cases, error) {
	var cases Cases
	for _, latency := range cfg.Latencies {
		c, err := cfg.measure(ctx, latency)
		if err != nil {
			return cases, err
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func (cfg Config) measure(ctx context.Context, latency time.Duration) (Case, error) {
	c := Case{LatencySeconds: latency.Seconds()}
	url, ctx, stop, err := engines.Serve(ctx, cfg.Program,
		"--bucket", bucket, "--objects", strconv.Itoa(objects), "--latency", latency.String())
	if err != nil {
		return c, err
	}
	defer stop()
	run := func(workers int, lasts time.Duration) (Run, error) {
		r, err := cfg.run(ctx, url, workers, lasts)
		if err == nil {
			cfg.Ran(latency, r)
		}
		return r, err
	}
	best := Run{ObjectsPerSecond: -1}
	for _, n := range cfg.Numbers {
		r, err := run(n, cfg.Lasts/4)
		if err != nil {
			return c, err
		}
		if c.Fixed = append(c.Fixed, r); r.ObjectsPerSecond > best.ObjectsPerSecond {
			best = r
		}
	}
	for i, workers := range []int{best.Workers, scan.WorkersAuto, best.Workers} {
		lasts := cfg.Lasts / 2
		if i == 1 {
			lasts = cfg.Lasts
		}
		r, err := run(workers, lasts)
		if err != nil {
			return c, err
		}
		if i == 1 {
			c.Auto = r
		} else {
			c.Best = append(c.Best, r)
		}
	}
	c.compare(cfg.Lasts)
	return c, nil
}

// compare holds Auto against Best.
func (c *Case) compare(lasts time.Duration) {
	best := 0.0
	for _, r := range c.Best {
		best += r.ObjectsPerSecond / float64(len(c.Best))
	}
	found := min(reachedAtMax, lasts/2)
	c.Auto.ObjectsPerSecond = rate(c.Auto.samples, found, lasts)
	c.Kept, c.ReachedAtSeconds = 0, -1
	if best == 0 {
		return
	}
	c.Kept = c.Auto.ObjectsPerSecond / best
	for _, s := range c.Auto.samples {
		if s.at+min(stretch, lasts/2) > lasts {
			break
		}
		if rate(c.Auto.samples, s.at, s.at+min(stretch, lasts/2)) >= keptMin*best {
			c.ReachedAtSeconds = s.at.Seconds()
			break
		}
	}
}

// rate is in objects per second, between two times.
func rate(samples []sample, from, to time.Duration) float64 {
	var first, last *sample
	for i := range samples {
		if s := &samples[i]; s.at >= from && first == nil {
			first = s
		}
		if s := &samples[i]; s.at <= to {
			last = s
		}
	}
	if first == nil || last == nil || last.at <= first.at {
		return 0
	}
	return float64(last.objects-first.objects) / (last.at - first.at).Seconds()
}

// errEnough ends a Run.
var errEnough = errors.New("it has lasted long enough")

func (cfg Config) run(ctx context.Context, url string, workers int, lasts time.Duration) (Run, error) {
	connections := workers
	if workers == scan.WorkersAuto {
		connections = scan.WorkersAutoMax
	}
	opened, err := store.Open(ctx, store.Config{Bucket: bucket, Endpoints: []string{url}, Isolated: true, Connections: connections})
	if err != nil {
		return Run{}, err
	}
	defer opened.Close()
	var seen counter
	s, err := scan.New(scan.Config{Store: opened, Sink: &seen, All: true, Engine: cfg.Engine, Workers: workers})
	if err != nil {
		return Run{}, err
	}
	running, stop := context.WithTimeoutCause(ctx, lasts, errEnough)
	defer stop()
	sampled := make(chan []sample)
	go func() { sampled <- seen.sample(running) }()
	stats, err := s.Run(running)
	stop()
	r := Run{Workers: workers, Found: stats.Workers, LimitedBy: stats.LimitedBy, Path: stats.WorkersHistory, samples: <-sampled}
	if !errors.Is(err, errEnough) {
		if err == nil {
			err = errors.New("the scan came to the end of a bucket without end")
		}
		return Run{}, err
	}
	r.ObjectsPerSecond = rate(r.samples, time.Duration(begins*float64(lasts)), lasts)
	return r, nil
}

// counter is a Sink that counts objects as they are answered, and keeps nothing.
type counter struct{ objects atomic.Int64 }

func (c *counter) NewChunk() scan.Chunk { return c }
func (c *counter) Add(*scan.Record)     { c.objects.Add(1) }

func (c *counter) Commit(*list.Page, []scan.Chunk) error { return nil }

func (c *counter) Sync() (checkpoint.Position, error) { return checkpoint.Position{}, nil }
func (c *counter) Close() error                       { return nil }

// sample counts again and again until ctx ends.
func (c *counter) sample(ctx context.Context) []sample {
	began := time.Now()
	samples := []sample{{}}
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			samples = append(samples, sample{time.Since(began), c.objects.Load()})
		case <-ctx.Done():
			return samples
		}
	}
}

// Write writes a row for each Run, and what came of each Case below its rows.
func (cases Cases) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%8s  %13s  %9s  %s\n", "latency", "workers", "objects/s", "limited by")
	row := func(latency time.Duration, workers string, r Run) {
		if err == nil {
			_, err = fmt.Fprintf(w, "%8s  %13s  %9.0f  %s\n", latency, workers, r.ObjectsPerSecond, r.LimitedBy)
		}
	}
	for i := range cases {
		c := &cases[i]
		latency := time.Duration(c.LatencySeconds * float64(time.Second))
		for _, r := range c.Fixed {
			row(latency, strconv.Itoa(r.Workers), r)
		}
		for _, r := range c.Best {
			row(latency, strconv.Itoa(r.Workers)+" again", r)
		}
		row(latency, fmt.Sprintf("auto: %d", c.Auto.Found), c.Auto)
		reached := "never reached"
		if c.ReachedAtSeconds >= 0 {
			reached = fmt.Sprintf("reached after %.1f s", c.ReachedAtSeconds)
		}
		if err == nil {
			_, err = fmt.Fprintf(w, "%8s  auto keeps %.0f%% of the best fixed number, nine tenths %s: %s\n", latency, 100*c.Kept, reached, verdict(c.IsMet()))
		}
	}
	return err
}

func verdict(isMet bool) string {
	if isMet {
		return "met"
	}
	return "missed"
}

// Check writes for each Case whether it reached the bars, and returns how many did not and how many there are.
func (cases Cases) Check(w io.Writer) (missed, checked int, err error) {
	return engines.CheckRuns(w, cases, func(c Case) (what string, isMet bool) {
		return time.Duration(c.LatencySeconds * float64(time.Second)).String(), c.IsMet()
	})
}
