package scan

import (
	"context"
	"maps"
	"time"

	"golang.org/x/sync/errgroup"

	"headcount/scan/head"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// Scan is one run: the stages of the picture in doc.go. Make it with New.
type Scan struct {
	cfg Config
	storeAccess
	findings     *findings
	lister       *list.Lister
	parallel     *list.ParallelLister // nil: the keys are known, and nothing is listed
	listingCheck *listingCheck        // nil: the bucket is listed once
	encoder      *encoder
	engineWhy    string // why it is this engine

	producer   *producer
	pool       *workerPool
	autoscaler *autoscaler
	retries    *retryQueue[*batch]
	verifier   *verifier
	lookups    *lookups // nil: no further requests are sent
	committer  *committer
	inFlight   inFlight

	began     time.Time
	cpuBefore time.Duration // CPU time of the process before Run
}

// New prepares a run. It sends nothing. Its error is that of engine.Open, or says what is wrong with Config.Resume.
func New(cfg Config) (*Scan, error) {
	cfg = cfg.withDefaults()
	s := &Scan{cfg: cfg, storeAccess: newStoreAccess(&cfg), encoder: newEncoder(&cfg), inFlight: newInFlight()}
	s.findings = newFindings(&cfg, &s.storeAccess)
	if resume := cfg.Resume; resume != nil {
		if err := s.metrics.Restore(&resume.Stats, resume.Latencies); err != nil {
			return nil, err
		}
		s.progress.Restore(&resume.Stats.Outcomes)
	}
	if err := s.openEngine(); err != nil {
		return nil, err
	}
	s.wire()
	return s, nil
}

// openEngine makes the lister and the engine.
func (s *Scan) openEngine() (err error) {
	cfg := &s.cfg
	s.engine, s.engineWhy, err = engine.Open(cfg.Engine, head.Config{
		Store: cfg.Store, Limiter: s.limiter, Timeout: cfg.Timeout, Pipeline: cfg.Pipeline,
		Expected: s.findings.differences.Expected(), MetadataPrefix: cfg.MetadataPrefix, Headers: cfg.Headers,
		Log: cfg.Log,
	})
	if err != nil {
		return err
	}
	cfg.Log.Debug("HEADs are sent by the "+s.engine.Name()+" engine", "why", s.engineWhy)
	if cfg.Pipeline > 1 && s.engine.Name() != engine.Direct {
		cfg.Log.Warn("nothing is pipelined: HEADs are sent by the "+s.engine.Name()+" engine", "why", s.engineWhy)
	}
	s.lister = list.New(list.Config{
		Store: cfg.Store, Limiter: s.limiter, Prefix: cfg.Prefix, Prefixes: cfg.Prefixes, Delimiter: cfg.Delimiter,
		Order: cfg.ListOrder, MayChangeOrder: cfg.mayChangeOrder(), V1: cfg.ListV1, Metadata: wantsListMetadata(cfg),
		Details: cfg.ListDetails, Versions: cfg.Versions,
		Timeout: cfg.Timeout, RetryFor: cfg.RetryFor, Log: cfg.Log, OnAttempt: s.metrics.CountList,
		OnUnconnected: func() { s.pool.yieldConnection() },
	})
	if s.findings.listMetadata = newListMetadata(cfg, s.lister); s.findings.listMetadata != nil || cfg.Versions {
		s.engine = head.WithKnownMetadata(s.engine, cfg.Pipeline)
	}
	return nil
}

// sizes are how much of a run there is at once, at most.
type sizes struct {
	workers, listers int
	lookups          int // further requests in flight
	depth            int // HEADs in flight on each connection
	pages            int // in flight
}

func (s *Scan) newSizes() sizes {
	cfg := &s.cfg
	n := sizes{depth: 1, listers: cfg.Listers}
	if s.engine.Name() == engine.Direct {
		n.depth = max(1, cfg.Pipeline)
	}
	if n.listers == ListersAuto {
		n.listers = ListersAutoMax
	}
	files := metrics.MaxOpenFiles()
	if n.lookups = cfg.maxLookups(files); files > 0 {
		files = max(1, files-n.lookups)
	}
	n.workers = cfg.maxWorkers(n.depth, files)
	if n.workers < cfg.Workers {
		cfg.Log.Warn("this process may not open enough files for all workers: fewer run",
			"workers", n.workers, "asked for", cfg.Workers, "hint", "raise the limit (ulimit -n)")
	}
	n.pages = maxPages(n.workers, batchSizeFor(n.workers, n.depth), n.listers) + waitingPages
	return n
}

// wire makes the stages, from the last to the first: each gets the stages to which it hands objects.
func (s *Scan) wire() {
	cfg := &s.cfg
	n := s.newSizes()
	s.committer = s.newCommitter(n.pages)
	s.retries = newRetryQueue[*batch](s.inFlight)
	s.verifier = s.newVerifier()
	records := newRecordLimit(recordBytesMax)
	s.lookups = s.newLookups(n.lookups, records)
	s.pool = s.newPool(n, records)

	s.autoscaler = newAutoscaler(cfg, s.pool, s.limiter, n.depth, n.workers)
	s.autoscaler.inFlight = s.inFlight
	s.autoscaler.listedAll = s.progress.ListedAll.Load
	s.autoscaler.outputFull = func() bool {
		return s.committer.queued() && s.pool.pageLimit.full() || s.committer.writing() && s.pool.records.reached()
	}

	s.listingCheck = newListingCheck(cfg)
	var mayPass func(*Record) bool
	var encode func(context.Context, *page) error
	switch {
	case cfg.NoHeads:
		encode = s.encoder.encodeListed
		fallthrough
	case cfg.ListOnly != nil:
		mayPass = func(*Record) bool { return false }
	case cfg.Filter != nil && cfg.Filter.Listed != nil:
		mayPass = cfg.Filter.Listed
	}
	s.producer = &producer{
		source: s.newSource(n.listers), listers: n.listers, ordered: cfg.inOrder(), mayPass: mayPass, encode: encode,
		readsKey:     cfg.Filter != nil && cfg.Filter.ReadsKey && !cfg.NoHeads && cfg.ListOnly == nil,
		listMetadata: s.findings.listMetadata, listingCheck: s.listingCheck,
		pageLimit: s.pool.pageLimit, inFlight: s.inFlight, progress: s.progress, pool: s.pool, committer: s.committer,
	}
}

// newSource makes the source of the Ranges that are to be scanned.
func (s *Scan) newSource(listers int) source {
	cfg := &s.cfg
	var source source
	if cfg.Keys != nil {
		source = keySource(cfg.Keys, cfg.ranges())
	} else {
		var needed func() bool // nil: always
		if cfg.Listers == ListersAuto && !cfg.NoHeads {
			needed = s.pool.starved
		}
		s.parallel = s.lister.Parallel(cfg.ranges(), listers, needed)
		if cfg.Listers == ListersAuto {
			s.parallel.EnoughAt(listedPerSecondMax)
		}
		source = bucketSource(s.parallel)
	}
	if cfg.Limit > 0 {
		left := cfg.Limit
		if cfg.Resume != nil {
			left -= cfg.Resume.Stats.Listed
		}
		source = source.withLimit(left)
	}
	return source
}

// Run scans until every key of the Range has its Outcome, and then returns nil. Any other end is an error: the cause of
// ctx's end, an OutputError, a fault.UnavailableError, a FailuresError, a ListMetadataError, or that of the listing
// (list.StoreError, list.ProtocolError, list.SendError). It is called once. The Stats are right after every end.
func (s *Scan) Run(ctx context.Context) (metrics.Stats, error) {
	s.began = time.Now()
	s.cpuBefore, _ = metrics.Usage()
	s.pool.began = s.began
	err := s.runStages(ctx)
	if err == nil {
		err = s.verifyListing(ctx)
	}
	err = s.committer.end(err)
	s.hintAtListMetadata()
	stats := s.stats(s.committer.committed(), err)
	stats.Addresses = s.metrics.AddressStats()
	return stats, err
}

// runStages returns nil only if nothing is in flight.
func (s *Scan) runStages(ctx context.Context) error {
	defer s.pool.members.stop()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return s.producer.run(ctx) })
	g.Go(func() error { return s.autoscaler.run(ctx, g) }) // starts the workers of the pool
	g.Go(func() error { return s.pool.stealStalled(ctx) })
	g.Go(func() error { return s.pool.records.run(ctx, s.inFlight.Done(), s.committer.writing) })
	g.Go(func() error { return s.retries.run(ctx) })
	g.Go(func() error { return s.verifier.run(ctx) })
	g.Go(func() error { return s.lookups.run(ctx) })
	g.Go(func() error { return s.committer.run(ctx) })
	g.Go(func() error { return s.health.Watch(ctx, s.cfg.RetryFor, s.inFlight.Done()) })
	return g.Wait()
}

