package scan

import (
	"time"

	"headcount/scan/head"
	"headcount/scan/head/answer"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

// flushEvery bounds the age of counts that a worker has not shared. Sharing them costs cache misses on every core, so
// it is not done for every answer of a fast store. 5 ms are short beside every delay that depends on the counts.
const flushEvery = 5 * time.Millisecond

// counters is what a worker has counted and not yet shared with the limiter, the store's balance, the store's health
// and the autoscaler, and with the metrics of the run.
type counters struct {
	metrics.HeadCounts     // of the batch
	flushed            int // how many of its Latencies were shared

	answers   int64     // other than passing trouble
	ok        int64     // successes among them
	okAt      time.Time // of the last success
	flushedAt time.Time // of the last success before the last flush

	address        *store.Address // of the following
	addressAnswers int
	addressLatency time.Duration // of all of them together
}

// observe counts an answer, or the lack of one. A failure of an endpoint is shared at once.
func (w *worker) observe(r *head.Result, class answer.Class) {
	c := &w.counts
	transient := class == answer.Failed && failureOf(r).Transient()
	if r.Err == nil && !transient {
		c.answers++
	}
	if r.Address != c.address {
		w.flushCounters()
		c.address = r.Address
	}
	switch {
	case r.Address == nil:
	case class != answer.Failed && r.Different&head.HasETag == 0:
		c.addressAnswers++
		c.addressLatency += r.Latency
	// Without an answer and without passing trouble there were no credentials: the endpoint has no part in that. A web
	// page is as good as a refusal: another endpoint may have the object.
	case r.Err == nil || transient:
		w.flushCounters()
		w.pool.store.ObserveRefusal(r.Address)
	}
}

// observeSuccess counts a success that was received then.
func (w *worker) observeSuccess(at time.Time) {
	c := &w.counts
	c.ok++
	c.okAt = at
	// With a rate limit the limiter counts by time, and the worker may wait long before its next answer.
	if at.Sub(c.flushedAt) > flushEvery || !w.pool.limiter.Unlimited() {
		w.flushCounters()
	}
}

// flushCounters shares what was counted.
func (w *worker) flushCounters() {
	p, c := w.pool, &w.counts
	if c.answers > 0 {
		p.limiter.ObserveAnswers(c.answers)
		c.answers = 0
	}
	if latencies := c.Latencies[c.flushed:]; len(latencies) > 0 {
		var sum time.Duration
		for _, latency := range latencies {
			sum += latency
		}
		p.answers.Add(int64(len(latencies)))
		p.latency.Add(int64(sum))
		c.flushed += len(latencies)
	}
	if c.ok > 0 {
		p.health.OK(c.okAt)
		c.ok, c.flushedAt = 0, c.okAt
	}
	if c.addressAnswers > 0 {
		p.store.ObserveAnswers(c.address, c.addressAnswers, c.addressLatency)
		c.addressAnswers, c.addressLatency = 0, 0
	}
}
