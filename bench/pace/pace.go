// Package pace measures how a scan adapts to a store that answers a fixed number of requests per second and refuses the
// others with 503: the share of that rate that the scan reaches, and the share of its requests that are refused. A Run
// is one scan of one store.
package pace

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"headcount/bench/figures"
	"headcount/bench/process"
	"headcount/scan"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

const bucket = "pace"

// The thresholds: the least share of the rate, and the greatest share of refusals among all answers.
const (
	rateShareMin    = 0.90
	refusedShareMax = 0.02
)

// Rates returns the rates of the stores, in requests per second. The last is the one that AWS promises for a prefix.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
func Rates() []int { return []int{500, 2_000, 5_500} }

// Config says how to measure. All fields must be set.
type Config struct {
	Store    string        // the executable file of the headcount that serves the stores
	Duration time.Duration // of each scan, if it reaches the rate
	Workers  int
	Engine   string
	OnRun    func(Run) // is called after every Run, one call at a time
}

// objects is the number of objects with which a scan takes cfg.Duration, if it reaches the rate.
func (cfg Config) objects(rate int) int64 {
	return max(1, int64(float64(rate)*cfg.Duration.Seconds()))
}

// Run is the result of one scan.
type Run struct {
	Rate             int     `json:"rate"`               // requests per second that the store answers
	ObjectsPerSecond float64 `json:"objects_per_second"` // that have an Outcome
	RefusedShare     float64 `json:"refused"`            // the share of 503 among all answers
	Lost             int64   `json:"lost"`               // objects that were not read
}

// Runs has one Run for each store.
type Runs []Run

// met reports whether the Run meets all thresholds.
func (r Run) met() bool {
	return r.ObjectsPerSecond >= rateShareMin*float64(r.Rate) && r.RefusedShare <= refusedShareMax && r.Lost == 0
}

// Measure scans one store for each of the Rates. When it fails, it returns the Runs until then.
func Measure(ctx context.Context, cfg Config) (Runs, error) {
	var runs Runs
	for _, rate := range Rates() {
		r, err := cfg.run(ctx, rate)
		if err != nil {
			return runs, err
		}
		runs = append(runs, r)
		cfg.OnRun(r)
	}
	return runs, nil
}

func (cfg Config) run(ctx context.Context, rate int) (Run, error) {
	objects := cfg.objects(rate)
	url, ctx, stop, err := process.StartStore(ctx, cfg.Store,
		"--bucket", bucket, "--objects", strconv.FormatInt(objects, 10), "--rate-max", strconv.Itoa(rate))
	if err != nil {
		return Run{}, err
	}
	defer stop()
	opened, err := store.Open(ctx, store.Config{Bucket: bucket, Endpoints: []string{url}, Isolated: true,
		Connections: cfg.Workers})
	if err != nil {
		return Run{}, err
	}
	defer opened.Close()
	s, err := scan.New(scan.Config{Store: opened, Engine: cfg.Engine, Workers: cfg.Workers})
	if err != nil {
		return Run{}, err
	}
	stats, err := s.Run(ctx)
	if err != nil {
		return Run{}, err
	}
	return newRun(rate, objects, &stats), nil
}

func newRun(rate int, objects int64, stats *metrics.Stats) Run {
	var refused, all int64
	for _, byStatus := range stats.Requests {
		for status, n := range byStatus {
			all += n
			if status == "503" {
				refused += n
			}
		}
	}
	return Run{
		Rate: rate, ObjectsPerSecond: float64(stats.Listed) / stats.DurationSeconds,
		RefusedShare: float64(refused) / float64(all),
		Lost:         objects - stats.Emitted - stats.WithoutMetadata,
	}
}

// Write writes a row for each Run.
func (runs Runs) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%10s  %9s  %6s  %6s  %5s\n", "requests/s", "objects/s", "share", "503", "lost")
	for _, r := range runs {
		if err == nil {
			_, err = fmt.Fprintf(w, "%10d  %9.0f  %5.1f%%  %5.2f%%  %5d\n",
				r.Rate, r.ObjectsPerSecond, 100*r.ObjectsPerSecond/float64(r.Rate), 100*r.RefusedShare, r.Lost)
		}
	}
	return err
}

// Check writes for each Run whether it meets the thresholds. It returns how many Runs do not, and how many there are.
func (runs Runs) Check(w io.Writer) (missed, checked int, err error) {
	var verdicts []figures.Verdict
	for _, r := range runs {
		verdicts = append(verdicts, figures.Verdict{
			Threshold: fmt.Sprintf("%d requests/s", r.Rate),
			Measured:  fmt.Sprintf("%.0f objects/s, %d lost", r.ObjectsPerSecond, r.Lost), Met: r.met(),
		})
	}
	return figures.WriteVerdicts(w, verdicts)
}
