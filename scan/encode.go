package scan

import (
	"context"

	"headcount/scan/fault"
	"headcount/scan/head"
)

// Filter chooses the objects that get a Record. The others count as filtered. Its functions may be called concurrently.
type Filter struct {
	// Listed reports whether an object may get a Record, by a Record without a HEAD. Where it is false, no HEAD is sent.
	// nil: the LIST decides nothing.
	Listed func(*Record) bool

	// ReadsKey is set where Listed reads the key. An object whose name is not sure gets a HEAD then.
	ReadsKey bool

	// Headed reports whether an object may get a Record, by a Record without what further requests return. Where it is
	// false, none is sent. nil: the LIST and the HEAD decide nothing.
	Headed func(*Record) bool

	// Whole reports whether an object gets a Record, by the Record with all that was asked for. Its error fails the
	// object.
	Whole func(*Record) (bool, error)
}

// Presence is a value that a Record may have, and whose presence is counted (Stats.Said). Has may be called
// concurrently.
type Presence struct {
	Name string
	Has  func(*Record) bool
}

// encoder decides which Records are emitted, and encodes them. It may be used concurrently.
type encoder struct {
	sink    Sink
	bucket  string
	filter  *Filter // nil: it takes all
	counted []Presence
	all     bool // objects without metadata too
}

func newEncoder(cfg *Config) *encoder {
	return &encoder{cfg.Sink, cfg.Store.Bucket(), cfg.Filter, cfg.Counted, cfg.All}
}

// encode gives an object its Outcome by its Record. index is that of the object in page.heads.
func (x *encoder) encode(to *result, index int, r *Record) {
	if to.said == nil && len(x.counted) > 0 {
		to.said = make([]int64, len(x.counted))
	}
	for i := range x.counted {
		if x.counted[i].Has(r) {
			to.said[i]++
		}
	}
	if x.filter != nil {
		passes, err := x.filter.Whole(r)
		if err != nil && !r.entry.IsDeleteMarker() { // which has neither a size nor headers
			to.fail(&ObjectError{
				Op: "filter", Target: targetOf(x.bucket, r.entry), Entry: *r.entry, Class: fault.FilterFailed, Err: err,
			})
			return
		}
		if !passes || err != nil {
			to.settled++
			to.outcomes.Filtered++
			return
		}
	}
	to.settled++
	if x.leavesOut(r) {
		to.outcomes.WithoutMetadata++
		return
	}
	if to.chunk == nil {
		to.chunk = x.sink.NewChunk()
		to.runs = append(to.runs, encodedRun{index, to.chunk})
	}
	to.bytes += recordBytes(r)
	to.chunk.Add(r)
	to.outcomes.Emitted++
	if r.changed {
		to.outcomes.Changed++
	}
}

// leavesOut reports whether an object that passes the filter has no Record, since it has no metadata.
func (x *encoder) leavesOut(r *Record) bool {
	return !x.all && r.head != nil && len(r.head.Metadata) == 0 && r.Header("x-amz-missing-meta") == nil
}

// mayEmit reports whether an object may get a Record, by its Record without what further requests return.
func (x *encoder) mayEmit(r *Record) bool {
	if x.filter != nil && x.filter.Headed != nil && !x.filter.Headed(r) {
		return false
	}
	return !x.leavesOut(r)
}

// encodeListed gives all objects of a page their Outcomes by what the LIST says. No HEAD is sent. A filter can be slow,
// so it is not called after the end of ctx.
func (x *encoder) encodeListed(ctx context.Context, p *page) error {
	p.outcomes.Filtered = 0
	r := new(Record)
	for i := range p.Entries {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		*r = NewRecord(&p.Entries[i], nil, false)
		x.encode(&p.result, i, r)
	}
	return nil
}

// recordBytes returns about how many bytes an encoded Record takes.
func recordBytes(r *Record) int64 {
	const otherFields = 100
	n := otherFields + len(r.Key())
	if r.head != nil {
		n += textBytes(r.head.Metadata)
	}
	if r.further != nil {
		n += textBytes(r.further.Tags) + textBytes(r.further.Annotations)
	}
	return int64(n)
}

func textBytes(texts []head.Header) (n int) {
	for i := range texts {
		n += len(texts[i].Name) + len(texts[i].Value)
	}
	return n
}
