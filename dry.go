package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/output/fileset"
	"headcount/output/report"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

// dryRun is what a job is that only lists, to tell what a scan would take.
type dryRun struct {
	price *price // nil: AWS's, where it is the store

	forecast forecast
	sample   []list.Entry // the first objects that were listed
}

// What RateIs says.
const (
	rateGiven    = "given"
	rateMeasured = "measured"
	rateUnknown  = "unknown"
)

// parseDryRun reads the flags of a dry run. They leave job.dry nil without --dry-run.
func parseDryRun(c *cli.Context, job *scanJob) error {
	if !c.Bool("dry-run") {
		if c.IsSet("price") {
			return exit.Usagef("--dry-run --price LIST,HEAD", "--price needs --dry-run")
		}
		return nil
	}
	for _, flag := range []string{"all", "fields", "output", "ordered", "errors", "checkpoint", "checkpoint-every", "resume", "max-errors"} {
		if c.IsSet(flag) {
			return command.Conflict("--dry-run", "--"+flag, "a dry run makes no records")
		}
	}
	job.dry = &dryRun{price: command.Get[*price](c, "price"), forecast: forecast{Classes: map[string]int64{}}}
	return nil
}

// runDry lists, and says what the scan would take.
func (job *scanJob) runDry(ctx context.Context, reporter *report.Reporter, opened *store.Store, stdout, stderr io.Writer) error {
	files, err := fileset.Open(&job.names, stdout, stderr)
	if err != nil {
		return err
	}
	job.scan.Store, job.scan.Log, job.scan.MaxAttempts = opened, reporter.Log, opened.MaxAttempts()
	stats, err := job.estimate(ctx, reporter)
	f := &job.dry.forecast
	f.pay(job.dry.price, isAWS(opened.EndpointURLs()), opened.Region())
	if err != nil {
		stats.Complete, stats.Error = false, err.Error()
	} else {
		err = f.write(stdout)
	}
	account := &forecastStats{stats, f}
	if exit.Code(err) != exit.Pipe {
		reporter.PrintForecastSummary(stats, f.Objects, account)
	}
	return cmp.Or(err, files.Finish(account))
}

// estimate lists, and finds out at what rate the scan would run: the one that is given, or that of a sample. The Stats are those of the listing.
func (job *scanJob) estimate(ctx context.Context, reporter *report.Reporter) (*metrics.Stats, error) {
	d, f := job.dry, &job.dry.forecast
	f.RateIs = rateUnknown
	cfg := job.scan
	most := 0
	if cfg.Rate == 0 {
		most = sampleMax(&cfg)
	}
	cfg.ListOnly = func(p *list.Page) {
		f.add(p)
		d.sample = append(d.sample, p.Entries[:min(len(p.Entries), most-len(d.sample))]...)
	}
	s, err := scan.New(cfg)
	if err != nil {
		return new(metrics.Stats), err
	}
	stopProgress := reporter.StartListProgress(s.Progress)
	stats, err := s.Run(ctx)
	stopProgress()
	f.Lists, f.Listing = stats.Requests["list"]["200"], stats.DurationSeconds
	switch {
	case err != nil:
		return &stats, err
	case cfg.Rate > 0:
		f.Rate, f.RateIs = cfg.Rate, rateGiven
		f.last(f.Lists + f.Heads)
	case f.Heads == 0:
		f.last(0)
	default:
		if f.Sample, err = job.measure(ctx, d.sample[:min(len(d.sample), max(sampleFew, int(f.Objects/sampleShare)))]); err != nil {
			return &stats, err
		}
		f.Sample.warn(reporter)
		if f.Rate = f.Sample.perSecond(); f.Rate > 0 {
			f.RateIs = rateMeasured
			f.last(f.Heads)
		}
	}
	return &stats, nil
}

// sample is how the store answered HEADs for some objects.
type sample struct {
	Objects  int64            `json:"objects"`
	Heads    int64            `json:"heads"` // sent
	Seconds  float64          `json:"seconds"`
	Statuses map[string]int64 `json:"statuses"` // as Stats.Requests has them
}

const (
	// sampleTime is long beside the making of connections, and short for who waits.
	sampleTime = 2 * time.Second

	// sampleMost is so many that their beginning and end, in which not all workers have something to ask for, do not count. On AWS so many HEADs
	// cost half a cent, or 10 cents in GLACIER_IR.
	sampleMost = 10_000

	// samplePerHead is how many there are at least for each HEAD that may be in flight: workers take some at once.
	samplePerHead = 16

	// A dry run of few objects must not be most of the scan, and that of hardly any may be.
	sampleShare = 10
	sampleFew   = 200
)

// sampleMax is of how many objects a sample is at most.
func sampleMax(cfg *scan.Config) int {
	return max(sampleMost, samplePerHead*cfg.Workers*max(1, cfg.Pipeline))
}

var errSampled = errors.New("the sample took its time")

// measure asks for objects as the scan would, and prints nothing of them. An error is what would end the scan too.
func (job *scanJob) measure(ctx context.Context, entries []list.Entry) (*sample, error) {
	cfg := job.scan
	cfg.Keys, cfg.Range, cfg.Limit, cfg.Sink = list.NewKeys(entries), list.Range{}, 0, nil
	if cfg.Engine == engine.List { // the rate is that of HEADs
		cfg.Engine = engine.Auto
	}
	s, err := scan.New(cfg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, sampleTime, errSampled)
	defer cancel()
	stats, err := s.Run(ctx)
	if err != nil && context.Cause(ctx) != errSampled {
		return nil, err
	}
	return &sample{Objects: int64(len(entries)), Heads: stats.Heads, Seconds: stats.DurationSeconds, Statuses: stats.Requests["head"]}, nil
}

// perSecond is how many HEADs succeeded in a second.
func (s *sample) perSecond() float64 {
	if s.Seconds == 0 { // a clock may be coarse
		return 0
	}
	return float64(s.Statuses["200"]) / s.Seconds
}

// warn tells of HEADs that did not succeed: it may be the permission that is missing.
func (s *sample) warn(reporter *report.Reporter) {
	others := maps.Clone(s.Statuses)
	delete(others, "200")
	var told []any
	for _, name := range slices.Sorted(maps.Keys(others)) {
		told = append(told, name, strconv.FormatInt(others[name], 10))
	}
	if len(told) > 0 {
		reporter.Log.Warn("some HEADs of the sample did not succeed", told...)
	}
}
