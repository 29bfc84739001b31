package scan

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// Config says what to scan and what to do with it. Store and Sink must be set.
type Config struct {
	Store *store.Store
	Sink  Sink

	// Failed is told of every failed object, in the order of commit and from one goroutine, before its page counts.
	// Its error ends the run. nil: failures are only counted.
	Failed func(*ObjectError) error

	// Keep is told where the run stands: as it begins, every KeepEvery (0: 1 s) while that changes, and at the end, from one goroutine at a time. All
	// that was given to Sink and Failed until then is in the Checkpoint, and nothing else is. Its error ends the run. nil: nothing is kept.
	Keep      func(*Checkpoint) error
	KeepEvery time.Duration

	// From is where an earlier run stood; nil: this is the first. Its Parameters and Positions are the caller's business.
	From *Checkpoint

	Prefix string
	Range  list.Range // of the first run; a later one scans what From has left of it
	Keys   *list.Keys // the objects to ask for; nil: those that the bucket lists
	ListV1 bool       // list by ListObjects instead of ListObjectsV2

	// MetadataOnly is set where the Sink wants nothing of a HEAD but what a listing with metadata gives too: metadata, size, ETag, date and
	// storage class. Then, with head.AutoName, the listing may take the place of HEADs (shortcut).
	MetadataOnly bool

	Engine    string        // how HEADs are sent: head.AutoName (also ""), head.DirectName, head.SDKName; or not: head.ListName
	Pipeline  int           // HEADs in flight on each connection of the direct engine; 0: 1
	Workers   int           // connections on which HEADs are in flight; 0: 64
	All       bool          // Records for objects without metadata too
	Rate      float64       // requests per second, LISTs included, that are not exceeded; 0: as many as the store bears
	Timeout   time.Duration // of each request, answer included; 0: 30 s
	RetryFor  time.Duration // how long a store in trouble is waited for; 0: 15 min
	TriesMax  int           // HEADs that may fail for an object while others succeed; 0: 10
	FailedMax int64         // the run ends when so many objects have failed in it; 0: never for that
	Log       *slog.Logger  // nil: silent
}

const (
	workersDefault  = 64
	timeoutDefault  = 30 * time.Second
	retryForDefault = 15 * time.Minute
	triesDefault    = 10

	// keepEveryDefault is how much work a run that is killed leaves to be done again. To keep costs some milliseconds, in which nothing is
	// written.
	keepEveryDefault = time.Second

	// batchMax keeps a batch's answers (64 of 600 bytes) within the first-level cache, and costs one channel
	// operation for 64 HEADs.
	batchMax = 64

	// batchMin shares the cost of handing a batch on, and a Chunk, among some objects at least.
	batchMin = 8

	// pagesWaiting is how many pages may wait for a last object while the others go on. One takes 200 kB or so.
	pagesWaiting = 24
)

func (c Config) withDefaults() Config {
	if c.Workers <= 0 {
		c.Workers = workersDefault
	}
	if c.Timeout <= 0 {
		c.Timeout = timeoutDefault
	}
	if c.RetryFor <= 0 {
		c.RetryFor = retryForDefault
	}
	if c.KeepEvery <= 0 {
		c.KeepEvery = keepEveryDefault
	}
	if c.TriesMax <= 0 {
		c.TriesMax = triesDefault
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Failed == nil {
		c.Failed = func(*ObjectError) error { return nil }
	}
	return c
}

// Scan is one run over a Range. Make it with New.
type Scan struct {
	cfg    Config
	engine head.Engine
	why    string // it is that engine
	lister *list.Lister

	shortcut *shortcut // past the HEADs; nil: there is none

	gate  *pace.Gate
	meter *meter

	batch    int                     // keys in a batch
	slots    chan struct{}           // one for each page in flight
	work     chan *batch             // from the lister
	again    chan *batch             // from the waiting list
	waiting  chan waiter             // to the waiting list
	docket   *docket                 // to the judge
	finished chan *page              // to the committer
	asks     []atomic.Pointer[batch] // what each worker asks for now
	idle     atomic.Int64            // workers that have nothing to ask for
	progress progress
	news     news

	unfinished latch // the lister and the pages that are not committed
}

// New prepares a run. It sends nothing. Its error is head.Open's, or what is wrong with Config.From.
func New(cfg Config) (*Scan, error) {
	cfg = cfg.withDefaults()
	s := &Scan{cfg: cfg, gate: pace.New(cfg.Rate), meter: newMeter()}
	var err error
	if cfg.From != nil {
		if err := s.meter.goOn(cfg.From); err != nil {
			return nil, err
		}
		s.progress.goOn(&cfg.From.Stats.Outcomes)
	}
	if s.engine, s.why, err = head.Open(cfg.Engine, head.Config{
		Store: cfg.Store, Gate: s.gate, Timeout: cfg.Timeout, Pipeline: cfg.Pipeline, Log: cfg.Log,
	}); err != nil {
		return nil, err
	}
	cfg.Log.Debug("HEADs are sent by the "+s.engine.Name()+" engine", "why", s.why)
	if cfg.Pipeline > 1 && s.engine.Name() != head.DirectName {
		cfg.Log.Warn("nothing is pipelined: HEADs are sent by the "+s.engine.Name()+" engine", "why", s.why)
	}
	s.lister = list.New(list.Config{
		Store: cfg.Store, Gate: s.gate, Prefix: cfg.Prefix, V1: cfg.ListV1, Timeout: cfg.Timeout, RetryFor: cfg.RetryFor,
		Log: cfg.Log, Sent: s.meter.listSent,
	})
	if s.shortcut = newShortcut(s); s.shortcut != nil {
		s.engine = head.WithListed(s.engine, cfg.Pipeline)
		s.lister.WantMetadata(s.shortcut.wish())
	}
	// Small enough that all workers share two pages, so that none waits at the end of a listing while others have much; but
	// a pipeline has to be filled more often than it is emptied.
	s.batch = min(pageKeys, max(batchMin, min(batchMax, 2*pageKeys/cfg.Workers), 4*cfg.Pipeline))
	batchesPerPage := (pageKeys + s.batch - 1) / s.batch
	pagesAtWork := (cfg.Workers*s.batch + pageKeys - 1) / pageKeys
	pages := pagesWaiting + 2*pagesAtWork
	s.asks = make([]atomic.Pointer[batch], cfg.Workers)
	s.slots = make(chan struct{}, pages)
	s.work = make(chan *batch, pages*batchesPerPage)
	s.again = make(chan *batch)
	s.waiting = make(chan waiter)
	s.docket = newDocket()
	s.finished = make(chan *page, pages)
	s.unfinished = newLatch()
	return s, nil
}

// pageKeys is how many keys a page usually has.
const pageKeys = 1000

// Run scans until every key of the Range has its Outcome, and then returns nil. Any other end is an error: the cause
// of ctx's end, an OutputError, a SilenceError, a FailuresError, or what the listing ended with (list.StoreError,
// list.ProtocolError, list.SendError), or a ListingError. It is called once; the Stats are right after every end.
func (s *Scan) Run(ctx context.Context) (Stats, error) {
	s.news.began = time.Now()
	committer := newCommitter(s)
	ranges := slices.Clone(committer.open)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.list(ctx, ranges) })
	for i := range s.asks {
		g.Go(func() error { return newWorker(s, &s.asks[i]).run(ctx) })
	}
	g.Go(func() error { return s.relieve(ctx) })
	g.Go(func() error { return s.wait(ctx) })
	g.Go(func() error { return s.judge(ctx) })
	g.Go(func() error { return s.watch(ctx) })
	g.Go(func() error { return committer.run(ctx) })
	err := committer.end(g.Wait()) // nil only if the run was drained
	return s.account(committer.outcomes, err), err
}

