package list

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
)

// stalledPagesMax is how many pages that lead no further may follow each other. AWS sends empty ones where many keys were
// deleted; a store that sends them for ever, or the same keys under ever new tokens, has to be told from one that is slow.
const stalledPagesMax = 1000

// Pager walks one Range, page by page. It belongs to one goroutine; others may meanwhile split it (probe, holds, cede).
//
// A Range is walked in one or more listings. A listing begins at the cursor (start-after, V1: marker) and goes on by
// the store's tokens until it says that it is not truncated. That is not believed: another listing begins at the
// cursor, and only one that brings nothing new ends the Range. MinIO's listings end early and say they are complete;
// this confirmation cures it, for one request a Range.
//
// A token never outlives its listing, so what a Pager has to remember is its cursor.
//
// A lossy key (Page.Lossy) is not the name that it stands for, and so no place in the order of keys: it is handed out, but
// neither compared with others nor gone on from. A page that ends in such keys is asked for again after its last exact
// key, since the store's own token may be one of them. If nothing else follows that one, they are the end of the Range.
type Pager struct {
	lister *Lister

	mu       sync.Mutex // holds together what others look at, down to split
	rng      Range      // its end is moved by cede
	cursor   string     // the last exact key handed out, or rng.After
	pending  []Entry    // admitted and not yet handed out
	complete bool       // nothing follows rest
	split    splitState

	metadata     []keyMetadata // the metadata of the answer that rest is of, from it on
	metadataErr  error         // it has none although they were asked for
	keysDeclared bool          // the store declared how it encoded the keys of rest
	endReached   bool          // a Page has extended to the end of the Range
	probing      bool          // its LISTs are sent once: nobody needs them
	onlyLossy    bool          // the last listing had nothing but lossy keys

	// Of the present listing.
	token        string   // where it goes on; empty: it begins, at the cursor
	lastSeen     string   // the last key that it showed, handed out or not
	anySeen      bool     // whether it showed any
	newKeys      int      // how many of them were new
	prevHashes   []uint64 // hashes of the keys of its page before this one: a key keeps all texts of its page in memory
	spareHashes  []uint64 // room for those of the next
	stalledPages int      // pages that led no further, in a row
}

// Pager returns a Pager for the keys of rng that begin with the Lister's prefix. It sends nothing yet. Where rng ends in a key that no LIST
// has shown as it is, neighbouring Ranges may both hand out the lossy keys about there, since nobody can tell on which side they lie.
func (l *Lister) Pager(rng Range) *Pager {
	return &Pager{lister: l, rng: rng, cursor: rng.After}
}

// Rest is the part of the Range that no Page had, and whether there is one. Once Next has returned no Page, there are no keys in it.
func (p *Pager) Rest() (rest Range, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return Range{p.cursor, p.rng.Through}, !p.endReached && (p.cursor != p.rng.Through || p.cursor == "")
}

// Next returns the next Page, which has at least one Entry, and no Page and no error after the last. An error is final:
// what was returned before it is right, and what follows is unknown. The Page belongs to the caller.
//
// There is no error for the end, since a connection's end has one that is easily taken for it.
func (p *Pager) Next(ctx context.Context) (*Page, error) {
	for {
		page, over := p.nextPage()
		if page != nil || over {
			return page, nil
		}
		if err := p.fetch(ctx); err != nil {
			return nil, err
		}
	}
}

// nextPage hands out what is left of the last answer; if nothing is, it says whether that is all.
func (p *Pager) nextPage() (page *Page, over bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.pending) == 0 {
		return nil, p.complete
	}
	n := p.pageLength()
	page = &Page{Entries: p.pending[:n:n], KeysDeclared: p.keysDeclared}
	p.pending = p.pending[n:]
	page.Metadata, p.metadata = takeMetadata(page.Entries, p.metadata)
	if len(p.pending) == 0 {
		p.pending, p.metadata = nil, nil // it may be long until the next LIST, and what is empty keeps all that it was cut from
	}
	for i := range page.Metadata {
		if page.NameUncertain(page.Entries[i].Key) { // only a HEAD tells whether there is such an object
			page.Metadata[i].MatchesHead = false
		}
	}
	page.MetadataErr = p.metadataErr
	page.Range.After = p.cursor
	if p.complete && len(p.pending) == 0 {
		p.cursor, p.endReached = p.rng.Through, true
	} else {
		p.cursor = strings.Clone(page.Entries[n-1].Key) // all texts of a page are one, and Ranges outlive their pages
	}
	page.Range.Through = p.cursor
	return page, false
}

