package scan

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"headcount/scan/head"
	"headcount/scan/head/engine"
	"headcount/scan/list"
)

// listMetadata takes the metadata of objects from the listing, where the user asked for that (--engine list) and the
// store gives them there (list.Metadata). An object whose metadata are taken from the listing gets no HEAD. The result
// has to be the same, byte for byte, as a HEAD's. Three rules see to that:
//
//   - Metadata whose form does not guarantee that a HEAD says the same (list.Metadata.MatchesHead) are not taken: the
//     object gets a HEAD.
//   - Of every page, one object at random gets a HEAD, and so does one of the objects that have metadata. The page is
//     not written before both have answered. A difference ends the run, since objects that nobody compared may be
//     wrong too.
//   - An object that was overwritten since it was listed is no such difference. Its date, or a second LIST of it,
//     shows that.
//
// A HEAD would also tell that an object was deleted or overwritten since the LIST. The listing cannot.
type listMetadata struct {
	lister *list.Lister
	target string // s3://bucket/prefix

	given atomic.Bool // a LIST gave metadata
}

// wantsListMetadata reports whether LISTs ask for metadata.
func wantsListMetadata(cfg *Config) bool { return cfg.ListOnly == nil && cfg.Engine == engine.List }

// newListMetadata returns nil where HEADs are sent whatever the listing gives.
func newListMetadata(cfg *Config, lister *list.Lister) *listMetadata {
	if !wantsListMetadata(cfg) {
		return nil
	}
	return &listMetadata{lister: lister, target: "s3://" + cfg.Store.Bucket() + "/" + cfg.Prefix}
}

// hintAtListMetadata logs that this store could have given the metadata with its listing, where the user let headcount
// choose the engine.
func (s *Scan) hintAtListMetadata() {
	cfg := &s.cfg
	chosen := cfg.Engine == engine.Auto || cfg.Engine == ""
	if chosen && s.parallel != nil && !cfg.ListV1 && cfg.ListOnly == nil && s.lister.ServerIsMinIO() {
		cfg.Log.Info("the store is MinIO: --engine list takes the metadata from its listing, without HEADs")
	}
}

// onPage chooses the objects of a page that are compared with their HEADs. It returns a ListMetadataError for a page by
// which the store shows that it lists no metadata.
func (m *listMetadata) onPage(p *page) error {
	if m == nil {
		return nil
	}
	if slices.ContainsFunc(p.metadata, func(m list.Metadata) bool { return m.Items != nil }) {
		m.given.Store(true)
	}
	// A page can lack metadata for a reason of its own (MetadataErr): its objects get HEADs.
	if p.MetadataErr == nil && !m.given.Load() {
		return &ListMetadataError{
			Target: m.target,
			What:   "the store gives no metadata with its listing",
			Advice: "leave --engine out, so that HEADs are sent",
		}
	}
	chooseSample(p.metadata, func(*list.Metadata) bool { return true })
	chooseSample(p.metadata, func(m *list.Metadata) bool { return len(m.Items) > 0 && !m.Sample })
	return nil
}

// chooseSample marks one object at random among those whose metadata are exact and fit.
func chooseSample(all []list.Metadata, fits func(*list.Metadata) bool) {
	n := len(all)
	if n == 0 {
		return
	}
	for i, from := 0, rand.IntN(n); i < n; i++ {
		if m := &all[(from+i)%n]; m.MatchesHead && fits(m) {
			m.Sample = true
			return
		}
	}
}

// engine returns the name of the engine that the run had, and why, where HEADs are sent by the engine of this name.
func (m *listMetadata) engine(name, why string) (string, string) {
	if m == nil || !m.given.Load() {
		return name, why
	}
	return engine.List, "asked for"
}

// recheck returns nil if the object of a mismatch was overwritten within a second of its LIST: a second LIST has the
// metadata of the HEAD then. Its error ends the run.
func (m *listMetadata) recheck(ctx context.Context, found *metadataDifference) error {
	now, ok, err := m.lister.FetchMetadata(ctx, found.key)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil && ok && slices.Equal(now.Items, found.items):
		return nil
	}
	return &ListMetadataError{
		Target: m.target,
		What:   fmt.Sprintf("the listing has other metadata of %q than its HEAD", found.key),
		Advice: "what was printed so far may be wrong too: scan from the beginning with --engine direct",
	}
}

// metadataDifference is an object whose HEAD had other metadata than the listing.
type metadataDifference struct {
	key   string
	items []list.Item // of the HEAD
}

// compareWithListing returns the object of an answer that differs from the listing (head.DiffersFromListing); nil where
// the answer's date shows that the object was overwritten.
func compareWithListing(e *list.Entry, r *head.Result) *metadataDifference {
	if r.WrittenSince(e) == head.Later {
		return nil
	}
	items := make([]list.Item, len(r.Metadata))
	for i, f := range r.Metadata {
		items[i] = list.Item{Name: string(f.Name), Value: string(f.Value)}
	}
	return &metadataDifference{key: e.Key, items: items}
}
