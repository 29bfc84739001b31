package heads

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"headcount/bench/figures"
	"headcount/bench/process"
	"headcount/scan/head"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// Config says what to measure. Store or Serve, Workers, Duration, KeysMax and Timeout must be set.
type Config struct {
	Store    store.Config // Connections is set by Measure
	Prefix   string
	ListV1   bool           // list by ListObjects instead of ListObjectsV2
	Embedded *EmbeddedStore // the store is an embedded one; nil: it is Store's

	KeysMax  int           // keys of the Sample
	Workers  []int         // a Step for each; with Rate one number, of the connections at most
	Rate     float64       // HEADs per second that are planned; 0: a closed loop
	Duration time.Duration // of each Step, without its warm-up
	Engine   string        // engine.Auto, engine.Direct, engine.SDK
	Pipeline int           // HEADs in flight on each connection of the direct engine; below 1 is 1. With Rate it is 1
	Timeout  time.Duration // of a HEAD
	Log      *slog.Logger  // nil: silent

	Version string   // for the Report
	Command []string // for the Report

	OnProgress func(Progress) // is called once a second; nil: nobody is told
	OnStep     func(*Step)    // is called after each Step that came to its end; nil: nobody is told
}

// EmbeddedStore is an embedded store, in a process of its own.
type EmbeddedStore struct {
	Program           string // headcount's executable file
	Objects           int64
	Latency           time.Duration // added to every HEAD
	Stall, StallEvery time.Duration // for so long of each such time it answers nothing; zeros: it always does
}

// Progress is how far a measurement has come.
type Progress struct {
	Step, Steps int // the present one, from 1, and how many there will be
	Workers     int
	Rate        float64
	Left        time.Duration // of all Steps
	Errors      int64         // of the present Step, as what follows

	HeadsPerSecond float64 // that succeeded, of late
}

// the embedded store
const (
	bucket    = "heads"
	accessKey = "headcount" // it verifies nothing, but what a signature costs is a part of a HEAD
	secretKey = "headcount"
)

// Measure takes the Sample, and holds a Step for each number of workers. When it fails, the Report has what was
// measured until then: a NoneError where no HEAD succeeds, the cause of ctx's end, or what the LIST ended with.
func Measure(ctx context.Context, cfg Config) (*Report, error) {
	r := &Report{
		Date: time.Now().UTC().Truncate(time.Second), Headcount: cfg.Version, Command: cfg.Command, Machine: figures.ThisMachine(ctx),
		Prefix: cfg.Prefix, Loop: Closed, Embedded: cfg.Embedded != nil, Pipeline: max(1, cfg.Pipeline), Steps: []Step{},
	}
	if cfg.Rate > 0 {
		r.Loop = Open
	}
	if s := cfg.Embedded; s != nil {
		url, during, stop, err := process.StartStore(ctx, s.Program, s.flags()...)
		if err != nil {
			return r, err
		}
		defer stop()
		ctx = during
		cfg.Store = store.Config{Bucket: bucket, Endpoints: []string{url}, Isolated: true, AccessKey: accessKey, SecretKey: secretKey}
	}
	for _, n := range cfg.Workers {
		cfg.Store.Connections = max(cfg.Store.Connections, n)
	}
	st, err := store.Open(ctx, cfg.Store)
	if err != nil {
		return r, &ConfigError{err}
	}
	defer st.Close()
	r.Endpoints, r.Bucket = st.EndpointURLs(), st.Bucket()
	m := measurement{Config: cfg, store: st, report: r}
	if m.keys, err = listKeys(ctx, st, &cfg); err != nil {
		return r, err
	}
	r.Keys, r.Region = len(m.keys), st.Region()
	err = m.runSteps(ctx)
	return r, err
}

// ConfigError is a configuration with which no store can be opened.
type ConfigError struct{ error }

func (e *ConfigError) Unwrap() error { return e.error }

// flags are those of bench serve.
func (s *EmbeddedStore) flags() []string {
	flags := []string{"--bucket", bucket, "--objects", strconv.FormatInt(s.Objects, 10), "--latency", s.Latency.String()}
	if s.Stall > 0 {
		flags = append(flags, "--stall", s.Stall.String(), "--stall-every", s.StallEvery.String())
	}
	return flags
}

// measurement is one call of Measure.
type measurement struct {
	Config
	store  *store.Store
	keys   []list.Entry
	report *Report
}

// runSteps holds all Steps.
func (m *measurement) runSteps(ctx context.Context) error {
	r, began := m.report, time.Now()
	for i := range m.Workers {
		// A new engine for each: those of the Step before have given their connections back.
		opened, why, err := engine.Open(m.Engine, head.Config{
			Store: m.store, Limiter: new(pace.Limiter), Timeout: m.Timeout, Pipeline: m.Pipeline, Log: m.Log,
		})
		if err != nil {
			return &ConfigError{err}
		}
		r.Engine, r.EngineWhy = opened.Name(), why
		if r.Engine != engine.Direct {
			r.Pipeline = 1
		}
		s := &step{
			engine: opened, store: m.store, keys: m.keys, workers: m.Workers[i], pipeline: r.Pipeline,
			rate: m.Rate, duration: m.Duration, preciseSleep: preciseSleep,
		}
		told, err := m.runStep(ctx, s, i, began)
		if told.DurationSeconds > 0 {
			r.Steps = append(r.Steps, told)
			setLimits(r.Steps, r.Embedded)
			r.Knee = findKnee(r)
		}
		if name := s.server.Load(); name != nil {
			r.Server = *name
		}
		switch {
		case err != nil:
			return err
		case told.Heads == 0:
			return &NoSuccessError{Target: "s3://" + r.Bucket + "/" + r.Prefix, Statuses: told.Statuses}
		}
		if m.OnStep != nil {
			m.OnStep(&r.Steps[i])
		}
	}
	r.Complete = true
	return nil
}

// runStep runs a step, and tells of its progress.
func (m *measurement) runStep(ctx context.Context, s *step, number int, began time.Time) (Step, error) {
	s.begin(time.Now())
	if m.OnProgress == nil {
		return s.run(ctx, began)
	}
	over, told := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		before, at := int64(0), s.from
		for {
			select {
			case now := <-ticker.C:
				p, heads := m.progress(s, number)
				if now.After(at) { // the warm-up is over
					p.HeadsPerSecond = float64(heads-before) / now.Sub(at).Seconds()
					before, at = heads, now
				}
				m.OnProgress(p)
			case <-over:
				return
			}
		}
	}()
	defer func() { close(over); <-told }()
	return s.run(ctx, began)
}

func (m *measurement) progress(s *step, number int) (p Progress, heads int64) {
	p = Progress{Step: number + 1, Steps: len(m.Workers), Workers: s.workers, Rate: s.rate}
	heads, p.Errors = s.recorder.counts()
	p.Left = max(0, time.Until(s.end)) + time.Duration(p.Steps-p.Step)*(s.duration+s.warmUp())
	return p, heads
}
