// Package listing measures how much faster many listers list a bucket than one, for every shape of keys. A Run is one
// bucket: one lister lists it for a while, and then many listers list all of it.
package listing

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
	"headcount/scan/list"
	"headcount/scan/store"
)

const bucket = "listing"

// pageKeys is the number of keys that a LIST returns, at most.
const pageKeys = 1000

// The thresholds: the least speed-up per lister, and the most LISTs beyond the pages of the bucket, per lister and per
// page. Listers need these LISTs to find Ranges.
const (
	speedUpMin          = 45.0 / 64
	extraListsPerLister = 4
	extraListsPerPage   = 0.05
)

// Shapes returns the shapes that can be measured.
func Shapes() []s3sim.Shape { return s3sim.Shapes() }

// Config says how to measure. All fields must be set, but Latency.
type Config struct {
	Store    string // the executable file of the headcount that serves the stores
	Shapes   []s3sim.Shape
	Objects  int64
	Latency  time.Duration // of each LIST
	Listers  int
	AloneFor time.Duration // one lister lists for this time
	OnRun    func(Run)     // is called after every Run, one call at a time
}

// Run is the result of listing one bucket.
type Run struct {
	Shape              s3sim.Shape `json:"shape"`
	Objects            int64       `json:"objects"`
	Listers            int         `json:"listers"`
	MaxActive          int         `json:"listers_max"`           // the most that listed at once
	KeysPerSecondAlone float64     `json:"keys_per_second_alone"` // by one lister
	KeysPerSecond      float64     `json:"keys_per_second"`       // by all listers
	Lists              int64       `json:"lists"`                 // sent by all listers
	Lost               int64       `json:"lost"`                  // keys that were missing, or listed more than once
}

// Runs has one Run for each shape.
type Runs []Run

// SpeedUp is the speed of all listers divided by that of one.
func (r Run) SpeedUp() float64 { return r.KeysPerSecond / r.KeysPerSecondAlone }

// ExtraLists is the number of LISTs beyond the pages of the bucket.
func (r Run) ExtraLists() int64 { return r.Lists - r.pages() }

func (r Run) pages() int64 { return (r.Objects + pageKeys - 1) / pageKeys }

// met reports whether the Run meets all thresholds.
func (r Run) met() bool {
	return r.Lost == 0 && r.SpeedUp() >= speedUpMin*float64(r.Listers) &&
		float64(r.ExtraLists()) <= float64(extraListsPerLister*r.Listers)+extraListsPerPage*float64(r.pages())
}

// Measure lists one bucket of each shape. When it fails, it returns the Runs until then.
func Measure(ctx context.Context, cfg Config) (Runs, error) {
	var runs Runs
	for _, shape := range cfg.Shapes {
		r, err := cfg.run(ctx, shape)
		if err != nil {
			return runs, err
		}
		runs = append(runs, r)
		cfg.OnRun(r)
	}
	return runs, nil
}

func (cfg Config) run(ctx context.Context, shape s3sim.Shape) (Run, error) {
	url, ctx, stop, err := process.StartStore(ctx, cfg.Store, "--bucket", bucket, "--shape", string(shape),
		"--objects", strconv.FormatInt(cfg.Objects, 10), "--list-latency", cfg.Latency.String())
	if err != nil {
		return Run{}, err
	}
	defer stop()
	opened, err := store.Open(ctx, store.Config{Bucket: bucket, Endpoints: []string{url}, Isolated: true,
		Connections: cfg.Listers})
	if err != nil {
		return Run{}, err
	}
	defer opened.Close()
	r := Run{Shape: shape, Objects: cfg.Objects, Listers: cfg.Listers}

	aloneCtx, cancel := context.WithTimeoutCause(ctx, cfg.AloneFor, errTimeUp)
	alone, err := listAll(aloneCtx, opened, 1)
	cancel()
	if err != nil && context.Cause(aloneCtx) != errTimeUp {
		return Run{}, err
	}
	r.KeysPerSecondAlone = alone.speed()
	all, err := listAll(ctx, opened, cfg.Listers)
	if err != nil {
		return Run{}, err
	}
	r.KeysPerSecond, r.Lists, r.MaxActive = all.speed(), all.lists, all.maxActive
	r.Lost = max(cfg.Objects-all.keys, all.keys-cfg.Objects)
	return r, nil
}

// errTimeUp ends the listing by one lister.
var errTimeUp = errors.New("the time of one lister is up")

// listResult is the result of listing a bucket once.
type listResult struct {
	keys      int64
	lists     int64
	maxActive int
	elapsed   time.Duration // from the start to the last page
}

func (l listResult) speed() float64 {
	return float64(l.keys) / max(l.elapsed, time.Microsecond).Seconds()
}

// listAll lists the bucket with this number of listers. When it fails, the result has what was listed until then.
func listAll(ctx context.Context, s *store.Store, listers int) (listResult, error) {
	var (
		lists, keys atomic.Int64
		last        atomic.Int64 // ns from began to the last page
		began       = time.Now()
	)
	lister := list.New(list.Config{Store: s, OnAttempt: func(string, bool) { lists.Add(1) }})
	listing := lister.Parallel([]list.Range{{}}, listers, nil)
	err := listing.ForEach(ctx, func(_ context.Context, page *list.Page) error {
		keys.Add(int64(len(page.Entries)))
		last.Store(int64(time.Since(began)))
		return nil
	})
	return listResult{keys.Load(), lists.Load(), listing.MaxActive(), time.Duration(last.Load())}, err
}

// Write writes a row for each Run.
func (runs Runs) Write(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%-8s  %10s  %7s  %7s  %9s  %9s  %8s  %6s  %5s\n",
		"shape", "objects", "listers", "active", "keys/s", "alone", "speed-up", "extra", "lost")
	for _, r := range runs {
		if err == nil {
			_, err = fmt.Fprintf(
				w,
				"%-8s  %10d  %7d  %7d  %9.0f  %9.0f  %7.1fx  %6d  %5d\n",
				r.Shape,
				r.Objects,
				r.Listers,
				r.MaxActive,
				r.KeysPerSecond,
				r.KeysPerSecondAlone,
				r.SpeedUp(),
				r.ExtraLists(),
				r.Lost,
			)
		}
	}
	return err
}

// Check writes for each Run whether it meets the thresholds. It returns how many Runs do not, and how many there are.
func (runs Runs) Check(w io.Writer) (missed, checked int, err error) {
	var verdicts []figures.Verdict
	for _, r := range runs {
		verdicts = append(verdicts, figures.Verdict{
			Threshold: string(r.Shape), Measured: fmt.Sprintf("%.1f times, %d extra, %d lost", r.SpeedUp(),
				r.ExtraLists(), r.Lost), Met: r.met(),
		})
	}
	return figures.WriteVerdicts(w, verdicts)
}
