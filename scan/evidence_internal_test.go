package scan

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// newEvidenceWorker returns a worker without a session, for its decisions about answers.
func newEvidenceWorker(entries []list.Entry) *worker {
	progress := new(metrics.ProgressCounters)
	progress.Listed.Store(1_000)
	access := storeAccess{progress: progress, metrics: metrics.NewCollector(), log: slog.New(slog.DiscardHandler)}
	p := &workerPool{
		storeAccess: access, findings: newFindings(&Config{Log: access.log}, &access),
		retries: newRetryQueue(newInFlight()), records: newRecordLimit(recordBytesMax),
	}
	w := &worker{
		pool: p, counts: metrics.NewHeadCounts(), sent: new(sentBatch), previous: new(sentBatch),
	}
	w.sent.reset(&batch{page: &page{Page: new(list.Page), heads: entries}, count: len(entries)}, 0)
	return w
}

// A batch that is asked for again leaves nothing behind: neither evidence nor counts. The next answers for its objects
// count as if they were the first ones. Each object is asked for over a connection of its own, so that it is asked for
// again once.
func TestRecalledBatchLeavesNoEvidence(t *testing.T) {
	const objects = 5
	written := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	entries := make([]list.Entry, objects)
	for i := range entries {
		entries[i] = list.Entry{Key: fmt.Sprint("a b", i), Encoded: fmt.Sprintf("a+b%d", i), ETag: fmt.Sprint("listed", i),
			Size: 10, LastModified: written.Format(time.RFC3339)}
	}
	w := newEvidenceWorker(entries)
	known, all := w.pool.differences, w.sent.batch
	for range 3 {
		for i := range entries {
			w.sent.next = i + 1
			r := &head.Result{Status: http.StatusOK, NewConn: true, Headers: []head.Header{
				{Name: []byte("etag"), Value: []byte(fmt.Sprint("other", i))}, {Name: []byte("content-length"), Value: []byte("10")},
				{Name: []byte("last-modified"), Value: []byte(written.Format(http.TimeFormat))},
				{Name: []byte("x-amz-request-id"), Value: []byte("R")},
			}}
			if i == 0 { // as listed
				r.Headers[0].Value = []byte(entries[i].ETag)
			}
			r.Compare(&entries[i], known.expected, nil)
			w.classify(&entries[i], r)
			w.observeRefusal()
		}
		x := &w.sent.evidence
		x.names.Add(&entries[0], entries[0].Key)
		x.fromListing = objects
		if len(x.observed) != objects-1 || known.waiting != objects-1 || !x.marked {
			t.Fatalf("%d observed, %d waiting, marked %v", len(x.observed), known.waiting, x.marked)
		}
		recalled := make(chan bool)
		go func() {
			each := true
			for i := range objects {
				b := (<-w.pool.retries.in).batch
				each = each && b.ownConn() && b.index(0) == i
			}
			recalled <- each
		}()
		if err := w.recall(t.Context(), w.sent); err != nil {
			t.Fatal(err)
		}
		if !<-recalled {
			t.Error("an object is not asked for over a connection of its own")
		}
		w.sent.reset(all, 0)
		group := known.groups[0]
		if known.waiting != 0 || group.agreeing != [traits]int{} || group.contestedTraits() != 0 || group.refuted&head.ETag != 0 {
			t.Errorf("%d waiting, %+v", known.waiting, group)
		}
		if known.marked.Load() || w.pool.names.AreReal(&entries[0]) || w.pool.refusedStart.heads.Load() != 0 ||
			w.counts.FromListing != 0 || w.pool.progress.FromListing.Load() != 0 {
			t.Errorf("marked %v, plus %v, %d refused", known.marked.Load(), w.pool.names.AreReal(&entries[0]),
				w.pool.refusedStart.heads.Load())
		}
	}
}

// Evidence that is final counts once. Until then a difference that it refutes is not expected.
func TestEvidenceOfFinalAnswersCounts(t *testing.T) {
	entries := []list.Entry{{Key: "a b", Encoded: "a+b", ETag: "listed", Size: 10}}
	w := newEvidenceWorker(entries)
	known, x := w.pool.differences, &w.sent.evidence
	known.mu.Lock()
	known.learn(0, head.ETag)
	known.mu.Unlock()
	w.sent.next = 1
	r := &head.Result{Status: http.StatusOK, Headers: []head.Header{{Name: []byte("etag"), Value: []byte("listed")}}}
	r.Compare(&entries[0], known.expected, nil)
	if class, _ := w.classify(&entries[0], r); class != answered {
		t.Fatalf("class %v", class)
	}
	if got := known.expected.Of(&entries[0]); got != 0 {
		t.Errorf("%v is expected, though an answer may refute it", got)
	}
	w.takeBack(x)
	if got := known.expected.Of(&entries[0]); got != head.ETag {
		t.Errorf("%v is expected after the answer was another object's", got)
	}
	x.reset()
	w.classify(&entries[0], r)
	x.names.Add(&entries[0], entries[0].Key)
	x.fromListing = 7
	if err := w.accept(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	if got := known.expected.Of(&entries[0]); got != 0 || !w.pool.names.AreReal(&entries[0]) ||
		w.counts.FromListing != 7 {
		t.Errorf("%v is expected, plus %v, %d from the listing", got, w.pool.names.AreReal(&entries[0]),
			w.counts.FromListing)
	}
}

// doubting is a Session that casts doubt on all its answers.
type doubting struct{ head.Session }

func (doubting) Trust() head.Trust { return head.Trust{Answered: 1, Sure: 1, Doubted: 1} }

// A batch is recalled at most once: the answer to an object that was recalled is final, whatever the Session says.
func TestRecallIsMadeOnce(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel() // a recall fails
	for _, newConn := range []bool{false, true} {
		w := newEvidenceWorker([]list.Entry{{Key: "a"}})
		w.session, w.pool.committer = doubting{}, &committer{progress: w.pool.progress}
		w.sent.next, w.sent.to = 1, 1
		w.sent.batch.attempts.newConn = newConn
		if err := w.decide(ended, w.sent); (err == nil) != newConn || w.sent.batch != nil {
			t.Errorf("own connection %v: error %v", newConn, err)
		}
	}
}
