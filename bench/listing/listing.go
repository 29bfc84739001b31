// Package listing measures how much faster several listers list a bucket than one, for every shape of keys. A Run is one shape, listed by one lister
// for a while and then by many to the end.
package listing

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"headcount/bench/engines"
	"headcount/bench/s3sim"
	"headcount/scan/list"
	"headcount/scan/store"
)

const bucket = "listing"

// pageKeys is how many keys a LIST returns at most.
const pageKeys = 1000

// The bars, for each lister: how much faster they are all together than one, and what they may spend on finding their Ranges: LISTs beyond the pages of
// the bucket, by lister and by page.
const (
	speedUpMin   = 45.0 / 64
	extraMax     = 4
	extraPageMax = 0.05
)

// Shapes returns those that are measured.
func Shapes() []s3sim.Shape { return s3sim.Shapes() }

// Config says how to measure.
type Config struct {
	Program string // headcount's executable file
	Shapes  []s3sim.Shape
	Objects int64
	Latency time.Duration // of each LIST
	Listers int
	Alone   time.Duration // for which one lister lists
	Ran     func(Run)     // is called after every Run
}

// Run is what listing one bucket came to.
type Run struct {
	Shape   s3sim.Shape `json:"shape"`
	Objects int64       `json:"objects"`
	Listers int         `json:"listers"`
	Reached int         `json:"listers_reached"`      // the most that listed at once
	Alone   float64     `json:"keys_per_second_of_1"` // by one lister
	Keys    float64     `json:"keys_per_second"`      // by all
	Lists   int64       `json:"lists"`                // sent by all
	Lost    int64       `json:"lost"`                 // keys that were not listed, or twice
}

// Runs are of one shape each.
type Runs []Run

// SpeedUp is how many times as fast all of them are as one.
func (r Run) SpeedUp() float64 { return r.Keys / r.Alone }

// Extra is how many LISTs were sent beyond the pages of the bucket.
func (r Run) Extra() int64 { return r.Lists - r.pages() }

func (r Run) pages() int64 { return (r.Objects + pageKeys - 1) / pageKeys }

// isMet says whether the Run reached the bars.
func (r Run) isMet() bool {
	return r.Lost == 0 && r.SpeedUp() >= speedUpMin*float64(r.Listers) &&
		float64(r.Extra()) <= float64(extraMax*r.Listers)+extraPageMax*float64(r.pages())
}

// Measure lists one bucket of each shape. When it fails, the Runs are those until then.
func Measure(ctx context.Context, cfg Config) (Runs, error) {
	var runs Runs
	for _, shape := range cfg.Shapes {
		r, err := cfg.run(ctx, shape)
		if err != nil {
			return runs, err
		}
		runs = append(runs, r)
		cfg.Ran(r)
	}
	return runs, nil
}

func (cfg Config) run(ctx context.Context, shape s3sim.Shape) (Run, error) {
	url, ctx, stop, err := engines.Serve(ctx, cfg.Program, "--bucket", bucket, "--shape", string(shape),
		"--objects", strconv.FormatInt(cfg.Objects, 10), "--list-latency", cfg.Latency.String())
	if err != nil {
		return Run{}, err
	}
	defer stop()
	opened, err := store.Open(ctx, store.Config{Bucket: bucket, Endpoints: []string{url}, Isolated: true, Connections: cfg.Listers})
	if err != nil {
		return Run{}, err
	}
	defer opened.Close()
	r := Run{Shape: shape, Objects: cfg.Objects, Listers: cfg.Listers}

	aloneCtx, cancel := context.WithTimeoutCause(ctx, cfg.Alone, errEnough)
	alone, err := listAll(aloneCtx, opened, 1)
	cancel()
	if err != nil && context.Cause(aloneCtx) != errEnough {
		return Run{}, err
	}
	r.Alone = alone.speed()
	all, err := listAll(ctx, opened, cfg.Listers)
	if err != nil {
		return Run{}, err
	}
	r.Keys, r.Lists, r.Reached = all.speed(), all.lists, all.reached
	r.Lost = max(cfg.Objects-all.keys, all.keys-cfg.Objects)
	return r, nil
}

// errEnough ends the listing by one lister.
var errEnough = fmt.Errorf("enough was listed to know the speed")

// listed is what was listed, and how.
type listed struct {
	keys    int64
	lists   int64
	reached int
	took    time.Duration // until the last page
}

func (l listed) speed() float64 { return float64(l.keys) / max(l.took, time.Microsecond).Seconds() }

// listAll lists the bucket by so many listers. When it fails, it is what was listed until then.
func listAll(ctx context.Context, s *store.Store, listers int) (listed, error) {
	var (
		lists, keys atomic.Int64
		last        atomic.Int64 // when the last page came
		began       = time.Now()
	)
	lister := list.New(list.Config{Store: s, OnAttempt: func(string, bool) { lists.Add(1) }})
	listing := lister.Parallel([]list.Range{{}}, listers, nil)
	err := listing.ForEach(ctx, func(_ context.Context, page *list.Page) error {
		keys.Add(int64(len(page.Entries)))
		last.Store(int64(time.Since(began)))
		return nil
	})
	return listed{keys.Load(), lists.Load(), listing.MaxActive(), time.Duration(last.Load())}, err
}

// Write writes a row for each Run.
func (runs Runs) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%-8s  %10s  %7s  %7s  %9s  %9s  %8s  %6s  %5s\n",
		"shape", "objects", "listers", "reached", "keys/s", "one's", "speed-up", "extra", "lost")
	for _, r := range runs {
		if err == nil {
			_, err = fmt.Fprintf(w, "%-8s  %10d  %7d  %7d  %9.0f  %9.0f  %7.1fx  %6d  %5d\n",
				r.Shape, r.Objects, r.Listers, r.Reached, r.Keys, r.Alone, r.SpeedUp(), r.Extra(), r.Lost)
		}
	}
	return err
}

// Check writes for each Run whether it reached the bars, and returns how many did not and how many there are.
func (runs Runs) Check(w io.Writer) (missed, checked int, err error) {
	return engines.CheckRuns(w, runs, func(r Run) (what string, isMet bool) { return string(r.Shape), r.isMet() })
}
