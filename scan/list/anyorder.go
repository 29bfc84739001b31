package list

import (
	"errors"
	"fmt"
	"net/http"
	"strings"

	"headcount/scan/exit"
	"headcount/scan/fault"
)

// watchedPagesMax is the number of pages after which a Pager no longer changes to any order by itself. Up to then it
// remembers the keys, as it would have to know them: 50,000 keys take 0.8 MB.
const watchedPagesMax = 50

// sequence is the state of a Pager that lists in any order: one listing from the first key to the last, which follows
// the continuation tokens. No key says how far it has come, so it begins no other listing, and confirms no end. It
// hands out each key once by what it has seen.
type sequence struct {
	seen   *KeySet
	tokens *KeySet

	// byKeys is set where the Pager began in the order of bytes: its Range is one of keys, and the Pages from the change
	// on have none. Otherwise its Range is one of tokens: it begins where Range.After is the token, and ends with the
	// listing. Pages have such Ranges too.
	byKeys bool
}

func newSequence() *sequence { return &sequence{seen: NewKeySet(), tokens: NewKeySet()} }

// sequential returns a Pager for a bucket in any order. rng.After is a token, or empty.
func (l *Lister) sequential(rng Range) *Pager {
	return &Pager{lister: l, rng: rng, cursor: rng.After, token: rng.After, sequence: newSequence()}
}

// watch remembers new keys in the order of bytes, as long as the Pager may change to any order.
func (p *Pager) watch(added []Entry) {
	if p.watched == nil {
		return
	}
	if p.watchedPages++; p.watchedPages > watchedPagesMax {
		p.watched = nil
		return
	}
	for i := range added {
		if !isLossy(added[i].Key, p.keysDeclared) {
			p.watched.add(added[i].Key)
		}
	}
}

// mayChangeOrder reports whether keys out of order do not matter: the Pager has the whole bucket, began at its first
// key, has used only tokens since, and remembers the keys.
func (p *Pager) mayChangeOrder() bool { return p.watched != nil && p.rng == Range{} }

// changeOrder goes on in any order.
func (p *Pager) changeOrder() {
	p.sequence, p.watched = &sequence{seen: p.watched.keySet(), tokens: NewKeySet(), byKeys: true}, nil
	p.lister.otherOrder.Store(true)
	p.lister.cfg.Log.Warn("the store does not list keys in the order of their bytes: listing on, in its own order, " +
		"with a single lister")
}

// onSequentialAnswer processes the answer to a LIST in any order. p.mu is held.
func (p *Pager) onSequentialAnswer(a *answer) error {
	added, err := p.admitOnce(a.Entries)
	if err != nil {
		return err
	}
	p.pending = added
	if p.stalledPages++; len(added) > 0 {
		p.stalledPages = 0
	}
	if !a.Truncated {
		if p.complete = !p.confirmsEmpty(); !p.complete { // list again from the beginning
			p.token, p.sequence.tokens, p.stalledPages = p.rng.After, NewKeySet(), 0
		}
		return nil
	}
	if p.stalledPages > stalledPagesMax {
		return p.protocolError(fmt.Sprintf("%d truncated pages in a row have no new key", p.stalledPages), "")
	}
	next, err := p.nextSequentialToken(a)
	if err != nil {
		return err
	}
	p.token = next
	return nil
}

// admitOnce returns the entries that were not listed before. Stores without an order may list a key on two pages while
// objects are written. A key twice on one page is a mistake.
func (p *Pager) admitOnce(entries []Entry) ([]Entry, error) {
	var onPage map[string]int // how often the page has a key; made where a key was seen before
	var added []Entry
	for i := range entries {
		e := &entries[i]
		if !strings.HasPrefix(e.Key, p.lister.cfg.Prefix) {
			return nil, p.protocolError(fmt.Sprintf("the key %q does not begin with the requested prefix", e.Key), "")
		}
		if isLossy(e.Key, p.keysDeclared) || p.sequence.seen.Add(e.Key) {
			added = append(added, *e)
			continue
		}
		if onPage == nil {
			onPage = countKeys(entries)
		}
		if onPage[e.Key] > 1 {
			return nil, p.protocolError(fmt.Sprintf("a page has the key %q twice", e.Key), "")
		}
	}
	return added, nil
}

func countKeys(entries []Entry) map[string]int {
	counts := make(map[string]int, len(entries))
	for i := range entries {
		counts[entries[i].Key]++
	}
	return counts
}

// nextSequentialToken returns the token that follows a truncated answer. A token that was used before would list the
// same pages again. V1 has a marker, which is the last key where the store names no other.
func (p *Pager) nextSequentialToken(a *answer) (string, error) {
	next, hint := a.NextToken, "try --list-objects-v1"
	if p.lister.cfg.V1 {
		hint = ""
		if n := len(a.Entries); next == "" && n > 0 && !isLossy(a.Entries[n-1].Key, p.keysDeclared) {
			next = a.Entries[n-1].Key
		}
	}
	switch {
	case next == "":
		return "", p.protocolError("a truncated page has no continuation token", hint)
	case next == p.token || !p.sequence.tokens.Add(next):
		return "", p.protocolError("the store answered with a continuation token for the second time", hint)
	}
	return strings.Clone(next), nil
}

// nextSequentialPage returns all pending entries as one Page. p.mu is held.
func (p *Pager) nextSequentialPage() *Page {
	page := p.takePending(len(p.pending))
	switch {
	case p.complete:
		page.Range = Range{After: p.cursor, Through: p.rng.Through}
		p.cursor, p.endReached = p.rng.Through, true
	case p.sequence.byKeys:
		page.Unplaced = true
	default:
		page.Range = Range{After: p.cursor, Through: p.token}
		p.cursor = p.token
	}
	return page
}

// TokenError is a checkpoint whose continuation token the store does not accept.
type TokenError struct{ Err *StoreError }

func (e *TokenError) Error() string {
	return "the store does not accept the continuation token of the checkpoint any more: " + e.Err.Error()
}
func (e *TokenError) Unwrap() error { return e.Err }

// Hint implements the contract of package exit.
func (e *TokenError) Hint() string {
	return "remove the checkpoint, and scan the whole bucket without --resume"
}

// ExitCode implements the contract of package exit: the command line cannot be carried out.
func (e *TokenError) ExitCode() int { return exit.Usage }

// resumeError returns a TokenError where the store refused the token with which the Pager began, and otherwise err.
func (p *Pager) resumeError(err error) error {
	var refusal *StoreError
	if p.sequence == nil || p.token == "" || p.token != p.rng.After || !errors.As(err, &refusal) {
		return err
	}
	switch refusal.Status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusRequestedRangeNotSatisfiable:
	default:
		return err
	}
	if refusal.Code == string(fault.ExpiredToken) || refusal.Code == "InvalidToken" || refusal.Code == "NoSuchBucket" {
		return err // about the credentials, or the bucket
	}
	return &TokenError{refusal}
}