// stats returns the Stats of this run and the earlier ones, of which these Outcomes are committed. err is what ended
// the run; nil while it runs, and for a complete one.
func (s *Scan) stats(outcomes metrics.Outcomes, err error) metrics.Stats {
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
	why := s.engineWhy
	if err := s.cfg.Store.DirectUnsupported(); err != nil && s.engine.Name() == engine.SDK && s.cfg.Engine != engine.SDK {
		why = err.Error() // it may be another region than at first
	}
	stats.Engine, stats.EngineReason = s.findings.listMetadata.engine(s.engine.Name(), why)
	stats.Region = s.cfg.Store.Region()
	s.autoscaler.fill(&stats, s.cpuBefore)
	if s.cfg.NoHeads {
		stats.Engine, stats.EngineReason = metrics.EngineNone, "the LIST says all that was asked for"
		stats.Workers, stats.InFlight = 0, 0
	}
	stats.RateLimit, stats.ListingDiffers = s.limiter.Rate(), s.findings.differences.Names()
	stats.Said = s.said()
	stats.ListDenied = s.verifier.rightToList.isDenied() || s.cfg.Resume != nil && s.cfg.Resume.Stats.ListDenied
	if s.listingCheck != nil {
		stats.ListingCheck = &s.listingCheck.result
	}
	if s.parallel != nil {
		stats.Listers = s.parallel.MaxActive()
	}
	return stats
}

// said returns Stats.Said of this run and the earlier ones.
func (s *Scan) said() map[string]int64 {
	if len(s.cfg.Counted) == 0 {
		return nil
	}
	said := map[string]int64{}
	if s.cfg.Resume != nil {
		maps.Copy(said, s.cfg.Resume.Stats.Said)
	}
	for i, counted := range s.cfg.Counted {
		said[counted.Name] += s.committer.saidBy(i)
	}
	return said
}

// EmptyPrefixes returns those of Config.Prefixes that are the beginning of no key. It is called after a Run. It returns
// none where that Run has not listed every prefix in full: an error or the limit has ended it, or it was resumed.
func (s *Scan) EmptyPrefixes(stats *metrics.Stats) []string {
	if !stats.Complete || stats.LimitReached || stats.Runs > 1 || s.cfg.Range != (list.Range{}) {
		return nil
	}
	return s.lister.EmptyPrefixes()
}

// Progress may be called at any time, from any goroutine.
func (s *Scan) Progress() metrics.Progress { return s.progress.Progress() }