// pageLength is how much of the rest is the next Page: all of it, unless the store ignores max-keys and answers with more. What is left
// begins after an exact key.
func (p *Pager) pageLength() int {
	if len(p.pending) <= pageKeysMax {
		return len(p.pending)
	}
	n := max(1, len(p.trimLossyEnd(p.pending[:pageKeysMax])))
	for n < len(p.pending) && isLossy(p.pending[n-1].Key, p.keysDeclared) {
		n++
	}
	return n
}

// fetch sends one LIST and takes from its answer what is new: to rest, the token, and whether the Range is done.
func (p *Pager) fetch(ctx context.Context) error {
	if p.lister.cfg.Store.Unordered() && p.rng != (Range{}) {
		return p.protocolError("the bucket lists its keys in no order, and "+p.rng.String()+" means nothing in it", "list the whole bucket")
	}
	ask := p.lister.listPage
	if p.probing {
		ask = p.lister.listProbe
	}
	answer, err := ask(ctx, request{after: p.startAfter(), token: p.token, keysMax: pageKeysMax})
	if p.tokenRejected(err) {
		p.restartListing()
		return nil
	}
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.onAnswer(answer)
}

// onAnswer takes in an answer.
func (p *Pager) onAnswer(answer *answer) error {
	p.keysDeclared, p.metadata, p.metadataErr = answer.KeysDeclared, answer.metadata, answer.metadataErr
	p.split.onAnswer(p, answer.Entries)
	fresh, err := p.admit(answer.Entries)
	if err != nil {
		return err
	}
	p.split.onNewEntries(fresh, p.keysDeclared)
	if p.complete { // nothing of the Range can follow
		p.pending = fresh
		return nil
	}
	p.pending = p.trimLossyEnd(fresh)
	p.newKeys += len(p.pending)
	wasLossy := p.onlyLossy
	p.onlyLossy = len(p.pending) == 0 && len(fresh) > 0
	switch {
	case len(p.pending) == len(fresh):
		return p.advance(answer)
	case p.onlyLossy && answer.Truncated:
		return p.protocolError("all keys of a page hold characters that the store cannot list", "")
	case p.onlyLossy && wasLossy: // twice, so that it is no listing that ended early
		p.pending, p.complete = fresh, true
		return nil
	}
	p.restartListing() // at the last exact key, which is the cursor once the rest is handed out
	return nil
}

// trimLossyEnd is entries without the lossy keys at their end. Where keys have no order, nothing is gone on from.
func (p *Pager) trimLossyEnd(entries []Entry) []Entry {
	n := len(entries)
	for n > 0 && isLossy(entries[n-1].Key, p.keysDeclared) && !p.lister.cfg.Store.Unordered() {
		n--
	}
	return entries[:n]
}

// startAfter is the key after which a listing is asked for. V1 goes on by keys and has no tokens.
func (p *Pager) startAfter() string {
	if p.lister.cfg.V1 && p.token != "" {
		return p.token
	}
	return p.cursor
}

// tokenRejected says whether a listing was refused because of its token: a store that was restarted knows no more of the
// tokens that it gave before, and the cursor is as good, provided that the listing has moved it.
func (p *Pager) tokenRejected(err error) bool {
	var refused *StoreError
	return p.token != "" && p.newKeys > 0 && !p.lister.cfg.V1 && !p.lister.cfg.Store.Unordered() && errors.As(err, &refused) &&
		refused.Status == 400 && (refused.Code == "InvalidArgument" || strings.Contains(refused.Code, "Token") && refused.Code != "ExpiredToken")
}

