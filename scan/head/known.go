package head

import (
	"context"
	"net/http"

	"headcount/scan/list"
)

// MetadataSource tells where the metadata of a Result come from, and how those of a HEAD compare with the listing's.
type MetadataSource uint8

const (
	FromHead           MetadataSource = iota // a HEAD; there was nothing in the listing to compare
	FromListing                              // the listing; no HEAD was sent
	MatchesListing                           // a HEAD, with the metadata of the listing
	DiffersFromListing                       // a HEAD, with other metadata or another storage class than the listing
)

// WithKnownMetadata returns an Engine that makes the Result of an object from Batch.Metadata, without a HEAD. It does
// so for metadata with list.Metadata.MatchesHead that is no Sample. For the other objects it sends HEADs by engine, up
// to depth at once, and compares their metadata with the listing's. A Result from the listing has only the metadata
// that the LIST returned, and no headers. The Engine has the name of engine.
func WithKnownMetadata(engine Engine, depth int) Engine {
	return knownMetadataEngine{engine, max(1, depth)}
}

type knownMetadataEngine struct {
	Engine
	depth int // entries that the inner engine gets at once
}

func (e knownMetadataEngine) Session() Session {
	s := &knownMetadataSession{Session: e.Engine.Session(), depth: e.depth}
	s.passResult = s.compareAndPass
	return s
}

// knownMetadataSession is a Session of the inner engine behind a Session that answers from the listing.
type knownMetadataSession struct {
	Session
	depth int

	result Result // from the listing
	text   Texts  // of its Headers

	// Of the HEADs that the inner Session sends.
	batch      Batch
	entries    []list.Entry
	metadata   []list.Metadata
	next       int // index of the next entry that is answered
	onResult   func(*Result)
	passResult func(*Result) // the method compareAndPass; made once, since a method value allocates
}

func (s *knownMetadataSession) Head(ctx context.Context, batch *Batch, onResult func(*Result)) error {
	if batch.Metadata == nil {
		return s.Session.Head(ctx, batch, onResult)
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
		if m := &batch.Metadata[i]; !needsHead(m) {
			s.setResult(m)
			onResult(&s.result)
			i++
			continue
		}
		more := 0
		for n := i + 1; n < len(batch.Metadata) && more+1 < s.depth && needsHead(&batch.Metadata[n]); n++ {
			more++
		}
		claimed = batch.Claim(more)
		s.entries, s.metadata, s.next, s.onResult = claimed[i:], batch.Metadata[i:], 0, onResult
		s.batch.Reset(s.entries)
		s.batch.NewConn, s.batch.Avoid, s.batch.Sending = newConn, avoid, batch.Sending
		newConn, avoid = false, nil // they apply to the first HEAD only
		if err := s.Session.Head(ctx, &s.batch, s.passResult); err != nil {
			return err
		}
		i = len(claimed)
	}
}

func needsHead(m *list.Metadata) bool { return !m.MatchesHead || m.Sample }

// setResult fills s.result from the metadata that the LIST returned.
func (s *knownMetadataSession) setResult(m *list.Metadata) {
	s.result = Result{Status: http.StatusOK, Source: FromListing, Metadata: s.result.Metadata[:0]}
	s.text.Reset()
	for _, item := range m.Items {
		s.result.Metadata = append(s.result.Metadata, Header{Name: s.text.Copy(item.Name), Value: s.text.Copy(item.Value)})
	}
}

// compareAndPass sets the Source of a HEAD's Result and passes the Result on.
func (s *knownMetadataSession) compareAndPass(r *Result) {
	if m := &s.metadata[s.next]; m.MatchesHead && r.Status == http.StatusOK && !r.Mismatch {
		r.Source = DiffersFromListing
		if matchesListing(r, &s.entries[s.next], m.Items) {
			r.Source = MatchesListing
		}
	}
	s.next++
	s.onResult(r)
	r.Source = FromHead // the inner Session reuses the Result
}

func matchesListing(r *Result, e *list.Entry, items []list.Item) bool {
	class := r.Get("x-amz-storage-class")
	if r.Get("x-amz-missing-meta") != nil || class != nil && e.StorageClass != "" && string(class) != e.StorageClass {
		return false
	}
	if len(r.Metadata) != len(items) {
		return false
	}
	for i, item := range items {
		if string(r.Metadata[i].Name) != item.Name || string(r.Metadata[i].Value) != item.Value {
			return false
		}
	}
	return true
}
