package scan

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"headcount/scan/checkpoint"
	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// Config says what to scan and what to do with it. Store must be set.
type Config struct {
	Store *store.Store

	// Sink gets the Records, and Failures every object that failed, before their page counts. Run closes both, however it
	// ends. nil: Records, or failures, are only counted.
	Sink     Sink
	Failures FailureSink

	// OnCheckpoint saves a Checkpoint: when the run begins, every CheckpointEvery (0: 1 s) while pages are committed, and at
	// the end. It is called from one goroutine at a time. All that was given to Sink and Failures before is in the
	// Checkpoint and on disk (Sync), and nothing else is. Its error ends the run. nil: no checkpoints.
	OnCheckpoint    func(*checkpoint.Checkpoint) error
	CheckpointEvery time.Duration

	// ListOnly makes it a run that asks for no object: it is given each Page that has any, in the order of commit and from one goroutine. All
	// objects count as filtered. nil: the objects are asked for.
	ListOnly func(*list.Page)

	// Resume is where an earlier run stood; nil: this is the first. Its Parameters and Positions are the caller's business.
	Resume *checkpoint.Checkpoint

	Prefix string
	Range  list.Range // of the first run; a later one scans what From has left of it
	Keys   *list.Keys // the objects to ask for; nil: those that the bucket lists
	ListV1 bool       // list by ListObjects instead of ListObjectsV2
	Limit  int64      // the scan is of so many objects at most, the first ones that are listed, with those before From; 0: of all

	Engine      string        // how HEADs are sent: engine.Auto (also ""), engine.Direct, engine.SDK; or not: engine.List
	Pipeline    int           // HEADs in flight on each connection of the direct engine; 0: 1
	Listers     int           // Ranges that are listed at once, at most; 0: 1, ListersAuto: as many as keep the workers busy
	Workers     int           // connections on which HEADs are in flight; WorkersAuto (0): as many as the store rewards
	Ordered     bool          // Records in the order of keys
	All         bool          // Records for objects without metadata too
	Rate        float64       // requests per second, LISTs included, that are not exceeded; 0: as many as the store bears
	Timeout     time.Duration // of each request, answer included; 0: 30 s
	RetryFor    time.Duration // how long a store in trouble is waited for; 0: 15 min
	MaxAttempts int           // HEADs that may fail for an object while others succeed; 0: 10
	MaxFailures int64         // the run ends when so many objects have failed in it; 0: never for that
	Log         *slog.Logger  // nil: silent
}

const (
	timeoutDefault     = 30 * time.Second
	retryForDefault    = 15 * time.Minute
	maxAttemptsDefault = 10

	// checkpointEveryDefault is how much work a run that is killed leaves to be done again. To keep costs some milliseconds, in which nothing is
	// written.
	checkpointEveryDefault = time.Second

	// batchMax keeps a batch's answers (64 of 600 bytes) within the first-level cache, and costs one channel
	// operation for 64 HEADs.
	batchMax = 64

	// batchMin shares the cost of handing a batch on, and a Chunk, among some objects at least.
	batchMin = 8

	// listersMost is where ListersAuto ends: 64 pages at once are 640,000 keys a second at 100 ms a page, more than one machine asks for.
	listersMost = 64
)

// ListersAuto is as many listers as keep the workers busy.
const ListersAuto = -1