// restartListing starts another listing at the cursor.
func (p *Pager) restartListing() {
	p.token, p.lastSeen, p.anySeen, p.newKeys, p.prevHashes, p.stalledPages = "", "", false, 0, nil, 0
}

// admit returns the entries that are new and in the Range, and refuses an order in which keys could be missed.
func (p *Pager) admit(entries []Entry) ([]Entry, error) {
	fresh := entries[:0]
	before := p.prevHashes
	p.prevHashes, p.spareHashes = p.spareHashes[:0], before
	came := p.lastSeen
	defer func() { p.lastSeen = strings.Clone(p.lastSeen) }() // as the cursor: it outlives the page
	for _, e := range entries {
		if !strings.HasPrefix(e.Key, p.lister.cfg.Prefix) {
			return nil, p.protocolError(fmt.Sprintf("the key %q does not begin with the prefix asked for", e.Key), "")
		}
		if p.lister.cfg.Store.Unordered() {
			fresh = append(fresh, e)
			continue
		}
		if isLossy(e.Key, p.keysDeclared) {
			if p.complete || p.anySeen && (p.lastSeen < p.cursor || p.lastSeen == p.rng.Through) {
				continue // beyond the Range, or, since start-after was ignored, before it
			}
			fresh = append(fresh, e)
			continue
		}
		hash := maphash.String(p.lister.seed, e.Key)
		p.prevHashes = append(p.prevHashes, hash)
		if p.anySeen && e.Key <= p.lastSeen {
			if e.Key == p.lastSeen || slices.Contains(before, hash) {
				continue // handed out with the page before
			}
			return nil, p.protocolError(fmt.Sprintf("the keys are not in order: %q after %q", e.Key, p.lastSeen), "")
		}
		p.lastSeen, p.anySeen = e.Key, true
		switch {
		case e.Key <= p.cursor: // start-after taken as inclusive, or ignored
		case p.rng.Contains(e.Key):
			fresh = append(fresh, e)
			p.complete = e.Key == p.rng.Through
		default: // the order of what is left on the page is still checked: it is why nothing can follow
			p.complete = true
		}
	}
	if p.stalledPages++; p.lastSeen > came || len(fresh) > 0 {
		p.stalledPages = 0
	}
	return fresh, nil
}

// advance decides how the walk goes on after an answer.
func (p *Pager) advance(a *answer) error {
	if !a.Truncated {
		if p.newKeys == 0 || p.lister.cfg.Store.Unordered() {
			p.complete = true
		} else {
			// Confirm the end. The rest is handed out first, so that the cursor is its last key by then.
			p.restartListing()
		}
		return nil
	}
	next, err := p.nextToken(a)
	if err != nil {
		return err
	}
	if p.stalledPages > stalledPagesMax {
		return p.protocolError(fmt.Sprintf("%d truncated pages in a row have no new key", p.stalledPages), "")
	}
	p.token = next
	return nil
}

// nextToken is the token that a truncated answer goes on with.
func (p *Pager) nextToken(a *answer) (string, error) {
	next := a.NextToken
	if p.lister.cfg.V1 && len(a.Entries) > 0 && p.anySeen {
		next = p.lastSeen // a NextMarker is for listings with a delimiter
	}
	switch {
	case next == "":
		return "", p.protocolError("a truncated page has no continuation token", "try --list-objects-v1")
	case next == p.token:
		return "", p.protocolError("the store goes on with the continuation token that it was asked with", "try --list-objects-v1")
	case p.lister.cfg.V1 && next < p.token:
		return "", p.protocolError(fmt.Sprintf("the marker goes back from %q to %q", p.token, next), "")
	}
	return next, nil
}

func (p *Pager) protocolError(what, hint string) error {
	return &ProtocolError{Target: p.lister.target, What: what, Advice: hint}
}
