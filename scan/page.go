package scan

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/head/answer"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

// page is a list.Page in flight. Workers add the results of its batches, in any order. With the last result the page is
// finished.
type page struct {
	*list.Page
	heads    []list.Entry    // of the Page, those that get a HEAD
	metadata []list.Metadata // of heads; nil: the LIST gave none
	release  func()          // gives back the place within the pageLimit; called once, after the commit

	mu      sync.Mutex
	pending int // objects of heads without an Outcome
	result      // of the others
}

// encodedRun is the Records of adjoining objects, from the object of index first on.
type encodedRun struct {
	first int
	chunk Chunk
}

// newPage returns the page of p. mayPass chooses the objects that get a HEAD, by their Records without one (nil: all of
// them do); the others are filtered. readsKey says that mayPass reads the key.
func newPage(
	ctx context.Context, p *list.Page, mayPass func(*Record) bool, readsKey bool, release func(),
) (*page, error) {
	page := &page{Page: p, heads: p.Entries, metadata: p.Metadata, release: release}
	if mayPass != nil {
		if err := page.compact(ctx, mayPass, readsKey); err != nil {
			return nil, err
		}
	}
	page.skipMarkers()
	page.pending = len(page.heads)
	listed := int64(len(p.Entries))
	page.outcomes = metrics.Outcomes{Listed: listed, Filtered: listed - int64(page.pending)}
	return page, nil
}

// compact keeps the objects in heads that may pass, each with its metadata. With readsKey it also keeps those whose
// name only a HEAD tells: a store may list a plus as it is, and say that it encodes keys. mayPass can be slow, so it
// is not called after the end of ctx.
func (p *page) compact(ctx context.Context, mayPass func(*Record) bool, readsKey bool) error {
	all, metadata := p.heads, p.metadata
	p.heads, p.metadata = nil, nil
	listed := new(Record)
	for i := range all {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		isUnsure := readsKey && (p.NameUncertain(all[i].Key) || strings.Contains(all[i].Encoded, "+"))
		if *listed = NewRecord(&all[i], nil, false); !isUnsure && !mayPass(listed) {
			continue
		}
		p.heads = append(p.heads, all[i])
		if metadata != nil {
			p.metadata = append(p.metadata, metadata[i])
		}
	}
	return nil
}

// skipMarkers makes the metadata of delete markers known: there are none, and no HEAD is sent.
func (p *page) skipMarkers() {
	if len(p.heads) == 0 || p.heads[0].VersionID() == "" { // no listing of versions
		return
	}
	for i := range p.heads {
		if !p.heads[i].IsDeleteMarker() {
			continue
		}
		if p.metadata == nil {
			p.metadata = make([]list.Metadata, len(p.heads))
		}
		p.metadata[i].MatchesHead = true
	}
}

// result is what became of some objects of one page.
type result struct {
	settled  int // how many of them have their Outcome now
	runs     []encodedRun
	chunk    Chunk // of the last run; nil: the next Record begins a run
	outcomes metrics.Outcomes
	failures []*ObjectError
	gone     []*ObjectError
	bytes    int64   // of the Records in runs
	said     []int64 // how many Records have each value of Config.Counted; nil: none has
}

// fail gives an object the Outcome failed.
func (r *result) fail(e *ObjectError) {
	r.settled++
	r.outcomes.Failed++
	r.failures = append(r.failures, e)
}

// drop gives an object the Outcome gone.
func (r *result) drop(e *ObjectError) {
	e.Class = fault.Gone
	r.settled++
	r.outcomes.Gone++
	r.gone = append(r.gone, e)
}

// addResult adds a result and reports whether the page is finished by it: true once.
func (p *page) addResult(r *result) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pending -= r.settled
	p.runs = append(p.runs, r.runs...)
	p.outcomes.Add(r.outcomes)
	p.failures = append(p.failures, r.failures...)
	p.gone = append(p.gone, r.gone...)
	p.bytes += r.bytes
	p.said = addCounts(p.said, r.said)
	return p.pending == 0 && r.settled > 0
}

// addCounts adds counts to sums, one by one. A sums of nil stands for zeros.
func addCounts(sums, counts []int64) []int64 {
	if sums == nil {
		return slices.Clone(counts)
	}
	for i := range counts {
		sums[i] += counts[i]
	}
	return sums
}

