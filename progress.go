package main

import (
	"fmt"
	"io"
	"log/slog"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"headcount/output/console"
	"headcount/scan/metrics"
)

const (
	barPeriod = 100 * time.Millisecond // what the eye takes for continuous
	logPeriod = 30 * time.Second       // what a log file bears for hours

	barColumns  = 24              // a step is about 4 %
	ratePeriod  = 3 * time.Second // what a drawn rate is smoothed over, so that it can be read
	etaShortest = time.Second     // a rest that is over before it is read
)

// follow tells how far the run is until the function that it returns is called.
func (v *voice) follow(progress func() metrics.Progress) (stop func()) {
	counted := &rate{at: time.Now()}
	line, log := progressLine, logProgress
	if v.listsOnly {
		line, log = listingLine, logListing
	}
	switch {
	case v.quiet || v.noProgress:
		return func() {}
	case v.draws:
		stop := every(barPeriod, func() { v.screen.Draw(line(progress(), counted, time.Now(), v.screen.Columns())) })
		return func() { stop(); v.screen.Draw("") }
	}
	return every(logPeriod, func() { log(v.log, progress(), counted, time.Now()) })
}

// every calls do again and again until the function that it returns is called, and never after that has returned.
func every(period time.Duration, do func()) (stop func()) {
	var (
		ended = make(chan struct{})
		wg    sync.WaitGroup
	)
	wg.Go(func() {
		ticker := time.NewTicker(period)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				do()
			case <-ended:
				return
			}
		}
	})
	return func() {
		close(ended)
		wg.Wait()
	}
}

func logProgress(log *slog.Logger, p metrics.Progress, heads *rate, now time.Time) {
	heads.see(p.Heads+p.FromListing, now)
	name := "heads_per_second"
	if p.FromListing > 0 {
		name = "objects_per_second"
	}
	log.Info("scanning", "objects", p.Settled, "listed", p.Listed, "listed_all", p.ListedAll,
		name, int64(heads.perSecond()), "failed", p.Failed)
}

// progressLine is what a terminal of so many columns shows: a count while the bucket is being listed, and a bar once
// its total is known. It leaves the last column free, since a full line makes some terminals scroll.
func progressLine(p metrics.Progress, heads *rate, now time.Time, columns int) string {
	heads.see(p.Heads+p.FromListing, now)
	what := "HEAD/s"
	if p.FromListing > 0 {
		what = "objects/s"
	}
	return console.Fit(doneLine(p, heads, what), columns)
}

// doneLine tells what is done of what is listed, what being what the rate counts.
func doneLine(p metrics.Progress, counted *rate, what string) string {
	rates := fmt.Sprintf("%s %s, %s failed", console.Number(int64(counted.perSecond())), what, console.Number(p.Failed))
	line := fmt.Sprintf("%s of %s listed so far, %s", console.Number(p.Settled), console.Number(p.Listed), rates)
	if p.ListedAll && p.Listed > 0 {
		line = bar(p) + fmt.Sprintf(" %s of %s, %s", console.Number(p.Settled), console.Number(p.Listed), rates)
		// By HEADs, since objects are settled in bursts.
		if left := counted.left(p.Listed - p.Settled); left >= etaShortest {
			line += fmt.Sprintf(", %s left", left.Round(time.Second))
		}
	}
	return line
}

// listingLine is what a terminal shows of a run that only lists, and whose total nobody knows before its end.
func listingLine(p metrics.Progress, objects *rate, now time.Time, columns int) string {
	objects.see(p.Listed, now)
	return console.Fit(fmt.Sprintf("%s listed so far, %s/s", console.Count(p.Listed, "object", "objects"), console.Number(int64(objects.perSecond()))), columns)
}

func logListing(log *slog.Logger, p metrics.Progress, objects *rate, now time.Time) {
	objects.see(p.Listed, now)
	log.Info("listing", "listed", p.Listed, "objects_per_second", int64(objects.perSecond()))
}

// bar draws how much of a known total is done. It is a new bar each time, of which nothing but the drawing is taken: the
// rate of one that is set to what was done while there was no total is wrong, and with it the time that it predicts.
func bar(p metrics.Progress) string {
	b := progressbar.NewOptions64(p.Listed,
		progressbar.OptionSetWriter(io.Discard),
		progressbar.OptionSetWidth(barColumns),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
	)
	_ = b.Set64(p.Settled) // more than the total it cannot be
	b.Describe("")         // draws it, which Set64 does only for a new percent
	return strings.Trim(b.String(), "\r ")
}

// rate is the rate of a count, smoothed over ratePeriod: what was counted, and the time that it took, both the less the
// longer ago. Seen less often than that, it is the rate since it was seen last.
type rate struct {
	at               time.Time
	count            int64
	counted, seconds float64
}

func (r *rate) see(count int64, now time.Time) {
	elapsed := now.Sub(r.at).Seconds()
	decay := math.Exp(-elapsed / ratePeriod.Seconds())
	r.counted = r.counted*decay + float64(count-r.count)
	r.seconds = r.seconds*decay + elapsed
	r.at, r.count = now, count
}

func (r *rate) perSecond() float64 { return r.counted / max(r.seconds, 1e-3) }

// left is how long n more take; 0: nobody knows, or nothing is left.
func (r *rate) left(n int64) time.Duration {
	if r.counted == 0 {
		return 0
	}
	return time.Duration(float64(n) / r.perSecond() * float64(time.Second))
}
