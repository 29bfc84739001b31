// Package workers measures whether --workers auto finds a good number of workers. For stores of several latencies, it
// compares the throughput of fixed numbers of workers with that of auto. A Run is one scan; a Case is all Runs of one
// store.
package workers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"headcount/bench/figures"
	"headcount/bench/process"
	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

const (
	bucket = "workers"

	// objects is more than any scan reads.
	objects = 1_000_000_000

	// warmUpShare is the first part of a Run with a fixed number of workers. Connections are made in it, so it does not
	// count.
	warmUpShare = 0.2

	// sampleEvery is the time between two counts of a Run's objects. A rate is reached when it lasts for the time
	// sustained.
	sampleEvery = 50 * time.Millisecond
	sustained   = time.Second
)

// The thresholds: the least share of the best fixed number's rate, and the latest time at which auto must reach that
// share.
const (
	bestShareMin = 0.90
	reachedAtMax = 5 * time.Second

	// bestShareMinCapped replaces bestShareMin for a store with a maximum of connections: auto exceeds it first.
	bestShareMinCapped = 0.80
)

// Latencies returns the default latencies of the stores.
func Latencies() []time.Duration {
	return []time.Duration{500 * time.Microsecond, 5 * time.Millisecond, 50 * time.Millisecond}
}

// FixedWorkers returns the default fixed numbers of workers.
func FixedWorkers() []int { return []int{8, 16, 32, 64, 128, 256, 512, 1024} }

// FixedWorkersFor returns the fixed numbers of workers for a store with a maximum of connections: below it, at it, and
// far above it. A LIST has one of the connections.
func FixedWorkersFor(connectionsMax int) []int {
	return []int{
		max(1, connectionsMax/2), max(1, connectionsMax-1), connectionsMax, 4 * connectionsMax, 16 * connectionsMax,
	}
}

// Config says how to measure. All fields but ConnectionsMax and Excess must be set.
type Config struct {
	Store        string        // the executable file of the headcount that serves the stores
	Duration     time.Duration // of the scan with auto; one with a fixed number lasts a quarter of it
	Latencies    []time.Duration
	FixedWorkers []int
	Engine       string

	ConnectionsMax int          // of the stores; 0: no maximum
	Excess         s3sim.Excess // of the connections above it

	OnRun func(latency time.Duration, r Run) // is called after every Run, one call at a time
}

// Run is the result of one scan.
type Run struct {
	Workers          int     `json:"workers"`       // scan.WorkersAuto: the scan chose it
	FinalWorkers     int     `json:"workers_final"` // at the end of the scan
	ObjectsPerSecond float64 `json:"objects_per_second"`
	LimitedBy        string  `json:"limited_by"`

	WorkersHistory []metrics.Step `json:"workers_history,omitempty"`

	samples []sample
}

// sample is the number of objects that were answered until a time.
type sample struct {
	at      time.Duration
	objects int64
}

// Case is the result for one store.
type Case struct {
	LatencySeconds float64 `json:"latency_seconds"`
	ConnectionsMax int     `json:"connections_max,omitempty"`
	Fixed          []Run   `json:"fixed"`

	// BestFixed has the Runs of the best fixed number right before and after Auto's, which Auto is compared with. On a
	// shared machine, a Run of a minute ago is not comparable.
	BestFixed []Run `json:"best"`
	Auto      Run   `json:"auto"`

	// Auto's rate after reachedAtMax, divided by the mean rate of BestFixed
	ShareOfBest float64 `json:"share_of_best"`
	// when Auto first had bestShareMin of that rate for a second; negative: never
	ReachedAtSeconds float64 `json:"reached_at_seconds"`
}

// Cases has one Case for each store.
type Cases []Case

// Met reports whether the Case meets both thresholds.
func (c *Case) Met() bool {
	return c.ShareOfBest >= c.shareMin() && c.ReachedAtSeconds >= 0 && c.ReachedAtSeconds <= reachedAtMax.Seconds()
}

// shareMin returns the share of the best fixed number's rate that auto must have.
func (c *Case) shareMin() float64 {
	if c.ConnectionsMax > 0 {
		return bestShareMinCapped
	}
	return bestShareMin
}

// Measure measures each store. When it fails, it returns the Cases until then.
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
	c := Case{LatencySeconds: latency.Seconds(), ConnectionsMax: cfg.ConnectionsMax}
	flags := []string{"--bucket", bucket, "--objects", strconv.Itoa(objects), "--latency", latency.String()}
	if cfg.ConnectionsMax > 0 {
		flags = append(flags, "--connections-max", strconv.Itoa(cfg.ConnectionsMax), "--excess", string(cfg.Excess))
	}
	url, ctx, stop, err := process.StartStore(ctx, cfg.Store, flags...)
	if err != nil {
		return c, err
	}
	defer stop()
	run := func(workers int, duration time.Duration) (Run, error) {
		r, err := cfg.run(ctx, url, workers, duration)
		if err == nil {
			cfg.OnRun(latency, r)
		}
		return r, err
	}
	best := Run{ObjectsPerSecond: -1}
	for _, n := range cfg.FixedWorkers {
		r, err := run(n, cfg.Duration/4)
		if err != nil {
			return c, err
		}
		if c.Fixed = append(c.Fixed, r); r.ObjectsPerSecond > best.ObjectsPerSecond {
			best = r
		}
	}
	for i, workers := range []int{best.Workers, scan.WorkersAuto, best.Workers} {
		duration := cfg.Duration / 2
		if i == 1 {
			duration = cfg.Duration
		}
		r, err := run(workers, duration)
		if err != nil {
			return c, err
		}
		if i == 1 {
			c.Auto = r
		} else {
			c.BestFixed = append(c.BestFixed, r)
		}
	}
	c.compare(cfg.Duration)
	return c, nil
}

