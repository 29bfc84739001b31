package forecast

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"time"

	"headcount/scan"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// Config says which scan to estimate.
type Config struct {
	Scan  scan.Config // Store must be set; Run replaces what is about Records and Checkpoints
	Price *Price      // nil: AWS's prices, if the store is AWS

	// StartProgress shows the progress of the listing until the function that it returns is called. nil: nothing is
	// shown.
	StartProgress func(progress func() metrics.Progress) (stop func())
}

// Run lists the bucket and returns the Forecast, with the statistics of the listing. Both are valid with an error
// too, as far as Run came. The error is one that would end the scan as well.
func Run(ctx context.Context, cfg Config) (*Stats, error) {
	f := newForecast()
	stats, err := f.estimate(ctx, &cfg)
	f.setCost(cfg.Price, isAWS(cfg.Scan.Store.EndpointURLs()), cfg.Scan.Store.Region())
	if err != nil {
		stats.Complete, stats.Error = false, err.Error()
	}
	return &Stats{stats, f}, err
}

// estimate lists, and determines the Rate and the duration of the scan.
func (f *Forecast) estimate(ctx context.Context, cfg *Config) (*metrics.Stats, error) {
	entriesMax := 0 // of the sample
	if cfg.Scan.Rate == 0 {
		entriesMax = sampleMax(&cfg.Scan)
	}
	stats, entries, err := f.list(ctx, cfg, entriesMax)
	f.Lists, f.Listing = stats.Requests["list"]["200"], stats.DurationSeconds
	if cfg.Scan.VerifyListing { // the scan lists twice
		f.Lists, f.Listing = 2*f.Lists, 2*f.Listing
	}
	f.setLookups(cfg.Scan.Lookups)
	switch {
	case err != nil:
		return stats, err
	case cfg.Scan.Rate > 0:
		f.Rate, f.RateIs = cfg.Scan.Rate, RateGiven
		f.setDuration(f.Lists + f.Heads + f.lookups())
	case f.Heads == 0:
		f.setDuration(0)
	default:
		entries = entries[:min(len(entries), max(sampleFew, int(f.Objects/sampleShare)))]
		if f.Sample, err = measure(ctx, cfg.Scan, entries); err != nil {
			return stats, err
		}
		f.Sample.logFailures(cfg.Scan.Log)
		if f.Rate = f.Sample.rate(); f.Rate > 0 {
			f.RateIs = RateMeasured
			f.setDuration(f.Heads)
		}
	}
	return stats, nil
}

// list counts the objects of the bucket, and returns the first of those that get a HEAD.
func (f *Forecast) list(ctx context.Context, cfg *Config, entriesMax int) (*metrics.Stats, []list.Entry, error) {
	var entries []list.Entry
	listing := withoutRecords(cfg.Scan)
	listing.NoHeads, listing.VerifyListing = false, false
	listing.ListOnly = func(p *list.Page) {
		passing := passing(&cfg.Scan, p.Entries)
		f.add(p, len(passing))
		entries = append(entries, passing[:min(len(passing), entriesMax-len(entries))]...)
	}
	s, err := scan.New(listing)
	if err != nil {
		return new(metrics.Stats), nil, err
	}
	if cfg.StartProgress != nil {
		stop := cfg.StartProgress(s.Progress)
		defer stop()
	}
	stats, err := s.Run(ctx)
	return &stats, entries, err
}

// withoutRecords returns the configuration of a scan that writes nothing, and that no number of failures ends.
func withoutRecords(cfg scan.Config) scan.Config {
	cfg.Sink, cfg.Failures, cfg.Missing, cfg.MaxFailures = nil, nil, nil, 0
	return cfg
}

// passing returns those of entries that get a HEAD.
func passing(cfg *scan.Config, entries []list.Entry) []list.Entry {
	filter := cfg.Filter
	switch {
	case cfg.NoHeads:
		return nil
	case (filter == nil || filter.Listed == nil) && !cfg.Versions:
		return entries
	}
	var passing []list.Entry
	for i := range entries {
		r := scan.NewRecord(&entries[i], nil, false)
		if !entries[i].IsDeleteMarker() && (filter == nil || filter.Listed == nil || filter.Listed(&r)) {
			passing = append(passing, entries[i])
		}
	}
	return passing
}