// chunks returns the chunks of a finished page, in the order of its keys.
func (p *page) chunks() []Chunk {
	slices.SortFunc(p.runs, func(a, b encodedRun) int { return a.first - b.first })
	chunks := make([]Chunk, len(p.runs))
	for i := range p.runs {
		chunks[i] = p.runs[i].chunk
	}
	return chunks
}

// batch is a part of a page that one worker sends HEADs for: adjoining objects that had no HEAD yet, or one object that
// is sent again.
type batch struct {
	page     *page
	first    int // index into page.heads
	count    int
	attempts attempts
	picked   []int        // indexes into page.heads of objects that do not adjoin; nil: count objects from first on
	named    []list.Entry // the objects under the names that are asked for; nil: under those in page.heads

	// While a worker sends it.
	heads head.Batch
	begun time.Time
}

// begin makes the batch ready to be sent.
func (b *batch) begin() {
	switch {
	case b.named != nil:
		b.heads.Reset(b.named)
	case b.picked != nil:
		b.heads.Reset(pick(b.page.heads, b.picked))
	default:
		b.heads.Reset(b.page.heads[b.first : b.first+b.count])
	}
	switch {
	case b.page.metadata == nil:
	case b.picked != nil:
		b.heads.Metadata = pick(b.page.metadata, b.picked)
	default:
		b.heads.Metadata = b.page.metadata[b.first : b.first+b.count]
	}
	b.heads.NewConn, b.heads.Avoid = b.attempts.newConn, b.attempts.avoid
	b.begun = time.Now()
}

// ownConn reports whether no earlier request uses the connection of any of its HEADs.
func (b *batch) ownConn() bool { return b.attempts.newConn && b.count == 1 }

// index returns the index into page.heads of the n-th object, n from 0.
func (b *batch) index(n int) int {
	if b.picked != nil {
		return b.picked[n]
	}
	return b.first + n
}

// name makes a batch that had no HEAD ask for its objects under their likely names.
func (b *batch) name(likely func(*list.Entry) list.Entry) {
	if likely == nil || b.named != nil || b.attempts.names != 0 {
		return
	}
	encoded := false
	names := make([]list.Entry, b.count)
	for n := range names {
		e := &b.page.heads[b.index(n)]
		names[n] = likely(e)
		encoded = encoded || e.Encoded != ""
	}
	if encoded {
		b.named = names
	}
}

// otherName returns the n-th object as it is asked for, and nil where that is by the key of e, its entry.
func (b *batch) otherName(n int, e *list.Entry) []list.Entry {
	if b.named == nil || b.named[n].Key == e.Key {
		return nil
	}
	return b.named[n : n+1]
}

// add adds an object with the same history of attempts, by its index into page.heads.
func (b *batch) add(index int) {
	if b.picked == nil {
		b.picked = []int{b.first}
	}
	b.picked = append(b.picked, index)
	b.count++
}

// pick returns the members of all with these indexes.
func pick[T any](all []T, indexes []int) []T {
	picked := make([]T, len(indexes))
	for i, index := range indexes {
		picked[i] = all[index]
	}
	return picked
}

// split takes the objects away that its worker has not begun. It returns nil where there are none.
func (b *batch) split() *batch {
	first, count := b.heads.Split()
	if count == 0 {
		return nil
	}
	return b.part(first, count)
}

// part returns a batch of count of the objects, from the n-th on, n from 0.
func (b *batch) part(n, count int) *batch {
	part := &batch{page: b.page, first: b.index(n), count: count, attempts: b.attempts}
	if b.named != nil {
		part.named = b.named[n : n+count]
	}
	if b.picked != nil {
		part.picked = b.picked[n : n+count]
	}
	return part
}

// attempts is the history of an object without an Outcome. The zero value is that of an object that had no HEAD.
type attempts struct {
	fault.Attempts
	lostAgain   bool           // a further request did not find it, after a HEAD had found it
	listedAgain bool           // the object was not found, and then was found in another LIST
	undecided   int            // LISTs that did not show whether the object, which was not found, is still listed
	avoid       *store.Address // failed to answer last: the next HEAD goes to another endpoint, if there is one
	newConn     bool           // for the next HEAD: the last answer may have been another object's
	names       list.NameSet   // names of the object that were not found

	observation answer.Observation // while it is not known whether the HEADs of the store always differ from its listing

	// abandoned counts the HEADs that got no answer over a new connection, and were not waited for.
	abandoned int
}

// equal reports whether two objects have the same history, wherever their HEADs were sent.
func (a attempts) equal(b attempts) bool {
	a.avoid, b.avoid = nil, nil
	return a == b
}