func (c Config) withDefaults() Config {
	if c.Listers == 0 || c.Limit > 0 { // the first objects are those of one lister
		c.Listers = 1
	}
	c.Workers = max(WorkersAuto, c.Workers)
	if c.Timeout <= 0 {
		c.Timeout = timeoutDefault
	}
	if c.RetryFor <= 0 {
		c.RetryFor = retryForDefault
	}
	if c.CheckpointEvery <= 0 {
		c.CheckpointEvery = checkpointEveryDefault
	}
	if c.MaxAttempts <= 0 {
		c.MaxAttempts = maxAttemptsDefault
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Sink == nil {
		c.Sink = discard{}
	}
	if c.Failures == nil {
		c.Failures = discard{}
	}
	return c
}

// Scan is one run over a Range. Make it with New.
type Scan struct {
	cfg     Config
	engine  head.Engine
	why     string // it is that engine
	lister  *list.Lister
	listing *list.ParallelLister // nil: the objects are known, and nothing is listed

	listMetadata *listMetadata // nil: HEADs are sent for all objects

	limiter *pace.Limiter
	metrics *metrics.Collector

	depth        int                     // HEADs in flight on each connection
	pool         workerPool              // the workers
	batch        atomic.Int64            // keys in a batch
	pageLimit    pageLimit               // for pages
	pageSem      chan struct{}           // one for each page in flight, or that there is no room for
	firstPageSem chan struct{}           // more of them, with Ordered
	work         chan *batch             // from the lister
	retryDue     chan *batch             // from the waiting list
	delayed      chan delayed            // to the waiting list
	refusals     *refusalQueue           // to the judge
	finished     chan *page              // to the committer
	current      []atomic.Pointer[batch] // what each worker asks for now, as many as there can be
	idle         atomic.Int64            // workers that have nothing to ask for
	progress     metrics.ProgressCounters
	health       *fault.Health              // of the HEADs
	sampleObject atomic.Pointer[list.Entry] // an object that the store answered for, to ask for it again
	began        time.Time
	left         atomic.Int64 // objects until the limit

	cpuBefore time.Duration // that the process took before Run

	inFlight inFlight // the lister and the pages that are not committed
}

// New prepares a run. It sends nothing. Its error is engine.Open's, or what is wrong with Config.From.
func New(cfg Config) (*Scan, error) {
	cfg = cfg.withDefaults()
	s := &Scan{cfg: cfg, limiter: pace.NewLimiter(cfg.Rate), metrics: metrics.NewCollector()}
	s.left.Store(cfg.Limit)
	var err error
	if cfg.Resume != nil {
		if err := s.metrics.Restore(&cfg.Resume.Stats, cfg.Resume.Latencies); err != nil {
			return nil, err
		}
		s.progress.Restore(&cfg.Resume.Stats.Outcomes)
		s.left.Add(-cfg.Resume.Stats.Listed)
	}
	if s.engine, s.why, err = engine.Open(cfg.Engine, head.Config{
		Store: cfg.Store, Limiter: s.limiter, Timeout: cfg.Timeout, Pipeline: cfg.Pipeline, Log: cfg.Log,
	}); err != nil {
		return nil, err
	}
	cfg.Log.Debug("HEADs are sent by the "+s.engine.Name()+" engine", "why", s.why)
	if cfg.Pipeline > 1 && s.engine.Name() != engine.Direct {
		cfg.Log.Warn("nothing is pipelined: HEADs are sent by the "+s.engine.Name()+" engine", "why", s.why)
	}
	s.lister = list.New(list.Config{
		Store: cfg.Store, Limiter: s.limiter, Prefix: cfg.Prefix, V1: cfg.ListV1, Metadata: wantsListMetadata(&s.cfg),
		Timeout: cfg.Timeout, RetryFor: cfg.RetryFor, Log: cfg.Log, OnAttempt: s.metrics.CountList,
	})
	if s.listMetadata = newListMetadata(&s.cfg, s.lister); s.listMetadata != nil {
		s.engine = head.WithKnownMetadata(s.engine, cfg.Pipeline)
	}
	s.depth = 1
	if s.engine.Name() == engine.Direct {
		s.depth = max(1, cfg.Pipeline)
	}
	most, listers := cfg.maxWorkers(s.depth), cfg.Listers
	if listers == ListersAuto {
		listers = listersMost
	}
	pages := s.maxPages(most, listers)
	s.batch.Store(int64(s.batchFor(most))) // until staff knows better
	s.current = make([]atomic.Pointer[batch], most)
	s.pageSem, s.firstPageSem = make(chan struct{}, pages), make(chan struct{}, waitingPages)
	for range pages { // makeRoom frees as many as are of use
		s.pageSem <- struct{}{}
	}
	s.work = make(chan *batch, (pages+waitingPages)*((pageKeys+s.batchFor(most)-1)/s.batchFor(most)))
	s.retryDue = make(chan *batch)
	s.delayed = make(chan delayed)
	s.health = fault.NewHealth("HEAD")
	s.refusals = newRefusalQueue()
	s.finished = make(chan *page, pages+waitingPages)
	s.inFlight = newLatch()
	return s, nil
}

// pageKeys is how many keys a page usually has.
const pageKeys = 1000

// batchFor is how many keys a batch has where there are so many workers: few enough that all of them share two pages, so that none waits
// at the end of a listing while others have much; but a pipeline has to be filled more often than it is emptied.
func (s *Scan) batchFor(workers int) int {
	return min(pageKeys, max(batchMin, min(batchMax, 2*pageKeys/workers), 4*s.depth))
}

// Run scans until every key of the Range has its Outcome, and then returns nil. Any other end is an error: the cause
// of ctx's end, an OutputError, a fault.UnavailableError, a FailuresError, or what the listing ended with (list.StoreError,
// list.ProtocolError, list.SendError), or a ListMetadataError. It is called once; the Stats are right after every end.
func (s *Scan) Run(ctx context.Context) (metrics.Stats, error) {
	s.began = time.Now()
	s.cpuBefore, _ = metrics.Usage()
	committer := newCommitter(s)
	ranges := slices.Clone(committer.pending)
	if s.cfg.Keys == nil {
		s.listing = s.newListing(ranges)
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.list(ctx, ranges) })
	g.Go(func() error { return s.autoscale(ctx, g) })
	g.Go(func() error { return s.stealStalled(ctx) })
	g.Go(func() error { return s.queueRetries(ctx) })
	g.Go(func() error { return s.verifyRefusals(ctx) })
	g.Go(func() error { return s.health.Watch(ctx, s.cfg.RetryFor, s.inFlight.drained) })
	g.Go(func() error { return committer.run(ctx) })
	err := committer.end(g.Wait()) // nil only if the run was drained
	stats := s.account(committer.outcomes, err)
	stats.Addresses = s.metrics.AddressStats()
	return stats, err
}

