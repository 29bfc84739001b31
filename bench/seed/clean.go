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

// CleanStats is the account of a Clean. Every listed object is counted under exactly one other name, if it is complete.
type CleanStats struct {
	Complete bool   `json:"complete"`
	Error    string `json:"error,omitempty"`
	Folder   string `json:"folder"` // s3://bucket/prefix/headcount-seed/

	Listed  int64 `json:"listed"`
	Removed int64 `json:"removed"`
	Foreign int64 `json:"foreign"` // without the Marker: they are there still
	Gone    int64 `json:"gone"`    // that somebody else has deleted since
	Failed  int64 `json:"failed"`

	// Left are the objects that a LIST of the Folder finds at the end, beyond those that are foreign or failed: the store has said of them
	// that they are gone, or deleted, and it is not so, or somebody has put them meanwhile. They are counted above too.
	Left int64 `json:"left"`

	Requests
}

// Clean removes from a Folder what a Seed has put. Make it with NewClean.
type Clean struct {
	*run
	onForeign func(target string)
	engine    head.Engine
	keys      chan list.Entry // from the listers to the workers

	counted   atomic.Int64 // by Count
	listedAll atomic.Bool

	listed, removed, foreign, gone, failed atomic.Int64

	left int64 // by checkEmpty
}

// ErrSeveralEndpoints is why a Store with several endpoints is not cleaned.
var ErrSeveralEndpoints = errors.New("of several endpoints one might be asked whose an object is, and another one delete it")

// NewClean prepares a run. It sends nothing. Its errors are ErrSeveralEndpoints, and those of engine.Open. foreign is told of every Foreign object, one call at a time; nil: they are only counted.
func NewClean(cfg Config, foreign func(target string)) (*Clean, error) {
	if cfg.Store.EndpointCount() > 1 {
		return nil, ErrSeveralEndpoints
	}
	if foreign == nil {
		foreign = func(string) {}
	}
	c := &Clean{run: newRun(cfg), onForeign: foreign}
	c.keys = make(chan list.Entry, 2*c.cfg.Workers) // a lister and the workers do not wait for each other at every key
	var err error
	c.engine, _, err = engine.Open(engine.Auto, head.Config{Store: cfg.Store, Limiter: c.limiter, Timeout: c.cfg.Timeout, Log: c.cfg.Log})
	return c, err
}

// Count lists the Folder, and returns how many objects there are in it. Progress has a total from then on.
func (c *Clean) Count(ctx context.Context) (int64, error) {
	err := c.forEachPage(ctx, listers, func(_ context.Context, page *list.Page) error {
		c.counted.Add(int64(len(page.Entries)))
		return nil
	})
	return c.counted.Load(), err
}

// Run lists the Folder, removes what has the Marker, and lists it once more. Its errors are those of Seed.Run. It is called once; the CleanStats are right
// after every end.
func (c *Clean) Run(ctx context.Context) (CleanStats, error) {
	from := time.Now()
	g, during := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(c.keys)
		err := c.forEachPage(during, 1, c.enqueue) // one is faster than two requests for each key
		c.listedAll.Store(err == nil)
		return err
	})
	for turn := range c.cfg.Workers {
		g.Go(func() error { return c.work(during, turn) })
	}
	err := g.Wait()
	if err == nil {
		err = c.countLeft(ctx)
	}
	stats := CleanStats{
		Complete: err == nil, Folder: c.Folder(), Listed: c.listed.Load(), Removed: c.removed.Load(), Foreign: c.foreign.Load(),
		Gone: c.gone.Load(), Failed: c.failed.Load(), Left: c.left,
	}
	if err != nil {
		stats.Error = err.Error()
	}
	c.fill(&stats.Requests, from, stats.Removed, from)
	return stats, err
}

// countLeft counts what is left: a store that knows its keys in another spelling than it lists them says of each that it is gone, and a
// proxy's page says 200 to a DELETE.
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

// work looks at one object after the other, and deletes those that have the Marker.
//
// They are deleted by a request each, and not by the thousand (DeleteObjects): that one has a body, for which some stores demand a
// Content-MD5 and others a checksum that the first do not know; its XML cannot name every key; it says 200 when it has failed; and
// between the HEAD and the end of an object there would be a thousand round trips, and not one.
func (c *Clean) work(ctx context.Context, turn int) error {
	w, h := &writer{run: c.run, endpoint: turn}, &headSender{session: c.engine.Session()}
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
	avoid   *store.Address // did not answer the last HEAD; nil: it was answered
}