// Sample is how the store answered HEADs for some objects.
type Sample struct {
	Objects  int64            `json:"objects"`
	Heads    int64            `json:"heads"` // sent
	Seconds  float64          `json:"seconds"`
	Statuses map[string]int64 `json:"statuses"` // as in metrics.Stats.Requests

	// Workers and SettledRate are those at the end of the Sample: the pool grows in its first seconds. SettledRate is in
	// HEADs/s; 0: the Sample was too short to measure it.
	Workers     int     `json:"workers"`
	SettledRate float64 `json:"settled_heads_per_second,omitempty"`
}

const (
	// SampleTime is how long a Sample takes at most: the pool doubles eight times in it where a HEAD takes 50 ms, and it
	// is short for a person who waits.
	SampleTime = 4 * time.Second

	// settledSteps is how many steps of the pool's size are regarded at the end of a Sample. The pool tries a smaller
	// size now and then, so the fastest of them counts.
	settledSteps = 3

	// sampleEnough objects make the beginning and the end of a sample, in which some workers are idle, insignificant.
	// On AWS the HEADs for this many objects cost half a cent, or 10 cents for GLACIER_IR.
	sampleEnough = 10_000

	// samplePerHead is the least number of objects for each HEAD in flight: a worker takes several at once.
	samplePerHead = 16

	// A sample of 1/sampleShare of the objects is a small part of the scan. sampleFew objects are few in any case.
	sampleShare = 10
	sampleFew   = 200
)

// sampleMax returns the greatest number of objects of a sample.
func sampleMax(cfg *scan.Config) int {
	return max(sampleEnough, samplePerHead*cfg.Workers*max(1, cfg.Pipeline))
}

var errSampleTime = errors.New("the time of the sample is over")

// measure sends HEADs for objects as the scan would, and drops their records. Its error would end the scan too.
func measure(ctx context.Context, cfg scan.Config, entries []list.Entry) (*Sample, error) {
	cfg = withoutRecords(cfg)
	cfg.Keys, cfg.Range, cfg.Limit, cfg.VerifyListing = list.NewKeys(entries), list.Range{}, 0, false
	if cfg.Engine == engine.List { // the rate is that of HEADs
		cfg.Engine = engine.Auto
	}
	s, err := scan.New(cfg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, SampleTime, errSampleTime)
	defer cancel()
	stats, err := s.Run(ctx)
	if err != nil && context.Cause(ctx) != errSampleTime {
		return nil, err
	}
	return &Sample{
		Objects: int64(len(entries)), Heads: stats.Heads, Seconds: stats.DurationSeconds,
		Statuses: stats.Requests["head"], Workers: stats.Workers, SettledRate: settledRate(stats.WorkersHistory),
	}, nil
}

// settledRate returns the HEADs per second at the end of a history; 0: it is empty, as with a fixed number of workers.
func settledRate(history []metrics.Step) float64 {
	rate := 0.0
	for _, step := range history[max(0, len(history)-settledSteps):] {
		rate = max(rate, step.HeadsPerSecond)
	}
	return rate
}

// rate returns how many HEADs per second succeed: at the end of the Sample or, where that is not known, in all of it.
func (s *Sample) rate() float64 {
	if s.Seconds == 0 || s.Heads == 0 { // the former of a coarse clock
		return 0
	}
	succeeded := float64(s.Statuses["200"])
	if s.SettledRate > 0 {
		return s.SettledRate * succeeded / float64(s.Heads)
	}
	return succeeded / s.Seconds
}

// logFailures warns of HEADs that did not succeed. The user may lack the permission for them.
func (s *Sample) logFailures(log *slog.Logger) {
	others := maps.Clone(s.Statuses)
	delete(others, "200")
	var attributes []any
	for _, name := range slices.Sorted(maps.Keys(others)) {
		attributes = append(attributes, name, strconv.FormatInt(others[name], 10))
	}
	if len(attributes) > 0 && log != nil {
		log.Warn("some HEADs of the sample did not succeed", attributes...)
	}
}
