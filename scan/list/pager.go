package list

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// stalledPagesMax is the largest number of truncated pages in a row without a new key. AWS sends empty pages where many
// keys were deleted. A store that sends such pages for ever, or the same keys with ever new tokens, must be
// distinguished from a slow one.
const stalledPagesMax = 1000

// Pager lists one Range, page by page. It belongs to one goroutine. Other goroutines may split its Range meanwhile
// (listUpper, contains, splitAt).
//
// A Pager lists a Range in one or more listings. A listing begins at the cursor (start-after, V1: marker) and follows
// the tokens of the store until a page is not truncated. The Pager then begins another listing at the cursor. The Range
// ends only with a listing without a new key, which costs one request a Range. MinIO needs this confirmation: its
// listings may end early, without being marked as truncated. As long as no LIST of the Lister has returned a key, a
// listing without one is confirmed too (confirmsEmpty).
//
// A token is only used within its listing. So the cursor alone says where to continue.
//
// A lossy key (Page.Lossy) is not the name of its object, so its place in the order of keys is unknown. A Pager hands
// out lossy keys, does not compare them with other keys, and begins no listing at one. If a page ends in lossy keys,
// the Pager lists again after the last key that is not lossy, since the token of the store may be a lossy key too. If
// only lossy keys follow that key, they are the end of the Range.
//
// All of that needs a store that sorts keys as bytes. A Pager of a store with another order has a sequence
// (anyorder.go) instead. proof.go has the checks by which several Ranges are known to be the whole bucket.
type Pager struct {
	lister *Lister
	prefix string // of all keys of the Range

	// Of one of Config.Prefixes; empty: there are none.
	within    string
	prefixEnd string       // of the Range of the prefix
	hasKeys   *atomic.Bool // of the prefix, in the Lister; nil: there is none

	mu       sync.Mutex // guards the fields down to split
	rng      Range      // splitAt moves its end
	cursor   string     // the last key handed out that is not lossy, or rng.After; versions has the version
	pending  []Entry    // new entries that are not yet handed out
	complete bool       // no entry follows pending
	split    splitState

	metadata     []keyMetadata // of the answer with the pending entries, from the first of them on
	metadataErr  error         // why that answer has no metadata although they were asked for
	keysDeclared bool          // the store declared the encoding of the pending keys
	endReached   bool          // a Page has extended to the end of the Range
	sendOnce     bool          // a LIST that fails is not repeated: the Pager is for an upperPart
	onlyLossy    bool          // the last listing had only lossy keys
	endSeen      bool          // the key at the end of the Range was listed, or looked for

	confirmed bool // a second listing has confirmed that there is no key at all

	versions versionState // of a listing of versions

	sequence     *sequence // lists in any order; nil: in the order of bytes
	watched      *keyLog   // the keys so far, while the Pager may change to any order by itself; nil: it may not
	watchedPages int

	// The state of the present listing.
	token        string   // of the next page; empty: the listing begins, at the cursor
	lastSeen     string   // the last key that the store returned, handed out or not
	anySeen      bool     // the store returned a key
	newKeys      int      // returned keys that were new
	prevHashes   []uint64 // of the keys of the page before: a key would keep all texts of its page in memory
	spareHashes  []uint64 // memory for the hashes of the next page
	stalledPages int      // pages in a row without a new key
}

// Pager returns a Pager for the keys of rng that begin with the Lister's prefix. It sends nothing. If rng ends in a key
// that no LIST has returned, neighbouring Ranges may both hand out the lossy keys near there: their real order is
// unknown.
//
// In a store that lists in any order, the ends of rng are continuation tokens, of which only the first may be set.
func (l *Lister) Pager(rng Range) *Pager {
	if l.anyOrder() {
		return l.sequential(rng)
	}
	p := &Pager{lister: l, rng: rng, cursor: rng.After}
	p.setPrefix()
	p.versions.cursor, p.versions.seek = rng.AfterVersion, rng.AfterVersion != ""
	if l.cfg.MayChangeOrder && !l.cfg.Versions && rng == (Range{}) {
		p.watched = newKeyLog()
	}
	return p
}

// Rest returns the part of the Range that no Page has covered; ok is false where nothing is left. After the last Page,
// the rest has no keys. Rest may be called concurrently with Next.
func (p *Pager) Rest() (rest Range, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rest = Range{After: p.cursor, AfterVersion: p.versions.cursor, Through: p.rng.Through}
	return rest, !p.endReached && (rest.Start() != rest.End() || p.cursor == "")
}

