package scan

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
)

// shortcut decides whether metadata are taken from the listing, where a store gives them there (list.Metadata), instead of from a HEAD for
// every object. What is taken has to be what a HEAD gives, byte for byte, and this is how that is seen to:
//
//   - The first page with objects is the trial. Of all its objects the listing's metadata are held against their HEADs, which are sent as ever; the
//     next page is listed when that is decided. One difference, and the run goes on by HEADs.
//   - Metadata that are not sure to be the same by their form (list.Metadata.Exact) are not taken: the object is asked for.
//   - Of every later page one object at random is asked for and compared, and one of those that have metadata. The page is not written before they
//     have answered. A difference ends the run: others that nobody compared may be written. What was overwritten since it was listed is
//     told from that by its date, and by listing it once more.
//
// What is taken is as the LIST said it. A HEAD would tell of an object that was deleted or overwritten since.
//
// forced takes it without a trial. The checks are the same.
type shortcut struct {
	scan   *Scan
	forced bool

	turn    chan struct{} // holds one token while the page of the trial is being listed, or tried
	vain    int           // pages that could not be listed with metadata; belongs to who has the turn
	decided chan struct{} // closed when it is known whether the shortcut is taken

	mu     sync.Mutex
	taken  bool
	why    string // it is, or is not; empty: nothing spoke for it
	left   int    // objects of the trial that have not answered
	alike  int    // those that had the same metadata
	unlike string // what one of them had else
}

// vainMax is how many pages at the beginning may be listed in vain, each of them twice, before no more are.
const vainMax = 5

// newShortcut is nil where HEADs have to be sent whatever the listing gives.
func newShortcut(s *Scan) *shortcut {
	cfg, forced := &s.cfg, s.cfg.Engine == head.ListName
	if cfg.ListOnly != nil || !forced && (!cfg.MetadataOnly || cfg.Engine != head.AutoName && cfg.Engine != "" || cfg.ListV1 || cfg.Keys != nil) {
		return nil
	}
	return &shortcut{scan: s, forced: forced, turn: make(chan struct{}, 1), decided: make(chan struct{})}
}

// wish is what the first LIST asks for. A store that does not say that it is MinIO is not asked for what others do not know.
func (c *shortcut) wish() list.Wish {
	switch {
	case c == nil:
		return list.Never
	case c.forced:
		return list.Always
	}
	return list.IfMinIO
}