// newListing returns who lists the Ranges.
func (s *Scan) newListing(ranges []list.Range) *list.ParallelLister {
	if s.cfg.Listers == ListersAuto {
		return s.lister.Parallel(ranges, listersMost, s.starved)
	}
	return s.lister.Parallel(ranges, s.cfg.Listers, nil)
}

// list pages through the Ranges, by as many listers as are needed, and hands the pages to the workers in batches.
func (s *Scan) list(ctx context.Context, ranges []list.Range) error {
	defer s.inFlight.done()
	g, ctx := errgroup.WithContext(ctx)
	if s.listing == nil {
		g.Go(func() error { return s.listKeys(ctx, ranges) })
	} else {
		for range s.listing.Max() {
			g.Go(func() error { return s.listShare(ctx) })
		}
	}
	if err := g.Wait(); err != nil {
		return err
	}
	s.progress.ListedAll.Store(true)
	return nil
}

// listKeys walks the Ranges of objects that are known, one after the other.
func (s *Scan) listKeys(ctx context.Context, ranges []list.Range) error {
	for _, rng := range ranges {
		if err := s.listRange(ctx, s.cfg.Keys.Pager(rng)); err != nil {
			return err
		}
	}
	return nil
}

// listShare is one lister: it takes its share of the Ranges.
func (s *Scan) listShare(ctx context.Context) error {
	for isFirst := true; ; isFirst = false {
		pager, err := s.listing.NextPager(ctx)
		if pager == nil {
			return err
		}
		if isFirst {
			s.growPageLimit(0, 1)
		}
		if err := s.listRange(ctx, pager); err != nil {
			return err
		}
		s.listing.Done(pager)
	}
}

