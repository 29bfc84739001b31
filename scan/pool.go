package scan

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// WorkersAuto lets the run find the number of workers with which the store answers most HEADs.
	WorkersAuto = 0

	// WorkersAutoMax is the most HEADs in flight that WorkersAuto tries. At 50 ms, 2,048 were best on two busy cores. Each
	// worker costs 30 kB. Whoever needs more sets Config.Workers.
	WorkersAutoMax = 4096

	// spareFiles are left for files and connections other than the workers': LISTs, the canary, name look-ups, outputs. A
	// process that may open very few files leaves half of them.
	spareFiles = 64

	// batchMax keeps the answers to a batch (64 of 600 bytes) within the first-level cache, and costs one channel
	// operation for 64 HEADs.
	batchMax = 64

	// batchMin shares the cost of a channel operation, and of a Chunk, among some objects at least.
	batchMin = 8

	// stalledAfter is how long a worker may work at one batch before other workers get what it has not begun. An answer
	// that is late then delays its own object alone.
	stalledAfter = time.Second
	stealEvery   = stalledAfter / 4
)

// workerPool is the stage that sends the HEADs: a number of workers, each with its own session and connection. Some of
// them run, the others are parked (members). A worker is started the first time the pool grows to include it.
//
// The pool takes batches from the producer (submit) and from the retry queue. Those of the retry queue come first: a
// page waits for each. Neither channel is closed: the workers end when nothing is in flight.
type workerPool struct {
	storeAccess
	*findings
	encoder *encoder

	// Where objects go: those without an Outcome into the retry queue, to the verifier or the lookups, the others to the
	// committer.
	retries   *retryQueue[*batch]
	verifier  *verifier
	lookups   *lookups // nil: no further requests are sent
	committer *committer
	inFlight  inFlight

	queue chan *batch // of objects that had no HEAD yet
	depth int         // HEADs in flight on each connection

	// known is set where a KeySource has the keys. What it says of an object can be days old: a later Last-Modified shows
	// that the object was overwritten, with the same content too.
	known bool

	members      members
	batchObjects atomic.Int64            // objects in a batch
	current      []atomic.Pointer[batch] // of each worker, nil between batches
	pageLimit    *pageLimit
	records      *recordLimit

	activity
}

// maxWorkers returns how many workers there can be in a process that may open so many files (0: any number).
func (c *Config) maxWorkers(depth, files int) int {
	most := c.Workers
	if most == WorkersAuto {
		most = WorkersAutoMax / depth
	}
	if files > 0 {
		most = min(most, files-min(spareFiles, files/2))
	}
	return max(1, most)
}

// batchSizeFor returns how many objects a batch has with so many workers. They are few enough that all workers share
// two pages, so that no worker waits at the end of a listing while others have much to do. A batch has several times
// depth objects: at the end of each batch the pipeline of its connection runs empty.
func batchSizeFor(workers, depth int) int {
	return min(pageKeys, max(batchMin, min(batchMax, 2*pageKeys/workers), 4*depth))
}

// newPool makes the pool. It starts no workers.
func (s *Scan) newPool(n sizes, records *recordLimit) *workerPool {
	size := batchSizeFor(n.workers, n.depth)
	batchesPerPage := (pageKeys + size - 1) / size
	p := &workerPool{
		storeAccess: s.storeAccess, findings: s.findings, encoder: s.encoder,
		retries: s.retries, verifier: s.verifier, lookups: s.lookups, committer: s.committer, inFlight: s.inFlight,
		queue: make(chan *batch, n.pages*batchesPerPage), depth: n.depth, known: s.cfg.Keys != nil,
		current:   make([]atomic.Pointer[batch], n.workers),
		pageLimit: newPageLimit(func(workers int) int { return batchSizeFor(workers, n.depth) }),
		records:   records,
		activity:  activity{cpuTime: processCPUTime},
	}
	p.batchObjects.Store(int64(size)) // until the autoscaler has a better number
	return p
}

// batchSize returns how many objects the next batch should have.
func (p *workerPool) batchSize() int { return int(p.batchObjects.Load()) }

// submit queues a batch.
func (p *workerPool) submit(ctx context.Context, b *batch) error {
	select {
	case p.queue <- b:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// queueEmpty reports whether no batch waits for its first HEAD.
func (p *workerPool) queueEmpty() bool { return len(p.queue) == 0 }

// starved reports whether workers are idle for want of keys.
func (p *workerPool) starved() bool { return p.queueEmpty() && p.idle.count() > 0 }

// resize makes size workers run; new workers start in g. next is the size that the pool will probably have next: new
// batches and the page limit are made for it. A worker that is parked finishes the HEADs that it has begun; the other
// workers get the rest of its batch.
func (p *workerPool) resize(ctx context.Context, g *errgroup.Group, size, next int) error {
	p.batchObjects.Store(int64(batchSizeFor(next, p.depth)))
	p.pageLimit.grow(max(size, next), 0)
	for i := p.members.count(); i < size; i++ {
		w := newWorker(p, i) // in this goroutine, so that neighbouring workers have neighbouring endpoints
		p.members.add(w)
		g.Go(func() error { return w.run(ctx) })
	}
	return p.splitBatches(ctx, p.members.setWanted(size))
}

// splitBatches gives the other workers what these workers have not begun of their batches.
func (p *workerPool) splitBatches(ctx context.Context, stopped []*worker) error {
	for _, w := range stopped {
		if err := p.splitBatch(ctx, w.index); err != nil {
			return err
		}
	}
	return nil
}

// splitBatch gives the other workers what worker i has not begun of its batch.
func (p *workerPool) splitBatch(ctx context.Context, i int) error {
	b := p.current[i].Load()
	if b == nil {
		return nil
	}
	if rest := b.split(); rest != nil {
		return p.retries.add(ctx, rest, 0)
	}
	return nil
}

// stealStalled shares out the batches of stalled workers while others are idle. It also looks for workers whose
// connection is never served.
func (p *workerPool) stealStalled(ctx context.Context) error {
	ticker := time.NewTicker(stealEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-p.inFlight.Done():
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		p.abandonConnecting()
		for i := range p.current {
			if p.idle.count() == 0 {
				break
			}
			b := p.current[i].Load()
			if b == nil || time.Since(b.begun) < stalledAfter {
				continue
			}
			if err := p.splitBatch(ctx, i); err != nil {
				return err
			}
		}
	}
}
