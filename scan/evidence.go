package scan

import (
	"context"
	"slices"

	"headcount/scan/head/answer"
	"headcount/scan/list"
)

// evidence is what the answers to one batch show about the store, and what they add to counts. It is accepted when the
// answers are final: another object's answer is no evidence.
type evidence struct {
	answer.Evidence
	found       *list.Entry         // an object that was found, under the name that was asked for; nil: none was
	names       list.FoundNames     // by which objects were found
	prefixes    []string            // of metadata that are not taken
	fromListing int64               // objects without a HEAD
	difference  *metadataDifference // the first object that contradicts the listing; nil: none does
	refused     int64               // HEADs that refusedStart has counted already
}

// reset empties x and keeps its memory.
func (x *evidence) reset() {
	x.Evidence.Reset()
	*x = evidence{Evidence: x.Evidence, prefixes: x.prefixes[:0]}
}

// addPrefix adds a prefix of metadata that are not taken (head.Result.OtherPrefix).
func (x *evidence) addPrefix(prefix []byte) {
	const most = 4 // a store has one other prefix
	known := func(p string) bool { return p == string(prefix) }
	if len(x.prefixes) < most && !slices.ContainsFunc(x.prefixes, known) {
		x.prefixes = append(x.prefixes, string(prefix))
	}
}

// accept makes the evidence known.
func (w *worker) accept(ctx context.Context, x *evidence) error {
	p := w.pool
	if x.found != nil {
		p.sample.Store(x.found)
	}
	w.classifier.Accept(&x.Evidence)
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

// takeBack takes back what others know of the evidence.
func (w *worker) takeBack(x *evidence) {
	w.classifier.TakeBack(&x.Evidence)
	w.pool.refusedStart.takeBack(x.refused)
}
