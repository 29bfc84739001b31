package scan

import (
	"context"
	"log/slog"
	"sync"
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

	Prefix string
	Range  list.Range
	ListV1 bool // list by ListObjects instead of ListObjectsV2

	Engine   string        // how HEADs are sent: head.AutoName (also ""), head.DirectName, head.SDKName
	Pipeline int           // HEADs in flight on each connection of the direct engine; 0: 1
	Workers  int           // connections on which HEADs are in flight; 0: 64
	All      bool          // Records for objects without metadata too
	Rate     float64       // requests per second, LISTs included, that are not exceeded; 0: as many as the store bears
	Timeout  time.Duration // of each request, answer included; 0: 30 s
	RetryFor time.Duration // how long a store in trouble is waited for; 0: 15 min
	TriesMax int           // HEADs that may fail for an object while others succeed; 0: 10
	Log      *slog.Logger  // nil: silent
}

const (
	workersDefault  = 64
	timeoutDefault  = 30 * time.Second
	retryForDefault = 15 * time.Minute
	triesDefault    = 10

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
	gate   *pace.Gate
	meter  *meter

	batch    int           // keys in a batch
	slots    chan struct{} // one for each page in flight
	work     chan *batch   // from the lister
	again    chan *batch   // from the waiting list
	waiting  chan waiter   // to the waiting list
	docket   *docket       // to the judge
	finished chan *page    // to the committer
	progress progress
	news     news

	unfinished latch // the lister and the pages that are not committed

	mu    sync.Mutex
	stats Stats // what is committed
}

// New prepares a run. It sends nothing. Its error is head.Open's.
func New(cfg Config) (*Scan, error) {
	cfg = cfg.withDefaults()
	s := &Scan{cfg: cfg, gate: pace.New(cfg.Rate), meter: newMeter()}
	var err error
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
	// Small enough that all workers share two pages, so that none waits at the end of a listing while others have much; but
	// a pipeline has to be filled more often than it is emptied.
	s.batch = min(pageKeys, max(batchMin, min(batchMax, 2*pageKeys/cfg.Workers), 4*cfg.Pipeline))
	batchesPerPage := (pageKeys + s.batch - 1) / s.batch
	pagesAtWork := (cfg.Workers*s.batch + pageKeys - 1) / pageKeys
	pages := pagesWaiting + 2*pagesAtWork
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
// of ctx's end, an OutputError, a SilenceError, or what the listing ended with (list.StoreError, list.ProtocolError,
// list.SendError). It is called once; the Stats are right after every end.
func (s *Scan) Run(ctx context.Context) (Stats, error) {
	s.news.began = time.Now()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.list(ctx) })
	for range s.cfg.Workers {
		g.Go(func() error { return newWorker(s).run(ctx) })
	}
	g.Go(func() error { return s.wait(ctx) })
	g.Go(func() error { return s.judge(ctx) })
	g.Go(func() error { return s.watch(ctx) })
	g.Go(func() error { return s.commit(ctx) })
	err := g.Wait() // nil only if the run was drained
	return s.account(err), err
}

// list pages through the Range and hands the pages to the workers in batches.
func (s *Scan) list(ctx context.Context) error {
	defer s.unfinished.done()
	pager := s.lister.Walk(s.cfg.Range)
	for {
		select {
		case s.slots <- struct{}{}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		listed, err := pager.Next(ctx)
		if err != nil {
			return err
		}
		if listed == nil {
			s.progress.listedAll.Store(true)
			return nil
		}
		s.unfinished.add()
		s.progress.listed.Add(int64(len(listed.Entries)))
		p := newPage(listed)
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

// commit writes finished pages, one after the other.
func (s *Scan) commit(ctx context.Context) error {
	for {
		select {
		case p := <-s.finished:
			if err := s.write(p); err != nil {
				return err
			}
			s.unfinished.done()
			<-s.slots
		case <-s.unfinished.drained:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// write writes one page and then counts it.
func (s *Scan) write(p *page) error {
	if err := s.cfg.Sink.Commit(p.chunks()); err != nil {
		return &OutputError{err}
	}
	for _, failure := range p.failures {
		if err := s.cfg.Failed(failure); err != nil {
			return &OutputError{err}
		}
	}
	s.mu.Lock()
	s.stats.Outcomes.add(p.outcomes)
	s.mu.Unlock()
	s.progress.failed.Add(p.outcomes.Failed)
	return nil
}

// account is the Stats of a run that ended with err.
func (s *Scan) account(err error) Stats {
	s.mu.Lock()
	stats := s.stats
	s.mu.Unlock()
	stats.Complete = err == nil
	if err != nil {
		stats.Error = err.Error()
	}
	s.meter.fill(&stats)
	elapsed := time.Since(s.news.began)
	stats.DurationSeconds = elapsed.Seconds()
	stats.HeadsPerSecond = float64(stats.Heads) / elapsed.Seconds()
	cpu, rss := Usage()
	stats.CPUSeconds, stats.MaxRSSBytes = cpu.Seconds(), rss
	if stats.Listed > 0 {
		stats.CPUMicrosPerObject = float64(cpu.Microseconds()) / float64(stats.Listed)
	}
	stats.Engine, stats.EngineWhy = s.engine.Name(), s.why
	stats.Workers, stats.Region = s.cfg.Workers, s.cfg.Store.Region()
	stats.RateLimit = s.gate.Rate()
	return stats
}
