package seed

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

// CleanStats are the statistics of a Clean. If it is complete, every listed object is counted as exactly one of
// removed, foreign, gone and failed.
type CleanStats struct {
	Complete bool   `json:"complete"`
	Error    string `json:"error,omitempty"`
	Folder   string `json:"folder"` // s3://bucket/prefix/headcount-seed/

	Listed  int64 `json:"listed"`
	Removed int64 `json:"removed"`
	Foreign int64 `json:"foreign"` // without the Marker, and left
	Gone    int64 `json:"gone"`    // deleted by somebody else meanwhile
	Failed  int64 `json:"failed"`

	// Left is the number of objects that a LIST of the Folder finds at the end, less the foreign and failed ones. The
	// store has answered that they are gone or deleted, which is not true, or somebody has put them meanwhile. They are
	// also counted above.
	Left int64 `json:"left"`

	Requests
}

// Clean removes the objects of a Seed from a Folder. Make it with NewClean.
type Clean struct {
	*run
	onForeign func(target string)
	engine    head.Engine
	keys      chan list.Entry // from the listers to the workers

	counted   atomic.Int64 // set by Count
	listedAll atomic.Bool

	listed, removed, foreign, gone, failed atomic.Int64

	left int64 // set by countLeft
}

// ErrSeveralEndpoints is the error for a Store with several endpoints, which Clean does not accept.
var ErrSeveralEndpoints = errors.New(
	"of several endpoints one might be asked whose an object is, and another one delete it",
)

// NewClean returns a Clean, and sends nothing. Its errors are ErrSeveralEndpoints, and those of engine.Open. foreign is
// called with the URI of every Foreign object, one call at a time; it may be nil.
func NewClean(cfg Config, foreign func(target string)) (*Clean, error) {
	if cfg.Store.EndpointCount() > 1 {
		return nil, ErrSeveralEndpoints
	}
	if foreign == nil {
		foreign = func(string) {}
	}
	c := &Clean{run: newRun(cfg), onForeign: foreign}
	// so that the lister and the workers need not wait for each other at every key
	c.keys = make(chan list.Entry, 2*c.cfg.Workers)
	var err error
	c.engine, _, err = engine.Open(engine.Auto,
		head.Config{Store: cfg.Store, Limiter: c.limiter, Timeout: c.cfg.Timeout, Log: c.cfg.Log})
	return c, err
}

// Count lists the Folder, and returns the number of objects in it. From then on Progress has a total.
func (c *Clean) Count(ctx context.Context) (int64, error) {
	err := c.forEachPage(ctx, listers, func(_ context.Context, page *list.Page) error {
		c.counted.Add(int64(len(page.Entries)))
		return nil
	})
	return c.counted.Load(), err
}

// Run lists the Folder, removes the objects with the Marker, and lists the Folder again. Its errors are those of
// Seed.Run. Call it once. The CleanStats are valid even if it fails.
func (c *Clean) Run(ctx context.Context) (CleanStats, error) {
	from := time.Now()
	g, during := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(c.keys)
		err := c.forEachPage(during, 1, c.enqueue) // one lister is faster than the two requests for each key
		c.listedAll.Store(err == nil)
		return err
	})
	for endpoint := range c.cfg.Workers {
		g.Go(func() error { return c.work(during, endpoint) })
	}
	err := g.Wait()
	if err == nil {
		err = c.countLeft(ctx)
	}
	stats := CleanStats{
		Complete: err == nil, Folder: c.Folder(), Listed: c.listed.Load(), Removed: c.removed.Load(),
		Foreign: c.foreign.Load(),
		Gone:    c.gone.Load(), Failed: c.failed.Load(), Left: c.left,
	}
	if err != nil {
		stats.Error = err.Error()
	}
	c.fill(&stats.Requests, from, stats.Removed, from)
	return stats, err
}

// countLeft counts the objects that are still listed. A store that lists keys in another spelling than it accepts
// answers 404 to each of them, and a proxy may answer 200 to a DELETE.
func (c *Clean) countLeft(ctx context.Context) error {
	if c.removed.Load()+c.gone.Load() == 0 {
		return nil
	}
	var found atomic.Int64
	err := c.forEachPage(ctx, listers, func(_ context.Context, page *list.Page) error {
		found.Add(int64(len(page.Entries)))
		return nil
	})
	if err == nil {
		c.left = max(0, found.Load()-c.foreign.Load()-c.failed.Load())
	}
	return err
}