// compare sets the figures that compare Auto with BestFixed.
func (c *Case) compare(duration time.Duration) {
	best := 0.0
	for _, r := range c.BestFixed {
		best += r.ObjectsPerSecond / float64(len(c.BestFixed))
	}
	found := min(reachedAtMax, duration/2)
	c.Auto.ObjectsPerSecond = rate(c.Auto.samples, found, duration)
	c.ShareOfBest, c.ReachedAtSeconds = 0, -1
	if best == 0 {
		return
	}
	c.ShareOfBest = c.Auto.ObjectsPerSecond / best
	for _, s := range c.Auto.samples {
		if s.at+min(sustained, duration/2) > duration {
			break
		}
		if rate(c.Auto.samples, s.at, s.at+min(sustained, duration/2)) >= c.shareMin()*best {
			c.ReachedAtSeconds = s.at.Seconds()
			break
		}
	}
}

// rate returns the objects per second between two times.
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

// errTimeUp ends a Run.
var errTimeUp = errors.New("the time of the run is up")

func (cfg Config) run(ctx context.Context, url string, workers int, duration time.Duration) (Run, error) {
	connections := workers
	if workers == scan.WorkersAuto {
		connections = scan.WorkersAutoMax
	}
	opened, err := store.Open(ctx, store.Config{Bucket: bucket, Endpoints: []string{url}, Isolated: true,
		Connections: connections})
	if err != nil {
		return Run{}, err
	}
	defer opened.Close()
	var seen counter
	s, err := scan.New(scan.Config{Store: opened, Sink: &seen, All: true, Engine: cfg.Engine, Workers: workers})
	if err != nil {
		return Run{}, err
	}
	running, stop := context.WithTimeoutCause(ctx, duration, errTimeUp)
	defer stop()
	sampled := make(chan []sample)
	go func() { sampled <- seen.sample(running) }()
	stats, err := s.Run(running)
	stop()
	r := Run{Workers: workers, FinalWorkers: stats.Workers, LimitedBy: stats.LimitedBy,
		WorkersHistory: stats.WorkersHistory, samples: <-sampled}
	if !errors.Is(err, errTimeUp) {
		if err == nil {
			err = fmt.Errorf("the scan read all %d objects before its time was up", objects)
		}
		return Run{}, err
	}
	r.ObjectsPerSecond = rate(r.samples, time.Duration(warmUpShare*float64(duration)), duration)
	return r, nil
}

// counter is a Sink that counts objects as they are answered, and discards them.
type counter struct{ objects atomic.Int64 }

func (c *counter) NewChunk() scan.Chunk { return c }
func (c *counter) Add(*scan.Record)     { c.objects.Add(1) }

func (c *counter) Commit(*list.Page, []scan.Chunk) error { return nil }

func (c *counter) Sync() (checkpoint.Position, error) { return checkpoint.Position{}, nil }
func (c *counter) Close() error                       { return nil }

// sample counts the objects every sampleEvery, until ctx ends.
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

// Write writes a row for each Run, and below the rows of a Case its comparison.
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
		for _, r := range c.BestFixed {
			row(latency, strconv.Itoa(r.Workers)+" again", r)
		}
		row(latency, fmt.Sprintf("auto: %d", c.Auto.FinalWorkers), c.Auto)
		if err == nil {
			_, err = fmt.Fprintf(w, "%8s  auto has %.0f%% of the best fixed number's rate, %.0f%% %s: %s\n",
				latency, 100*c.ShareOfBest, 100*c.shareMin(), c.reachedText(), verdict(c.Met()))
		}
	}
	return err
}

// name names the store.
func (c *Case) name() string {
	name := time.Duration(c.LatencySeconds * float64(time.Second)).String()
	if c.ConnectionsMax > 0 {
		name += fmt.Sprintf(", %d connections", c.ConnectionsMax)
	}
	return name
}

// reachedText says when Auto reached its share of the best rate.
func (c *Case) reachedText() string {
	if c.ReachedAtSeconds < 0 {
		return "never reached"
	}
	return fmt.Sprintf("reached after %.1f s", c.ReachedAtSeconds)
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "missed"
}

// Check writes for each Case whether it meets the thresholds. It returns how many Cases do not, and how many there are.
func (cases Cases) Check(w io.Writer) (missed, checked int, err error) {
	var verdicts []figures.Verdict
	for i := range cases {
		c := &cases[i]
		verdicts = append(verdicts, figures.Verdict{
			Threshold: c.name(),
			Measured:  fmt.Sprintf("%.0f%%, %s", 100*c.ShareOfBest, c.reachedText()), Met: c.Met(),
		})
	}
	return figures.WriteVerdicts(w, verdicts)
}
