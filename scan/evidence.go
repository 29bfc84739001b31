package scan

import (
	"context"
	"slices"

	"headcount/scan/head"
	"headcount/scan/list"
)

// evidence is what the answers to one batch show about the store, and what they add to counts. It is accepted when the
// answers are final: another object's answer is no evidence. What has to be known at once, it takes back if they are
// not (takeBack).
type evidence struct {
	found       *list.Entry         // an object that was found, under the name that was asked for; nil: none was
	marked      bool                // some answer was a store's for sure (hasMark)
	names       list.FoundNames     // by which objects were found
	prefixes    []string            // of metadata that are not taken
	fromListing int64               // objects without a HEAD
	difference  *metadataDifference // the first object that contradicts the listing; nil: none does

	// Known to others already.
	equal    [head.Groups]head.Trait // in which answers were like the listing: contested
	observed []observed
	refused  int64 // HEADs that refusedStart has counted
}

// observed is a change of an object's observation.
type observed struct {
	before, after observation
	group         head.Group
	way           head.Trait // in which its answer differed
}

// reset empties x and keeps its memory.
func (x *evidence) reset() { *x = evidence{prefixes: x.prefixes[:0], observed: x.observed[:0]} }

// addPrefix adds a prefix of metadata that are not taken (head.Result.OtherPrefix).
func (x *evidence) addPrefix(prefix []byte) {
	const most = 4 // a store has one other prefix
	known := func(p string) bool { return p == string(prefix) }
	if len(x.prefixes) < most && !slices.ContainsFunc(x.prefixes, known) {
		x.prefixes = append(x.prefixes, string(prefix))
	}
}

// observeOwn notes in what the answer for an object that was found is like the listing, and whether it has a mark.
func (w *worker) observeOwn(e *list.Entry, r *head.Result) {
	x, known := &w.sent.evidence, w.pool.differences
	group := head.GroupOf(e)
	if fresh := r.Equal &^ (w.equal[group] | x.equal[group]); fresh != 0 {
		x.equal[group] |= fresh
		known.contest(group, fresh)
	}
	x.marked = x.marked || !known.marked.Load() && hasMark(r)
}

// addObservation adds what the differences remember of an object.
func (x *evidence) addObservation(before, after observation, e *list.Entry, r *head.Result) {
	if after != before {
		x.observed = append(x.observed, observed{before, after, head.GroupOf(e), r.Different})
	}
}

// accept makes the evidence known.
func (w *worker) accept(ctx context.Context, x *evidence) error {
	p := w.pool
	if x.found != nil {
		p.sample.Store(x.found)
	}
	for group, equal := range x.equal {
		if equal != 0 {
			w.equal[group] |= equal
			p.differences.settle(head.Group(group), equal, true)
		}
	}
	if x.marked {
		p.differences.marked.Store(true)
	}
	p.names.Found(&x.names)
	for _, prefix := range x.prefixes {
		w.counts.AddOtherPrefix(prefix)
	}
	w.counts.FromListing += x.fromListing
	p.progress.FromListing.Add(x.fromListing)
	if x.difference != nil {
		return p.listMetadata.recheck(ctx, x.difference)
	}
	return nil
}

// takeBack takes back what others know of the evidence. The objects are asked for again, with their old history.
func (w *worker) takeBack(x *evidence) {
	for group, equal := range x.equal {
		if equal != 0 {
			w.pool.differences.settle(head.Group(group), equal, false)
		}
	}
	for i := range x.observed {
		w.pool.differences.takeBack(&x.observed[i])
	}
	w.pool.refusedStart.takeBack(x.refused)
}
