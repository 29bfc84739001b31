package scan

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"headcount/scan/head"
	"headcount/scan/head/answer"
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
		retries: newRetryQueue[*batch](newInFlight()), records: newRecordLimit(recordBytesMax),
	}
	w := &worker{
		pool: p, counts: counters{HeadCounts: metrics.NewHeadCounts()}, sent: new(sentBatch), previous: new(sentBatch),
		classifier: answer.NewClassifier(p.differences),
	}
	w.sent.reset(&batch{page: &page{Page: new(list.Page), heads: entries}, count: len(entries)}, 0)
	return w
}

// A batch that is asked for again leaves nothing behind in the counts. Each object is asked for over a connection of
// its own, so that it is asked for again once.
func TestRecalledBatchLeavesNoEvidence(t *testing.T) {
	const objects = 5
	entries := make([]list.Entry, objects)
	for i := range entries {
		entries[i] = list.Entry{Key: fmt.Sprint("a b", i), Encoded: fmt.Sprintf("a+b%d", i)}
	}
	w := newEvidenceWorker(entries)
	all, x := w.sent.batch, &w.sent.evidence
	for range 3 {
		for range entries {
			w.sent.next++
			w.observeRefusal()
		}
		x.names.Add(&entries[0], entries[0].Key)
		x.fromListing = objects
		recalled := make(chan bool)
		go func() {
			each := true
			for i := range objects {
				b := (<-w.pool.retries.in).item
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
		if w.pool.names.AreReal(&entries[0]) || w.pool.refusedStart.heads.Load() != 0 ||
			w.counts.FromListing != 0 || w.pool.progress.FromListing.Load() != 0 {
			t.Errorf("names are real: %v, %d refused", w.pool.names.AreReal(&entries[0]), w.pool.refusedStart.heads.Load())
		}
	}
	x.names.Add(&entries[0], entries[0].Key)
	x.fromListing = objects
	if err := w.accept(t.Context(), x); err != nil {
		t.Fatal(err)
	}
	if !w.pool.names.AreReal(&entries[0]) || w.counts.FromListing != objects {
		t.Errorf("final answers: names are real: %v, %d from the listing", w.pool.names.AreReal(&entries[0]), w.counts.FromListing)
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