// remove gives one object its outcome. No DELETE is sent, be it the first or a later one, but right after a HEAD that found the Marker: the
// DELETE before may have been heard although it failed, and what is there by now is somebody else's.
func (c *Clean) remove(ctx context.Context, w *writer, h *headSender, e list.Entry) error {
	a, err := c.sendUntilFinal(ctx, opDelete, e.Key, func(ctx context.Context, try int) (reply, error) {
		if err := c.checkMarker(ctx, h, e, try > 1); err != nil {
			return reply{}, err
		}
		return c.deleteOnce(ctx, w, e.Key), nil
	})
	switch {
	case errors.Is(err, errOutcomeKnown):
		return nil
	case err != nil:
		return err
	case a.ok(), a.gone() && a.attempts > 1: // the DELETE before was heard, and its answer was not
		c.removed.Add(1)
	case a.gone():
		c.gone.Add(1)
	default:
		c.addFailed(&c.failed, a.objectError(opDelete, c.target(e.Key), e.Key))
	}
	return nil
}

// errOutcomeKnown says that there is nothing to delete: the object has its outcome.
var errOutcomeKnown = errors.New("the object has its outcome")

// checkMarker returns nil if the object is there, and has the Marker. Otherwise it gives it its outcome. again: a DELETE was sent before.
func (c *Clean) checkMarker(ctx context.Context, h *headSender, e list.Entry, again bool) error {
	isOurs := false
	a, err := c.sendUntilFinal(ctx, opHead, e.Key, func(ctx context.Context, try int) (a reply, err error) {
		a, isOurs, err = c.headOnce(ctx, h, e, try > 1)
		return a, err
	})
	switch {
	case err != nil:
		return err
	case a.gone() && again: // by the DELETE
		c.removed.Add(1)
	case a.gone():
		c.gone.Add(1)
	case !a.ok():
		c.addFailed(&c.failed, a.objectError(opHead, c.target(e.Key), e.Key))
	case !isOurs:
		c.failedMu.Lock()
		defer c.failedMu.Unlock()
		c.foreign.Add(1)
		c.onForeign(c.target(e.Key))
	default:
		return nil
	}
	return errOutcomeKnown
}

// headOnce sends one HEAD, and says whether its answer has the Marker. An answer that does not agree with the listing is not taken for
// this object's until a connection has brought it that brought nothing else.
func (c *Clean) headOnce(ctx context.Context, h *headSender, e list.Entry, fresh bool) (a reply, isOurs bool, err error) {
	for {
		var (
			unlike bool
			from   *store.Address
			batch  = head.NewBatch([]list.Entry{e})
		)
		batch.NewConn, batch.Avoid = fresh, h.avoid
		h.avoid = nil
		err = h.session.Head(ctx, batch, func(r *head.Result) {
			a = reply{
				status: r.Status, err: r.Err, requestID: string(r.Get("x-amz-request-id")),
				retryAfter: fault.RetryAfter(string(r.Get("retry-after"))), sent: time.Now().Add(-r.Latency), latency: r.Latency,
			}
			unlike, from = r.Mismatch, r.Address
			isOurs = r.Status == http.StatusOK && hasMarker(e.Key, r)
		})
		if from != nil && a.transient() {
			h.avoid = from
		}
		if err != nil || !unlike || fresh {
			return a, isOurs, err
		}
		c.counters.sent(opHead, &a)
		fresh = true
	}
}

// deleteOnce deletes one object once, and at once: the next HEAD waits for it too. At a low rate another wait for the gate would be a minute, with
// what somebody writes in it.
func (c *Clean) deleteOnce(ctx context.Context, w *writer, key string) reply {
	input := &s3.DeleteObjectInput{
		Bucket: aws.String(c.cfg.Store.Bucket()), Key: aws.String(key), RequestPayer: c.cfg.Store.RequestPayer(),
	}
	c.limiter.Charge(1)
	return w.send(ctx, &s3.DeleteObjectOutput{}, func(ctx context.Context, client *s3.Client, options ...func(*s3.Options)) error {
		_, err := client.DeleteObject(ctx, input, options...)
		return err
	})
}

// Progress may be called at any time, from any goroutine.
func (c *Clean) Progress() metrics.Progress {
	failed, removed := c.failed.Load(), c.removed.Load()
	settled := removed + failed + c.foreign.Load() + c.gone.Load() // first, so that it is never more than what is listed
	counted, listedAll := c.counted.Load(), c.listedAll.Load()
	return metrics.Progress{
		ListedAll: counted > 0 || listedAll, Listed: max(c.listed.Load(), counted), Settled: settled, Failed: failed, Heads: removed,
	}
}
