package report

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"headcount/output/console"
	"headcount/scan/metrics"
)

// seen returns the rate of a run that began after before and has counted n.
func seen(n int64, after time.Duration) *rate {
	began := time.Now()
	r := &rate{at: began}
	r.observe(n, began.Add(after))
	return r
}

// The line of a terminal, after a hundred seconds of 100 objects and 110 HEADs a second.
func TestScanLine(t *testing.T) {
	for _, c := range []struct {
		name     string
		progress metrics.Progress
		columns  int
		want     string
	}{
		{"listing", metrics.Progress{Listed: 12_000, Settled: 10_000, Heads: 11_000, Failed: 3}, 110,
			"10,000 of 12,000 listed so far, 110 HEAD/s, 3 failed"},
		{"a total", metrics.Progress{Listed: 40_000, ListedAll: true, Settled: 10_000, Heads: 11_000, Failed: 3}, 110,
			"25% |██████                  | 10,000 of 40,000, 110 HEAD/s, 3 failed, 4m33s left"},
		{"a narrow terminal", metrics.Progress{Listed: 40_000, ListedAll: true, Settled: 10_000, Heads: 11_000}, 40,
			"25% |██████                  | 10,000 o"},
		{"a terminal without columns", metrics.Progress{Listed: 40_000, ListedAll: true, Settled: 10_000}, 0, ""},
		{"nothing settled", metrics.Progress{Listed: 1_000, ListedAll: true}, 110,
			"0% |                        | 0 of 1,000, 0 HEAD/s, 0 failed"},
		{"everything settled", metrics.Progress{Listed: 10_000, ListedAll: true, Settled: 10_000, Heads: 11_000}, 110,
			"100% |████████████████████████| 10,000 of 10,000, 110 HEAD/s, 0 failed"},
		{"an empty bucket", metrics.Progress{ListedAll: true}, 110, "0 of 0 listed so far, 0 HEAD/s, 0 failed"},
		{"metadata from the listing", metrics.Progress{Listed: 12_000, Settled: 10_000, Heads: 1_000, FromListing: 9_000}, 110,
			"10,000 of 12,000 listed so far, 100 objects/s, 0 failed"},
	} {
		v := scanView()
		got := console.Fit(v.line(c.progress, seen(v.count(c.progress), 100*time.Second)), c.columns)
		if got != c.want {
			t.Errorf("%s:\n%s, want\n%s", c.name, got, c.want)
		}
		if n := utf8.RuneCountInString(got); n > max(0, c.columns-1) {
			t.Errorf("%s: %d characters in %d columns", c.name, n, c.columns)
		}
	}
}

// The end of the listing changes neither the rate nor the remaining time.
func TestScanLineAfterListing(t *testing.T) {
	now := time.Now()
	r, v := &rate{at: now}, scanView()
	p := metrics.Progress{Listed: 90_000}
	for range 100 {
		now = now.Add(drawPeriod)
		p.Settled, p.Heads = p.Settled+500, p.Heads+500
		r.observe(v.count(p), now)
	}
	p.ListedAll = true
	p.Settled += 900 // in a burst
	r.observe(v.count(p), now.Add(drawPeriod))
	if got := v.line(p, r); !strings.HasPrefix(got, "56% |") || !strings.HasSuffix(got, ", 8s left") {
		t.Error(got)
	}
}

func TestListAndWriteLine(t *testing.T) {
	p := metrics.Progress{Listed: 40_000, Settled: 39_000, Heads: 39_000}
	if got := listView().line(p, seen(p.Listed, 100*time.Second)); got != "40,000 objects listed so far, 400/s" {
		t.Error(got)
	}
	if got := writeView("PUT").line(p, seen(p.Heads, 100*time.Second)); got != "39,000 of 40,000 listed so far, 390 PUT/s, 0 failed" {
		t.Error(got)
	}
}

func TestLogProgress(t *testing.T) {
	p := metrics.Progress{Listed: 40_000, ListedAll: true, Settled: 3_000, Heads: 3_300, Failed: 2}
	for want, v := range map[string]view{
		"msg=scanning objects=3000 listed=40000 listed_all=true heads_per_second=110 failed=2\n":  scanView(),
		"msg=listing listed=40000 objects_per_second=1333\n":                                      listView(),
		"msg=writing objects=3000 listed=40000 listed_all=true objects_per_second=110 failed=2\n": writeView("PUT"),
	} {
		var text bytes.Buffer
		v.log(slog.New(slog.NewTextHandler(&text, nil)), p, seen(v.count(p), 30*time.Second))
		if !strings.HasSuffix(text.String(), want) {
			t.Errorf("%s, want %s", text.String(), want)
		}
	}
}

// Progress is drawn every drawPeriod, or logged every logPeriod. Once stopped, it calls progress no more and leaves
// nothing drawn.
func TestStartProgress(t *testing.T) {
	for name, c := range map[string]struct {
		reporter       Reporter
		period         time.Duration
		calls          int64
		prefix, suffix string
	}{
		"drawn":       {Reporter{drawsProgress: true}, drawPeriod, 3, "0 of 1 listed so far, 0 HEAD/s", console.ClearLine},
		"logged":      {Reporter{}, logPeriod, 3, "level=INFO msg=scanning objects=0 listed=1 ", "failed=0\n"},
		"quiet":       {Reporter{Config: Config{Quiet: true}}, logPeriod, 0, "", ""},
		"no progress": {Reporter{Config: Config{NoProgress: true}, drawsProgress: true}, logPeriod, 0, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var text bytes.Buffer
				r := c.reporter
				r.Status = console.NewStatusLine(&text)
				r.Log = slog.New(slog.NewTextHandler(r.Status, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
				calls := int64(0)
				stop := r.StartProgress(func() metrics.Progress { calls++; return metrics.Progress{Listed: calls} })
				time.Sleep(3*c.period + time.Millisecond)
				stop()
				time.Sleep(3 * c.period)
				if calls != c.calls {
					t.Errorf("%d calls, want %d", calls, c.calls)
				}
				if got := text.String(); !strings.HasPrefix(got, c.prefix) || !strings.HasSuffix(got, c.suffix) || (got == "") != (c.calls == 0) {
					t.Errorf("%q", got)
				}
			})
		})
	}
}

// The function that stops the progress waits for a call that is under way.
func TestStopWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calling atomic.Bool
		stop := every(time.Second, func() {
			calling.Store(true)
			time.Sleep(time.Second / 2)
			calling.Store(false)
		})
		time.Sleep(time.Second + time.Second/4)
		if !calling.Load() {
			t.Fatal("no call has begun")
		}
		if stop(); calling.Load() {
			t.Error("stop has returned during a call")
		}
	})
}

// A rate follows the count within a few seconds, and a single burst changes it little.
func TestRate(t *testing.T) {
	now := time.Now()
	r := &rate{at: now}
	count := int64(0)
	for range 300 { // 30 seconds at 100 per second
		now, count = now.Add(drawPeriod), count+10
		r.observe(count, now)
	}
	count += 100 // a second's work at once
	if r.observe(count, now); r.perSecond() < 110 || r.perSecond() > 150 {
		t.Errorf("%.0f per second after a burst", r.perSecond())
	}
	for range 150 { // 15 seconds at 400 per second
		now, count = now.Add(drawPeriod), count+40
		r.observe(count, now)
	}
	if r.perSecond() < 390 || r.perSecond() > 410 {
		t.Errorf("%.0f per second, want 400", r.perSecond())
	}
	if got := r.remaining(4000).Round(time.Second); got != 10*time.Second {
		t.Errorf("%v left", got)
	}
}

func withoutTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
