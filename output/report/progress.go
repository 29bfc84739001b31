package report

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"headcount/output/console"
	"headcount/scan/metrics"
)

const (
	drawPeriod = 100 * time.Millisecond // short enough for the eye to see a continuous change
	logPeriod  = 30 * time.Second       // rare enough for a log of many hours

	barColumns       = 24          // a column is about 4 %
	remainingMinimum = time.Second // a shorter time is over before anybody has read it
)

// view is how the progress of one kind of run is shown.
type view struct {
	count func(metrics.Progress) int64 // the count whose rate is shown
	line  func(metrics.Progress, *rate) string
	log   func(*slog.Logger, metrics.Progress, *rate)
}

// StartProgress shows the progress of a scan until the returned function is called. It calls progress from a goroutine
// of its own, and never after the returned function has returned.
func (r *Reporter) StartProgress(progress func() metrics.Progress) (stop func()) {
	return r.start(progress, scanView())
}

// StartListProgress shows the progress of a run that only lists.
func (r *Reporter) StartListProgress(progress func() metrics.Progress) (stop func()) {
	return r.start(progress, listView())
}

// StartWriteProgress shows the progress of a run that sends requests of another method, such as PUT, for objects.
func (r *Reporter) StartWriteProgress(method string, progress func() metrics.Progress) (stop func()) {
	return r.start(progress, writeView(method))
}

func scanView() view {
	return view{
		count: func(p metrics.Progress) int64 { return p.Heads + p.FromListing },
		line: func(p metrics.Progress, r *rate) string {
			unit := "HEAD/s"
			if p.FromListing > 0 {
				unit = "objects/s"
			}
			return settledLine(p, r, unit)
		},
		log: func(log *slog.Logger, p metrics.Progress, r *rate) {
			name := "heads_per_second"
			if p.FromListing > 0 {
				name = "objects_per_second"
			}
			log.Info("scanning", "objects", p.Settled, "listed", p.Listed, "listed_all", p.ListedAll,
				name, int64(r.perSecond()), "failed", p.Failed)
		},
	}
}

// listView shows no total: a listing knows it only at its end.
func listView() view {
	return view{
		count: func(p metrics.Progress) int64 { return p.Listed },
		line: func(p metrics.Progress, r *rate) string {
			objects := console.Count(p.Listed, "object", "objects")
			return fmt.Sprintf("%s listed so far, %s/s", objects, console.Number(int64(r.perSecond())))
		},
		log: func(log *slog.Logger, p metrics.Progress, r *rate) {
			log.Info("listing", "listed", p.Listed, "objects_per_second", int64(r.perSecond()))
		},
	}
}

func writeView(method string) view {
	return view{
		count: func(p metrics.Progress) int64 { return p.Heads },
		line:  func(p metrics.Progress, r *rate) string { return settledLine(p, r, method+"/s") },
		log: func(log *slog.Logger, p metrics.Progress, r *rate) {
			log.Info("writing", "objects", p.Settled, "listed", p.Listed, "listed_all", p.ListedAll,
				"objects_per_second", int64(r.perSecond()), "failed", p.Failed)
		},
	}
}

func (r *Reporter) start(progress func() metrics.Progress, v view) (stop func()) {
	counted := &rate{at: time.Now()}
	observe := func() metrics.Progress {
		p := progress()
		counted.observe(v.count(p), time.Now())
		return p
	}
	switch {
	case r.Quiet || r.NoProgress:
		return func() {}
	case r.drawsProgress:
		stop := every(drawPeriod, func() { r.Status.Draw(console.Fit(v.line(observe(), counted), r.Status.Columns())) })
		return func() { stop(); r.Status.Draw("") }
	}
	return every(logPeriod, func() { v.log(r.Log, observe(), counted) })
}

// every calls do once per period until the returned function is called, and never after that function has returned.
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

// settledLine shows the settled objects: a count while the bucket is being listed, and a bar once the total is known.
// unit is that of the rate.
func settledLine(p metrics.Progress, counted *rate, unit string) string {
	settled, listed := console.Number(p.Settled), console.Number(p.Listed)
	rates := fmt.Sprintf("%s %s, %s failed", console.Number(int64(counted.perSecond())), unit, console.Number(p.Failed))
	if !p.ListedAll || p.Listed == 0 {
		return fmt.Sprintf("%s of %s listed so far, %s", settled, listed, rates)
	}
	line := fmt.Sprintf("%s %s of %s, %s", bar(p), settled, listed, rates)
	// The rate is that of requests, since objects are settled in bursts.
	if left := counted.remaining(p.Listed - p.Settled); left >= remainingMinimum {
		line += fmt.Sprintf(", %s left", left.Round(time.Second))
	}
	return line
}

// bar draws the settled part of a known total. Each call makes a new progressbar and uses only its drawing. A bar that
// lives through the run would mix up its rate: it would count the objects from before the total was known as a burst.
func bar(p metrics.Progress) string {
	b := progressbar.NewOptions64(p.Listed,
		progressbar.OptionSetWriter(io.Discard),
		progressbar.OptionSetWidth(barColumns),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
	)
	_ = b.Set64(p.Settled) // the only error is a number over the total
	b.Describe("")         // draws the bar, which Set64 does only when the percentage changes
	return strings.Trim(b.String(), "\r ")
}
