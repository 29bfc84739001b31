package head

import (
	"context"
	"net/http"

	"headcount/scan/list"
)

// MetadataSource is how a Result stands to the metadata that the LIST gave of its object.
type MetadataSource uint8

const (
	FromHead           MetadataSource = iota // the LIST gave none that can be relied on, or there is no answer to compare
	FromListing                              // the Result is what the LIST gave: nothing was sent
	MatchesListing                           // the answer has the same
	DiffersFromListing                       // the answer has other metadata, or another storage class
)

// WithKnownMetadata is an Engine that answers by what the LIST gave of an object's metadata (Batch.Metadata), where that is exact and need not be
// checked, and asks by another engine for the other objects. What the LIST did not give, the Result does not have. It has that
// engine's name.
func WithKnownMetadata(asks Engine, depth int) Engine {
	return knownMetadataEngine{asks, max(1, depth)}
}

type knownMetadataEngine struct {
	Engine
	depth int // how many entries the other engine is given at once
}

func (e knownMetadataEngine) Session() Session {
	s := &knownMetadataSession{Session: e.Engine.Session(), depth: e.depth}
	s.compared = s.compare
	return s
}

// knownMetadataSession is a Session of the other engine, before which answers are taken from the listing.
type knownMetadataSession struct {
	Session
	depth int

	result Result // from the listing
	text   []byte // what its Fields point into

	// Of what is asked for.
	asks     Batch
	asked    []list.Entry
	metadata []list.Metadata
	at       int // the next to be answered
	each     func(*Result)
	compared func(*Result) // s.compare, made once
}

func (s *knownMetadataSession) Head(ctx context.Context, batch *Batch, each func(*Result)) error {
	if batch.Metadata == nil {
		return s.Session.Head(ctx, batch, each)
	}
	newConn, avoid := batch.NewConn, batch.Avoid
	for i := 0; ; {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		claimed := batch.Claim(1)
		if i == len(claimed) {
			return nil
		}
		if m := &batch.Metadata[i]; m.MatchesHead && !m.Sample {
			s.take(m)
			each(&s.result)
			i++
			continue
		}
		more := 0
		for n := i + 1; n < len(batch.Metadata) && more+1 < s.depth && !(batch.Metadata[n].MatchesHead && !batch.Metadata[n].Sample); n++ {
			more++
		}
		claimed = batch.Claim(more)
		s.asked, s.metadata, s.at, s.each = claimed[i:], batch.Metadata[i:], 0, each
		s.asks.Reset(s.asked)
		s.asks.NewConn, s.asks.Avoid = newConn, avoid
		newConn, avoid = false, nil // they are the first HEAD's
		if err := s.Session.Head(ctx, &s.asks, s.compared); err != nil {
			return err
		}
		i = len(claimed)
	}
}

// take makes a Result of what the LIST gave.
func (s *knownMetadataSession) take(m *list.Metadata) {
	s.result = Result{Status: http.StatusOK, Source: FromListing, Metadata: s.result.Metadata[:0]}
	s.text = s.text[:0]
	for _, o := range m.Items {
		s.result.Metadata = append(s.result.Metadata, Field{Name: s.copyText(o.Name), Value: s.copyText(o.Value)})
	}
}

// copyText copies text to where the Result may point until the next one. When s.text grows, what points into the old one stays right.
func (s *knownMetadataSession) copyText(text string) []byte {
	from := len(s.text)
	s.text = append(s.text, text...)
	return s.text[from:len(s.text):len(s.text)]
}

// compare says of an answer how it stands to the listing, and passes it on.
func (s *knownMetadataSession) compare(r *Result) {
	if m := &s.metadata[s.at]; m.MatchesHead && r.Status == http.StatusOK && !r.Mismatch {
		r.Source = DiffersFromListing
		if likeListing(r, &s.asked[s.at], m.Items) {
			r.Source = MatchesListing
		}
	}
	s.at++
	s.each(r)
	r.Source = FromHead // the Result may be used again for what is not compared
}

func likeListing(r *Result, e *list.Entry, items []list.Item) bool {
	class := r.Get("x-amz-storage-class")
	if r.Get("x-amz-missing-meta") != nil || class != nil && e.StorageClass != "" && string(class) != e.StorageClass {
		return false
	}
	if len(r.Metadata) != len(items) {
		return false
	}
	for i, o := range items {
		if string(r.Metadata[i].Name) != o.Name || string(r.Metadata[i].Value) != o.Value {
			return false
		}
	}
	return true
}
