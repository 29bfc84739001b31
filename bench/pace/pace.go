// Package pace measures whether a scan keeps up with a store that answers so many requests per second and refuses those
// beyond: how much of the rate it gets, and how much it is refused. A Run is one scan of one store.
package pace

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"headcount/bench/engines"
	"headcount/scan"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

const bucket = "pace"

// The bars: what a scan must get of the rate, and the most of all answers that may be refusals.
const (
	keptMin    = 0.90
	refusedMax = 0.02
)

// Rates returns those that are measured, in requests per second. The last is what AWS promises for a prefix.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
func Rates() []int { return []int{500, 2_000, 5_500} }

// Config says how to measure.
type Config struct {
	Program string        // headcount's executable file
	Lasts   time.Duration // each scan, if it keeps up
	Workers int
	Engine  string
	Ran     func(Run) // is called after every Run
}

// objects are so many that the scan lasts as long as it should, if it keeps up.
func (cfg Config) objects(rate int) int64 {
	return max(1, int64(float64(rate)*cfg.Lasts.Seconds()))
}

// Run is what one scan came to.
type Run struct {
	Rate    int     `json:"rate"`               // requests per second that the store answered at most
	Kept    float64 `json:"objects_per_second"` // that got their Outcome
	Refused float64 `json:"refused"`            // the share of 503 among all answers
	Lost    int64   `json:"lost"`               // objects that were not read
}

// Runs are of one store each.
type Runs []Run

// isMet says whether the Run reached the bars.
func (r Run) isMet() bool {
	return r.Kept >= keptMin*float64(r.Rate) && r.Refused <= refusedMax && r.Lost == 0
}

// Measure scans one store for each of the Rates. When it fails, the Runs are those until then.
func Measure(ctx context.Context, cfg Config) (Runs, error) {
	var runs Runs
	for _, rate := range Rates() {
		r, err := cfg.run(ctx, rate)
		if err != nil {
			return runs, err
		}
		runs = append(runs, r)
		cfg.Ran(r)
	}
	return runs, nil
}

func (cfg Config) run(ctx context.Context, rate int) (Run, error) {
	objects := cfg.objects(rate)
	url, ctx, stop, err := engines.Serve(ctx, cfg.Program,
		"--bucket", bucket, "--objects", strconv.FormatInt(objects, 10), "--rate-max", strconv.Itoa(rate))
	if err != nil {
		return Run{}, err
	}
	defer stop()
	opened, err := store.Open(ctx, store.Config{Bucket: bucket, Endpoints: []string{url}, Isolated: true, Connections: cfg.Workers})
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
		Rate: rate, Kept: float64(stats.Listed) / stats.DurationSeconds, Refused: float64(refused) / float64(all),
		Lost: objects - stats.Emitted - stats.WithoutMetadata,
	}
}

// Write writes a row for each Run.
func (runs Runs) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%10s  %9s  %6s  %6s  %5s\n", "requests/s", "objects/s", "kept", "503", "lost")
	for _, r := range runs {
		if err == nil {
			_, err = fmt.Fprintf(w, "%10d  %9.0f  %5.1f%%  %5.2f%%  %5d\n",
				r.Rate, r.Kept, 100*r.Kept/float64(r.Rate), 100*r.Refused, r.Lost)
		}
	}
	return err
}

// Check writes for each Run whether it reached the bars, and returns how many did not and how many there are.
func (runs Runs) Check(w io.Writer) (missed, checked int, err error) {
	return engines.CheckRuns(w, runs, func(r Run) (what string, isMet bool) { return fmt.Sprintf("%d requests/s", r.Rate), r.isMet() })
}