// list pages through the Ranges, one after the other, and hands the pages to the workers in batches.
func (s *Scan) list(ctx context.Context, ranges []list.Range) error {
	defer s.unfinished.done()
	for _, rng := range ranges {
		if err := s.listRange(ctx, s.walk(rng)); err != nil {
			return err
		}
	}
	s.progress.listedAll.Store(true)
	return nil
}

// walk hands out the Pages of a Range, as list.Pager does.
type walk interface {
	Next(context.Context) (*list.Page, error)
	Rest() (list.Range, bool)
}

func (s *Scan) walk(rng list.Range) walk {
	if s.cfg.Keys != nil {
		return s.cfg.Keys.Walk(rng)
	}
	return s.lister.Walk(rng)
}

func (s *Scan) listRange(ctx context.Context, walk walk) error {
	for {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := s.shortcut.await(ctx); err != nil {
			return err
		}
		listed, err := walk.Next(ctx)
		if err != nil {
			return err
		}
		if listed == nil {
			s.shortcut.pass()
			rest, ok := walk.Rest()
			if !ok {
				<-s.slots
				return nil
			}
			s.unfinished.add()
			return s.finish(ctx, newPage(&list.Page{Range: rest})) // that it is empty is committed too
		}
		s.unfinished.add()
		s.progress.listed.Add(int64(len(listed.Entries)))
		p := newPage(listed)
		if err := s.shortcut.see(p); err != nil {
			return err
		}
		for first := 0; first < len(listed.Entries); first += s.batch {
			b := &batch{page: p, first: first, count: min(s.batch, len(listed.Entries)-first)}
			select {
			case s.work <- b:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// account is the Stats of a run, and those before it, in which these Outcomes are committed and which ended with err.
func (s *Scan) account(outcomes Outcomes, err error) Stats {
	stats := Stats{Complete: err == nil, Outcomes: outcomes}
	if err != nil {
		stats.Error = err.Error()
	}
	s.meter.fill(&stats)
	cpu, rss := Usage()
	stats.DurationSeconds = time.Since(s.news.began).Seconds()
	stats.CPUSeconds, stats.MaxRSSBytes, stats.Runs = cpu.Seconds(), rss, 1
	if s.cfg.From != nil {
		before := &s.cfg.From.Stats
		stats.DurationSeconds += before.DurationSeconds
		stats.CPUSeconds += before.CPUSeconds
		stats.MaxRSSBytes = max(rss, before.MaxRSSBytes)
		stats.Runs += before.Runs
	}
	if stats.DurationSeconds > 0 { // a clock may be coarse
		stats.HeadsPerSecond = float64(stats.Heads) / stats.DurationSeconds
	}
	if stats.Listed > 0 {
		stats.CPUMicrosPerObject = stats.CPUSeconds * 1e6 / float64(stats.Listed)
	}
	stats.Engine, stats.EngineWhy = s.shortcut.engine(s.engine.Name(), s.why)
	stats.Workers, stats.Region = s.cfg.Workers, s.cfg.Store.Region()
	stats.RateLimit = s.gate.Rate()
	return stats
}