// Next returns the next Page, which has at least one Entry. After the last Page it returns nil and no error: io.EOF
// would be easily taken for the end of a connection. An error is final. The Pages before it are right, and the rest of
// the Range is unknown. The caller owns the Page.
func (p *Pager) Next(ctx context.Context) (*Page, error) {
	if err := p.seekVersion(ctx); err != nil {
		return nil, err
	}
	for {
		if err := p.checkEnd(ctx); err != nil {
			return nil, err
		}
		page, finished := p.nextPage()
		if page != nil || finished {
			return page, nil
		}
		if err := p.fetch(ctx); err != nil {
			return nil, err
		}
	}
}

// nextPage returns the next Page of pending. finished is set where nothing is pending and the Range is complete.
func (p *Pager) nextPage() (page *Page, finished bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.pending) == 0 {
		return nil, p.complete
	}
	if p.sequence != nil {
		return p.nextSequentialPage(), false
	}
	n := p.pageLength()
	page = p.takePending(n)
	page.Range.After, page.Range.AfterVersion = p.cursor, p.versions.cursor
	if p.complete && len(p.pending) == 0 {
		p.cursor, p.versions.cursor, p.endReached = p.rng.Through, "", true
	} else {
		p.cursor = strings.Clone(page.Entries[n-1].Key) // a Range outlives its page, whose texts share one memory
		p.versions.cursor = p.lastVersion(&page.Entries[n-1])
	}
	page.Range.Through, page.Range.ThroughVersion = p.cursor, p.versions.cursor
	return page, false
}

// takePending returns a Page of the first n pending entries. p.mu is held.
func (p *Pager) takePending(n int) *Page {
	page := &Page{Entries: p.pending[:n:n], KeysDeclared: p.keysDeclared}
	p.pending = p.pending[n:]
	page.Metadata, p.metadata = takeMetadata(page.Entries, p.metadata)
	if len(p.pending) == 0 {
		p.pending, p.metadata = nil, nil // an empty slice would keep the page in memory until the next LIST
	}
	for i := range page.Metadata {
		if page.NameUncertain(page.Entries[i].Key) { // only a HEAD shows whether this object exists
			page.Metadata[i].MatchesHead = false
		}
	}
	page.MetadataErr = p.metadataErr
	return page
}

// pageLength returns the number of pending entries on the next Page: all, unless the store ignores max-keys and returns
// more. The last Entry of an incomplete part is not lossy.
func (p *Pager) pageLength() int {
	if p.lister.cfg.Versions {
		return p.versionsLength()
	}
	if len(p.pending) <= pageKeysMax {
		return len(p.pending)
	}
	n := max(1, len(p.trimLossyEnd(p.pending[:pageKeysMax])))
	for n < len(p.pending) && isLossy(p.pending[n-1].Key, p.keysDeclared) {
		n++
	}
	return n
}

// fetch sends one LIST, and sets pending, the token and complete by its answer.
func (p *Pager) fetch(ctx context.Context) error {
	send := p.lister.listPage
	if p.sendOnce {
		send = p.lister.listOnce
	}
	answer, err := send(ctx, p.request())
	if p.tokenRejected(err) {
		p.restartListing()
		return nil
	}
	if err != nil {
		return p.resumeError(err)
	}
	if err := p.startError(ctx, answer); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.onAnswer(answer)
}