// starved says whether workers have nothing to do, for want of keys.
func (s *Scan) starved() bool { return len(s.work) == 0 && s.idle.Load() > 0 }

// walk hands out the Pages of a Range, as list.Pager does.
type walk interface {
	Next(context.Context) (*list.Page, error)
	Rest() (list.Range, bool)
}

func (s *Scan) listRange(ctx context.Context, walk walk) error {
	if s.cfg.Limit > 0 {
		rng, _ := walk.Rest()
		walk = &limited{walk: walk, rng: rng, left: &s.left}
	}
	for {
		slot, err := s.acquirePage(ctx, walk)
		if err != nil {
			return err
		}
		listed, err := walk.Next(ctx)
		if err != nil {
			return err
		}
		if listed == nil {
			rest, ok := walk.Rest()
			if !ok {
				<-slot
				return nil
			}
			s.inFlight.add()
			return s.enqueueCommit(ctx, newPage(&list.Page{Range: rest}, slot)) // that it is empty is committed too
		}
		s.inFlight.add()
		s.progress.Listed.Add(int64(len(listed.Entries)))
		p, size := newPage(listed, slot), int(s.batch.Load())
		if err := s.listMetadata.onPage(listed); err != nil {
			return err
		}
		if s.cfg.ListOnly != nil {
			if err := s.skipPage(ctx, p); err != nil {
				return err
			}
			continue
		}
		for first := 0; first < len(listed.Entries); first += size {
			b := &batch{page: p, first: first, count: min(size, len(listed.Entries)-first)}
			select {
			case s.work <- b:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// acquirePage returns the slot of a page that may be listed now. With Ordered the walk of the first keys that are not listed has slots of its own, since
// the pages in all the others may be waiting for it.
func (s *Scan) acquirePage(ctx context.Context, walk walk) (slot chan struct{}, err error) {
	for {
		isFirst, changed := false, (<-chan struct{})(nil)
		if s.cfg.Ordered {
			isFirst, changed = true, nil
			if s.listing != nil {
				isFirst, changed = s.listing.IsFirst(walk)
			}
		}
		first := s.firstPageSem
		if !isFirst {
			first = nil
		}
		select {
		case s.pageSem <- struct{}{}:
			return s.pageSem, nil
		case first <- struct{}{}:
			return s.firstPageSem, nil
		case <-changed:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// account is the Stats of a run, and those before it, in which these Outcomes are committed and which ended with err.
func (s *Scan) account(outcomes metrics.Outcomes, err error) metrics.Stats {
	stats := metrics.Stats{Complete: err == nil, Outcomes: outcomes}
	stats.LimitReached = s.cfg.Limit > 0 && outcomes.Listed >= s.cfg.Limit
	if err != nil {
		stats.Error = err.Error()
	}
	s.metrics.Fill(&stats)
	cpu, rss := metrics.Usage()
	stats.DurationSeconds = time.Since(s.began).Seconds()
	stats.CPUSeconds, stats.MaxRSSBytes, stats.Runs = cpu.Seconds(), rss, 1
	if s.cfg.Resume != nil {
		before := &s.cfg.Resume.Stats
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
	stats.Engine, stats.EngineReason = s.listMetadata.engine(s.engine.Name(), s.why)
	stats.Region = s.cfg.Store.Region()
	s.fillPool(&stats)
	stats.RateLimit = s.limiter.Rate()
	if s.listing != nil {
		stats.Listers = s.listing.MaxActive()
	}
	return stats
}

// Progress may be called at any time, from any goroutine.
func (s *Scan) Progress() metrics.Progress { return s.progress.Progress() }
