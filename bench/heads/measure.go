package heads

import (
	"context"
	"errors"
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

// Config says what to measure. Store or Embedded, Workers, Duration, KeysMax and Timeout must be set.
type Config struct {
	Store    store.Config // Connections is set by Measure
	Prefix   string
	ListV1   bool           // list by ListObjects instead of ListObjectsV2
	Embedded *EmbeddedStore // measure this store instead of Store; nil: measure Store

	KeysMax  int           // the most keys of the Sample
	Workers  []int         // a Step for each; with Rate one number: the most connections
	Rate     float64       // HEADs per second that are planned; 0: closed loop
	Duration time.Duration // of each Step, without its warm-up
	Engine   string        // engine.Auto, engine.Direct, engine.SDK
	Pipeline int           // HEADs in flight on each connection of the direct engine; 0: 1. With Rate it must be 0 or 1
	Timeout  time.Duration // of a HEAD
	Log      *slog.Logger  // nil: silent

	Version string   // for the Report
	Command []string // for the Report

	OnProgress func(Progress) // is called once a second; may be nil
	OnStep     func(*Step)    // is called after each Step that ran to its end; may be nil
}

// EmbeddedStore is a synthetic store in a process of its own.
type EmbeddedStore struct {
	Program           string // the executable file of the headcount that serves
	Objects           int64
	Latency           time.Duration // added to every HEAD
	Stall, StallEvery time.Duration // a stall of this length begins every StallEvery; 0: none
}

// Progress is the progress of a measurement.
type Progress struct {
	Step, Steps int // the current one, from 1, and their number
	Workers     int
	Rate        float64
	Left        time.Duration // until the end of the last Step
	Errors      int64         // of the current Step

	HeadsPerSecond float64 // successes in the last second
}

// The bucket and the credentials of the embedded store.
const (
	bucket    = "heads"
	accessKey = "headcount" // the store verifies nothing, but signing is part of the cost of a HEAD
	secretKey = "headcount"
)

// Measure lists the Sample, and runs a Step for each number of workers. When it fails, the Report has the Steps until
// then. Its errors are a NoSuccessError if no HEAD succeeds in a Step, a ConfigError, the cause of ctx's end, and the
// error of the LIST.
func Measure(ctx context.Context, cfg Config) (*Report, error) {
	r := &Report{
		Date: time.Now().UTC().Truncate(time.Second), Headcount: cfg.Version, Command: cfg.Command,
		Machine: figures.ThisMachine(ctx),
		Prefix:  cfg.Prefix, Loop: Closed, Embedded: cfg.Embedded != nil, Pipeline: max(1, cfg.Pipeline),
		Steps: []Step{},
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
		cfg.Store = store.Config{Bucket: bucket, Endpoints: []string{url}, Isolated: true, AccessKey: accessKey,
			SecretKey: secretKey}
	}
	for _, n := range cfg.Workers {
		cfg.Store.Connections = max(cfg.Store.Connections, n)
	}
	st, err := store.Open(ctx, cfg.Store)
	switch {
	case ctx.Err() != nil:
		return r, context.Cause(ctx)
	case errors.As(err, new(*store.CredentialsError)):
		return r, err
	case err != nil:
		return r, &ConfigError{err}
	}
	defer st.Close()
	if err := st.FetchCredentials(ctx); err != nil {
		return r, err
	}
	r.Endpoints, r.Bucket = st.EndpointURLs(), st.Bucket()
	m := measurement{Config: cfg, store: st, report: r}
	if m.keys, err = listKeys(ctx, st, &cfg); err != nil {
		return r, err
	}
	r.Keys, r.Region = len(m.keys), st.Region()
	err = m.runSteps(ctx)
	return r, err
}

// ConfigError is the error of a Config from which no store or engine can be made.
type ConfigError struct{ error }

func (e *ConfigError) Unwrap() error { return e.error }

// flags returns the flags of bench serve.
func (s *EmbeddedStore) flags() []string {
	flags := []string{"--bucket", bucket, "--objects", strconv.FormatInt(s.Objects, 10), "--latency",
		s.Latency.String()}
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

// runSteps runs all Steps.
func (m *measurement) runSteps(ctx context.Context) error {
	r, began := m.report, time.Now()
	for i := range m.Workers {
		// Each Step gets a new engine. The connections of the last one are closed.
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

// runStep runs a step, and calls OnProgress meanwhile.
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
				if now.After(at) { // after the warm-up
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