// onAnswer processes the answer to a LIST. p.mu is held.
func (p *Pager) onAnswer(answer *answer) error {
	p.keysDeclared, p.metadata, p.metadataErr = answer.KeysDeclared, answer.metadata, answer.metadataErr
	if len(answer.Entries) > 0 {
		p.lister.hasKeys.Store(true)
		if p.hasKeys != nil {
			p.hasKeys.Store(true)
		}
	}
	if p.sequence != nil {
		return p.onSequentialAnswer(answer)
	}
	p.split.onAnswer(p, answer.Entries)
	p.split.oversized = p.split.oversized || len(answer.Entries) > oversizedKeys
	added, err := p.admit(answer.Entries)
	if errors.Is(err, errNotInOrder) && p.mayChangeOrder() {
		p.changeOrder()
		return p.onSequentialAnswer(answer)
	}
	if err != nil {
		return err
	}
	p.watch(added)
	p.split.onNewEntries(added, p.keysDeclared)
	if p.lister.cfg.Versions {
		return p.onVersions(answer, added)
	}
	if p.complete {
		p.pending = added
		return nil
	}
	p.pending = p.trimLossyEnd(added)
	p.newKeys += len(p.pending)
	wasLossy := p.onlyLossy
	p.onlyLossy = len(p.pending) == 0 && len(added) > 0
	switch {
	case len(p.pending) == len(added):
		return p.advance(answer)
	case p.onlyLossy && answer.Truncated:
		return p.protocolError("all keys of a page have characters that the store cannot list", "")
	case p.onlyLossy && wasLossy: // after two such listings, since one may have ended early
		p.pending, p.complete = added, true
		return nil
	}
	p.restartListing() // the cursor is the last pending key by then
	return nil
}

// trimLossyEnd returns entries without the lossy keys at their end.
func (p *Pager) trimLossyEnd(entries []Entry) []Entry {
	n := len(entries)
	for n > 0 && isLossy(entries[n-1].Key, p.keysDeclared) {
		n--
	}
	return entries[:n]
}

// request returns the next LIST. V1 and versions have no tokens: theirs are places at which a LIST can begin.
func (p *Pager) request() request {
	req := request{
		after: p.cursor, version: p.versions.cursor, token: p.token, within: p.within, keysMax: pageKeysMax,
	}
	if p.cursor < p.within { // the end of another prefix
		req.after, req.version = "", ""
	}
	if p.tokenIsKey() && p.token != "" {
		req.after, req.version = p.token, p.versions.token
	}
	return req
}

// tokenIsKey reports whether the token is a key.
func (p *Pager) tokenIsKey() bool { return p.lister.cfg.V1 || p.lister.cfg.Versions }

// tokenRejected reports whether the store rejected the token of a LIST. A restarted store no longer knows its old
// tokens. The cursor is as good, provided that this listing has moved it.
func (p *Pager) tokenRejected(err error) bool {
	var storeErr *StoreError
	if p.token == "" || p.newKeys == 0 || p.tokenIsKey() || p.sequence != nil || !errors.As(err, &storeErr) {
		return false
	}
	namesToken := strings.Contains(storeErr.Code, "Token") && storeErr.Code != "ExpiredToken"
	return storeErr.Status == 400 && (storeErr.Code == "InvalidArgument" || namesToken)
}

// restartListing makes the next LIST begin at the cursor.
func (p *Pager) restartListing() {
	p.token, p.lastSeen, p.anySeen, p.newKeys, p.prevHashes, p.stalledPages = "", "", false, 0, nil, 0
	p.watched, p.versions.held, p.versions.token = nil, nil, ""
}

// admit returns the entries that are new and in the Range. They share the memory of entries up to the first that is
// neither. Its error is a ProtocolError for an order in which keys
// could be missed.
func (p *Pager) admit(entries []Entry) ([]Entry, error) {
	added := entries[:0]
	previous := &keyHashes{hashes: p.prevHashes}
	p.prevHashes, p.spareHashes = p.spareHashes[:0], p.prevHashes
	lastBefore := p.lastSeen
	defer func() { p.lastSeen = strings.Clone(p.lastSeen) }() // it outlives the page, as the cursor does
	for i, e := range entries {
		if len(added) < i && cap(added) == cap(entries) {
			added = slices.Clip(added) // entries stay as they are: an error may need them
		}
		if !strings.HasPrefix(e.Key, p.prefix) {
			return nil, p.protocolError(fmt.Sprintf("the key %q does not begin with the requested prefix", e.Key), "")
		}
		if isLossy(e.Key, p.keysDeclared) {
			if p.takesLossyKey() {
				added = append(added, e)
			}
			continue
		}
		if i > 0 && entries[i-1].Key == e.Key && !p.lister.cfg.Versions { // added never overtakes i
			return nil, p.protocolError(fmt.Sprintf("a page has the key %q twice", e.Key), "")
		}
		repeated, err := p.checkOrder(&e, previous)
		if err != nil {
			return nil, err
		}
		switch {
		case repeated:
		case !p.isBehindCursor(&e): // the store takes start-after as inclusive, or ignores it, or the cursor is in a group
		case p.rng.Contains(e.Key):
			added = append(added, e)
			p.endSeen = e.Key == p.rng.Through
			p.complete = p.endSeen && !p.lister.cfg.Versions // the key has further versions, maybe
		default: // the order of the next entries is still checked, since only order proves that the Range is complete
			p.complete = true
		}
	}
	if p.stalledPages++; p.lastSeen > lastBefore || len(added) > 0 {
		p.stalledPages = 0
	}
	if p.lister.cfg.Versions {
		return added, p.checkVersions(entries)
	}
	return added, nil
}

