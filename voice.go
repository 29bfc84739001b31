package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"headcount/scan"
)

const (
	barPeriod = 100 * time.Millisecond // what the eye takes for continuous
	logPeriod = 30 * time.Second       // what a log file bears for hours
)

// voiceConfig is how much a run tells on standard error, and in what form.
type voiceConfig struct {
	quiet, noProgress bool
	level             slog.Level
	json              bool
}

func parseVoice(c *cli.Context) (voiceConfig, error) {
	v := voiceConfig{quiet: c.Bool("quiet"), noProgress: c.Bool("no-progress")}
	if err := v.level.UnmarshalText([]byte(c.String("log-level"))); err != nil {
		return v, usagef("there are debug, info, warn and error", "there is no log level %q", c.String("log-level"))
	}
	switch c.String("log-format") {
	case "text":
	case "json":
		v.json = true
	default:
		return v, usagef("there are text and json", "there is no log format %q", c.String("log-format"))
	}
	if v.quiet {
		v.level = max(v.level, slog.LevelError)
	}
	return v, nil
}

// voice is what tells on standard error: the log, the progress, the account at the end. Data goes elsewhere.
type voice struct {
	voiceConfig
	w   *screen
	log *slog.Logger
	bar bool // a progress bar is drawn; otherwise the progress is logged
}

// open makes the voice of a run. A bar is for a person who watches: standard error is a terminal then, and the records
// go elsewhere, since they would tear it.
func (v voiceConfig) open(stdout, stderr io.Writer) *voice {
	w := &screen{w: stderr}
	options := &slog.HandlerOptions{Level: v.level}
	var handler slog.Handler = slog.NewTextHandler(w, options)
	if v.json {
		handler = slog.NewJSONHandler(w, options)
	}
	return &voice{voiceConfig: v, w: w, log: slog.New(handler), bar: isTerminal(stderr) && !isTerminal(stdout)}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// follow tells how far the run is until the function that it returns is called.
func (v *voice) follow(s *scan.Scan) (stop func()) {
	if v.quiet || v.noProgress {
		return func() {}
	}
	period, show, end := logPeriod, v.logProgress(s), func() {}
	if v.bar {
		period = barPeriod
		show, end = v.drawProgress(s)
	}
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
				show()
			case <-ended:
				end()
				return
			}
		}
	})
	return func() {
		close(ended)
		wg.Wait()
	}
}

func (v *voice) logProgress(s *scan.Scan) func() {
	rate := newRate()
	return func() {
		p := s.Progress()
		v.log.Info("scanning", "objects", p.Settled, "listed", p.Listed, "listed_all", p.ListedAll,
			"heads_per_second", int64(rate.of(p.Heads)), "failed", p.Failed)
	}
}

// drawProgress draws a bar: a count while the bucket is being listed, with a total once it is.
func (v *voice) drawProgress(s *scan.Scan) (show, end func()) {
	bar := progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(v.w.raw()), // by default it writes to standard output
		progressbar.OptionSetWidth(24),
		progressbar.OptionEnableColorCodes(false), // with or without NO_COLOR
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(0), // the ticker is throttle enough
	)
	rate := newRate()
	show = func() {
		p := s.Progress()
		v.w.drawing(func() {
			if p.ListedAll {
				bar.ChangeMax64(p.Listed)
			}
			bar.Describe(fmt.Sprintf("%s objects, %s HEAD/s, %s failed",
				number(p.Settled), number(int64(rate.of(p.Heads))), number(p.Failed)))
			_ = bar.Set64(p.Settled) // it fails only when standard error does, and then there is nobody to tell
		})
	}
	end = func() { v.w.drawing(func() { _ = bar.Clear() }) }
	return show, end
}

// account tells what became of every object.
func (v *voice) account(s *scan.Stats, failures *failureFile) {
	failures.show(v.w)
	if v.quiet {
		return
	}
	// The accounting is of whole pages, so it balances however the run ended.
	state := "complete"
	if !s.Complete {
		state = "not complete"
	}
	fmt.Fprintf(v.w, "%s: %s objects listed = %s emitted + %s without metadata + %s filtered + %s gone + %s failed\n",
		state, number(s.Listed), number(s.Emitted), number(s.WithoutMetadata), number(s.Filtered), number(s.Gone), number(s.Failed))
	fmt.Fprintf(v.w, "%s HEADs in %.1f s, %s/s; latency p50 %.1f ms, p99 %.1f ms; CPU %.0f µs per object; engine %s, %d workers\n",
		number(s.Heads), s.DurationSeconds, number(int64(s.HeadsPerSecond)), s.HeadLatency.P50, s.HeadLatency.P99,
		s.CPUMicrosPerObject, s.Engine, s.Workers)
	if s.Changed > 0 {
		fmt.Fprintf(v.w, "%s objects were overwritten between LIST and HEAD (\"changed\":true)\n", number(s.Changed))
	}
}

// rate is a rate since it was asked last.
type rate struct {
	at    time.Time
	count int64
}

func newRate() *rate { return &rate{at: time.Now()} }

func (r *rate) of(count int64) float64 {
	now := time.Now()
	perSecond := float64(count-r.count) / max(now.Sub(r.at).Seconds(), 1e-3)
	r.at, r.count = now, count
	return perSecond
}

// number writes n with commas between the thousands.
func number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	var groups []string
	for len(digits) > 3 {
		groups = append([]string{digits[len(digits)-3:]}, groups...)
		digits = digits[:len(digits)-3]
	}
	return sign + strings.Join(append([]string{digits}, groups...), ",")
}

// screen lets log lines and a bar share standard error: a line that is written while a bar is drawn takes its place, and
// the bar comes back below it.
type screen struct {
	mu    sync.Mutex
	w     io.Writer
	drawn bool
}

func (s *screen) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drawn {
		if _, err := io.WriteString(s.w, "\r\x1b[K"); err != nil {
			return 0, err
		}
		s.drawn = false
	}
	return s.w.Write(text)
}

// drawing runs draw, which writes to raw, while nobody else writes.
func (s *screen) drawing(draw func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	draw()
	s.drawn = true
}

// raw is what a bar is drawn on, within drawing only.
func (s *screen) raw() io.Writer { return s.w }