func (c *Clean) enqueue(ctx context.Context, page *list.Page) error {
	for _, e := range page.Entries {
		select {
		case c.keys <- e:
			c.listed.Add(1)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// work deletes the objects with the Marker, one after the other.
//
// Each object is deleted by a request of its own, and not a thousand at a time by DeleteObjects. Its body needs a
// Content-MD5 for some stores, and for others a checksum that the first ones do not know. Its XML cannot name every
// key. It answers 200 when it has failed. And there would be a thousand round trips between the HEAD and the deletion
// of an object, and not one.
func (c *Clean) work(ctx context.Context, endpoint int) error {
	w := &writer{run: c.run, endpoint: endpoint, pinned: c.cfg.Store.NewPinned()}
	defer w.pinned.Close()
	h := &headSender{session: c.engine.Session()}
	defer h.session.Close()
	for e := range c.keys {
		if err := c.remove(ctx, w, h, e); err != nil {
			return err
		}
	}
	return nil
}

// headSender sends HEADs one at a time. It belongs to one goroutine.
type headSender struct {
	session head.Session
	at      *store.Address // of the last HEAD
	avoid   *store.Address // did not answer the last HEAD; nil: it was answered
}

// remove gives an object its outcome. Every DELETE, the first one and retries, directly follows a HEAD that found the
// Marker: a failed DELETE may have had its effect, and the object that is there now may be somebody else's.
func (c *Clean) remove(ctx context.Context, w *writer, h *headSender, e list.Entry) error {
	a, err := c.sendUntilFinal(ctx, opDelete, e.Key, func(ctx context.Context, try int) (reply, error) {
		if err := c.checkMarker(ctx, h, e, try > 1); err != nil {
			return reply{}, err
		}
		return c.deleteOnce(ctx, w, h.at, e.Key), nil
	})
	switch {
	case errors.Is(err, errOutcomeKnown):
		return nil
	case err != nil:
		return err
	case a.ok(), a.gone() && a.attempts > 1: // an earlier DELETE succeeded, and its answer was lost
		c.removed.Add(1)
	case a.gone():
		c.gone.Add(1)
	default:
		c.addFailed(&c.failed, a.objectError(opDelete, c.target(e.Key), e.Key))
	}
	return nil
}

// errOutcomeKnown says that the object already has its outcome, and is not to be deleted.
var errOutcomeKnown = errors.New("the object has its outcome")

// checkMarker returns nil if the object exists and has the Marker. Otherwise it gives the object its outcome. again: a
// DELETE was sent before.
func (c *Clean) checkMarker(ctx context.Context, h *headSender, e list.Entry, again bool) error {
	marked := false
	a, err := c.sendUntilFinal(ctx, opHead, e.Key, func(ctx context.Context, _ int) (a reply, err error) {
		a, marked, err = c.headOnce(ctx, h, e)
		return a, err
	})
	switch {
	case err != nil:
		return err
	case a.gone() && again: // the earlier DELETE succeeded
		c.removed.Add(1)
	case a.gone():
		c.gone.Add(1)
	case !a.ok():
		c.addFailed(&c.failed, a.objectError(opHead, c.target(e.Key), e.Key))
	case !marked:
		c.failedMu.Lock()
		defer c.failedMu.Unlock()
		c.foreign.Add(1)
		c.onForeign(c.target(e.Key))
	default:
		return nil
	}
	return errOutcomeKnown
}

// headOnce sends one HEAD, and reports whether its answer has the Marker. Each HEAD has a connection of its own: only
// the first answer of a connection is known to be no other object's. An answer that contradicts the listing must come
// twice.
func (c *Clean) headOnce(ctx context.Context, h *headSender, e list.Entry) (a reply, marked bool, err error) {
	for asked := 1; ; asked++ {
		mismatch := false
		batch := head.NewBatch([]list.Entry{e})
		batch.NewConn, batch.Avoid = true, h.avoid
		h.avoid = nil
		err = h.session.Head(ctx, batch, func(r *head.Result) {
			a = reply{
				status: r.Status, err: r.Err, requestID: string(r.RequestID()),
				retryAfter: fault.RetryAfter(string(r.Get("retry-after"))), sent: time.Now().Add(-r.Latency),
				latency: r.Latency,
			}
			a.redact(c.cfg.Store)
			mismatch, h.at = r.Mismatch, r.Address
			marked = r.Status == http.StatusOK && hasMarker(e.Key, r)
		})
		if h.at != nil && a.transient() {
			h.avoid = h.at
		}
		if err != nil || !mismatch || asked > 1 {
			return a, marked, err
		}
		c.counters.sent(opHead, &a)
	}
}

// deleteOnce sends one DELETE to the address that answered the HEAD, since behind another address of the same name
// there may be another store. It does not wait for the limiter; the next HEAD waits for it too. At a low rate a wait
// could be a minute, in which somebody may write the object.
func (c *Clean) deleteOnce(ctx context.Context, w *writer, at *store.Address, key string) reply {
	input := &s3.DeleteObjectInput{
		Bucket: aws.String(c.cfg.Store.Bucket()), Key: aws.String(key), RequestPayer: c.cfg.Store.RequestPayer(),
	}
	c.limiter.Charge(1)
	return w.send(ctx, &s3.DeleteObjectOutput{},
		func(ctx context.Context, client *s3.Client, options ...func(*s3.Options)) error {
			_, err := client.DeleteObject(ctx, input, append(options, w.pinned.To(at))...)
			return err
		})
}

// Progress may be called at any time, from any goroutine.
func (c *Clean) Progress() metrics.Progress {
	failed, removed := c.failed.Load(), c.removed.Load()
	settled := removed + failed + c.foreign.Load() + c.gone.Load() // first, so that it never exceeds the listed objects
	counted, listedAll := c.counted.Load(), c.listedAll.Load()
	return metrics.Progress{
		ListedAll: counted > 0 || listedAll, Listed: max(c.listed.Load(), counted), Settled: settled, Failed: failed,
		Heads: removed,
	}
}