// takesLossyKey reports whether a lossy key at the present place of the listing belongs to the Range. Otherwise the
// place is after the Range, or before the Range where the store ignores start-after.
func (p *Pager) takesLossyKey() bool {
	return !p.complete && !(p.anySeen && (p.lastSeen < p.cursor || p.lastSeen == p.rng.Through))
}

// checkOrder records an entry whose key is not lossy as the last that the store returned. repeated is set if the page
// before had the key. previous has the hashes of the keys of that page.
func (p *Pager) checkOrder(e *Entry, previous *keyHashes) (repeated bool, err error) {
	key, hash := e.Key, maphash.String(p.lister.seed, e.Key)
	if e.Details != nil {
		hash = maphash.Comparable(p.lister.seed, Place{key, e.Details.VersionID})
	}
	p.prevHashes = append(p.prevHashes, hash)
	switch {
	case !p.anySeen || key > p.lastSeen:
		p.lastSeen, p.anySeen = key, true
		return false, nil
	case key == p.lastSeen && !p.lister.cfg.Versions, previous.contains(hash):
		return true, nil
	case key == p.lastSeen: // another version of it
		return false, nil
	}
	return false, p.orderError(fmt.Sprintf("%q after %q", key, p.lastSeen))
}

// keyHashes are the hashes of the keys of one page. Few pages are asked for one.
type keyHashes struct {
	hashes []uint64
	sorted bool
}

func (k *keyHashes) contains(hash uint64) bool {
	if !k.sorted { // a page may have many keys
		slices.Sort(k.hashes)
		k.sorted = true
	}
	_, found := slices.BinarySearch(k.hashes, hash)
	return found
}

// advance decides by an answer what the next LIST asks for.
func (p *Pager) advance(a *answer) error {
	if !a.Truncated {
		if p.newKeys == 0 && !p.confirmsEmpty() {
			p.complete = true
		} else {
			// Confirm the end with another listing. The cursor is the last pending key by then.
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

// confirmsEmpty reports whether another listing must confirm one without a new key: so far, no LIST of the Lister has
// returned a key. One wrong answer, such as a bare <ListBucketResult/>, must not make a bucket an empty one. Once there
// was a key, a Range without one costs nothing more.
func (p *Pager) confirmsEmpty() bool {
	if p.confirmed || p.lister.hasKeys.Load() {
		return false
	}
	p.confirmed = true
	return true
}

// nextToken returns the token that follows a truncated answer.
func (p *Pager) nextToken(a *answer) (string, error) {
	if p.lister.cfg.Versions {
		return p.nextVersionToken(a)
	}
	next := a.NextToken
	if p.lister.cfg.V1 && len(a.Entries) > 0 && p.anySeen {
		next = p.lastSeen // which NextMarker is too, where a listing with a delimiter has one
	}
	switch {
	case next == "":
		return "", p.protocolError("a truncated page has no continuation token", "try --list-objects-v1")
	case next == p.token:
		what := "the store answered with the continuation token of the request"
		return "", p.protocolError(what, "try --list-objects-v1")
	case p.lister.cfg.V1 && next < p.token:
		return "", p.protocolError(fmt.Sprintf("the marker goes backwards from %q to %q", p.token, next), "")
	}
	return next, nil
}

// orderError returns the ProtocolError about keys that are not in the order of bytes.
func (p *Pager) orderError(what string) error {
	e := &ProtocolError{
		Target: p.lister.target, What: p.lister.cfg.Store.Redact("the keys are not in order: " + what),
		Advice: orderHint, cause: errNotInOrder,
	}
	if p.lister.cfg.Versions {
		e.Advice = versionsOrderHint
	}
	return e
}

func (p *Pager) protocolError(what, hint string) error {
	return &ProtocolError{Target: p.lister.target, What: p.lister.cfg.Store.Redact(what), Advice: hint}
}