// await returns when a page may be listed: at once, but during the trial. It is followed by see or pass.
func (c *shortcut) await(ctx context.Context) error {
	if c == nil {
		return nil
	}
	select {
	case <-c.decided:
		return nil
	default:
	}
	select {
	case <-c.decided:
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// pass is told that there was no page.
func (c *shortcut) pass() {
	if c == nil {
		return
	}
	select {
	case <-c.decided:
	default:
		<-c.turn // nothing was tried
	}
}

// see looks at a page before its objects are asked for, and says of which of them the metadata are taken from it. Its error ends the run.
func (c *shortcut) see(p *page) error {
	if c == nil {
		return nil
	}
	select {
	case <-c.decided:
		c.mark(p)
		return nil
	default:
	}
	given := 0
	for i := range p.Metadata {
		if p.Metadata[i].Exact {
			given++
		}
	}
	const none = "the store gives no metadata with its listing"
	if p.Withheld != nil { // passing trouble, or the metadata of an object that make no XML
		c.mu.Lock()
		c.why = p.Withheld.Error()
		c.mu.Unlock()
		if c.vain++; c.vain == vainMax && !c.forced {
			c.decide(false, c.why)
		} else {
			<-c.turn // the next page may do
		}
		return nil
	}
	switch {
	case c.forced && given == 0 && !slices.ContainsFunc(p.Metadata, func(m list.Metadata) bool { return m.Items != nil }):
		return &ListingError{
			Target: c.scan.target(), What: none, Hint: "leave --engine out, so that HEADs are sent",
		}
	case c.forced:
		c.decide(true, "asked for")
		c.mark(p)
	case p.Metadata == nil:
		c.decide(false, "") // it is not MinIO
	case given == 0:
		c.decide(false, none)
	case given*2 < len(p.Entries): // to list metadata costs the store something too
		c.decide(false, fmt.Sprintf("of %d objects on its first page it has the metadata of %d exactly", len(p.Entries), given))
	default:
		for i := range p.Metadata {
			p.Metadata[i].Check = true
		}
		p.isTrial = true
		c.mu.Lock()
		c.left = len(p.Entries)
		c.mu.Unlock()
		return nil
	}
	if !c.taken {
		p.Metadata = nil
	}
	return nil
}

// mark says which objects of a page are checked, or that all are asked for.
func (c *shortcut) mark(p *page) {
	if !c.taken {
		p.Metadata = nil
	}
	n := len(p.Metadata)
	if n == 0 {
		return
	}
	check := func(fits func(*list.Metadata) bool) { // the first that fits from a random one on
		for i, from := 0, rand.IntN(n); i < n; i++ {
			if m := &p.Metadata[(from+i)%n]; m.Exact && fits(m) {
				m.Check = true
				return
			}
		}
	}
	check(func(*list.Metadata) bool { return true })
	check(func(m *list.Metadata) bool { return len(m.Items) > 0 && !m.Check })
}

// decide ends the trial.
func (c *shortcut) decide(taken bool, why string) {
	c.mu.Lock()
	c.taken, c.why = taken, why
	c.mu.Unlock()
	wish := list.Never
	if taken {
		wish = list.Always
	}
	c.scan.lister.WantMetadata(wish)
	c.scan.cfg.Log.Debug("metadata from the listing", "taken", taken, "why", why)
	close(c.decided)
}

// tried is told of the first answer of each object of the trial: how it stands to the listing. unlike says in what, where it is not the same.
func (c *shortcut) tried(r head.Listed, unlike string) {
	c.mu.Lock()
	if r == head.LikeListing {
		c.alike++
	}
	if unlike != "" && c.unlike == "" {
		c.unlike = unlike
	}
	c.left--
	isLast, alike, difference := c.left == 0, c.alike, c.unlike
	c.mu.Unlock()
	switch {
	case !isLast:
	case difference != "":
		c.decide(false, difference)
	case alike == 0:
		c.decide(false, "no object of its first page could be compared with its HEAD")
	default:
		c.decide(true, fmt.Sprintf("the listing had the same metadata as the HEADs of %d objects of the first page", alike))
	}
}

// engine is which one the run had, and why, where HEADs are sent by this one.
func (c *shortcut) engine(name, why string) (string, string) {
	if c == nil {
		return name, why
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.taken:
		return head.ListName, c.why
	case c.why != "":
		return name, why + "; not the listing: " + c.why
	}
	return name, why
}

// compared looks at how an answer stands to the listing. What has to end the run it leaves in w.dispute.
func (w *worker) compared(e *list.Entry, r *head.Result) {
	unlike := ""
	if r.Listed == head.UnlikeListing && !modifiedSince(e, r) {
		unlike = "it has other metadata of " + e.Key + " than the HEAD"
	}
	switch {
	case w.batch.page.isTrial:
		if w.batch.attempts.sent == 0 {
			w.scan.shortcut.tried(r.Listed, unlike)
		}
	case unlike != "" && w.dispute == nil:
		w.dispute = &dispute{key: e.Key, items: itemsOf(r)}
	}
}

// modifiedSince says whether an answer is of a later object than was listed. A HEAD has whole seconds, rounded either way.
func modifiedSince(e *list.Entry, r *head.Result) bool {
	listed, listedErr := time.Parse(time.RFC3339, e.LastModified)
	answered, err := http.ParseTime(string(r.Get("last-modified")))
	return listedErr == nil && err == nil && answered.Sub(listed) >= time.Second
}

// dispute is an object whose HEAD had other metadata than the listing.
type dispute struct {
	key   string
	items []list.Item // of the HEAD
}

func itemsOf(r *head.Result) []list.Item {
	items := make([]list.Item, len(r.Metadata))
	for i, f := range r.Metadata {
		items[i] = list.Item{Name: string(f.Name), Value: string(f.Value)}
	}
	return items
}

// resolve returns nil if the object was overwritten within a second, so that another listing has what the HEAD had. Its error is final.
func (s *Scan) resolve(ctx context.Context, d *dispute) error {
	now, ok, err := s.lister.MetadataNow(ctx, d.key)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil && ok && slices.Equal(now.Items, d.items):
		return nil
	}
	return &ListingError{
		Target: s.target(),
		What:   fmt.Sprintf("the listing has other metadata of %q than its HEAD", d.key),
		Hint:   "what was printed so far may be wrong too: scan from the beginning with --engine direct",
	}
}

// target names what is scanned.
func (s *Scan) target() string { return "s3://" + s.cfg.Store.Bucket() + "/" + s.cfg.Prefix }
