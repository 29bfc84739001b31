package scan

import (
	"headcount/scan/fault"
	"headcount/scan/list"
)

// Filter chooses the objects that get a Record. The others count as filtered. Its functions may be called concurrently.
type Filter struct {
	// Listed reports whether an object may get a Record, by a Record without a HEAD. Where it is false, no HEAD is sent.
	// nil: the LIST decides nothing.
	Listed func(*Record) bool

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

// selection decides which Records are emitted.
type selection struct {
	filter  *Filter // nil: it takes all
	counted []Presence
	all     bool // objects without metadata too
}

// decision is what a selection decides about a Record.
type decision uint8

const (
	emit decision = iota
	withoutMetadata
	filtered
)

// decide decides about a Record, and adds to said, one number for each of counted, which values it has.
func (s *selection) decide(r *Record, said []int64) (decision, error) {
	for i := range s.counted {
		if s.counted[i].Has(r) {
			said[i]++
		}
	}
	if s.filter != nil {
		if passes, err := s.filter.Whole(r); err != nil || !passes {
			return filtered, err
		}
	}
	if !s.all && r.head != nil && len(r.head.Metadata) == 0 && r.Header("x-amz-missing-meta") == nil {
		return withoutMetadata, nil
	}
	return emit, nil
}

// newFilterError returns why an object failed: the filter cannot be evaluated for its Record.
func newFilterError(bucket string, e *list.Entry, err error) *ObjectError {
	return &ObjectError{
		Op: "filter", Target: "s3://" + bucket + "/" + e.Key, Entry: *e, Class: fault.FilterFailed, Err: err,
	}
}

// encodeListed decides about all objects of a page by what the LIST says, and encodes their Records. No HEAD is sent.
func (s *selection) encodeListed(p *page, bucket string, sink Sink) {
	p.said, p.outcomes.Filtered = make([]int64, len(s.counted)), 0
	r := new(Record)
	var chunk Chunk
	for i := range p.Entries {
		*r = NewRecord(&p.Entries[i], nil, false)
		d, err := s.decide(r, p.said)
		switch {
		case err != nil:
			p.failures = append(p.failures, newFilterError(bucket, &p.Entries[i], err))
			p.outcomes.Failed++
		case d == filtered:
			p.outcomes.Filtered++
		default:
			if chunk == nil {
				chunk = sink.NewChunk()
				p.runs = append(p.runs, encodedRun{i, chunk})
			}
			chunk.Add(r)
			p.outcomes.Emitted++
		}
	}
}
