package list

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"headcount/scan/exit"
)

// A listing of versions has several Entries of a key, which follow each other, the newest first. Its pages end at any
// of them. Two rules keep keys the unit of Ranges:
//
//   - A Pager holds the versions of the last key of an answer back, until it has seen that there are no more of them.
//     So its Pages end between two keys. Only where all of an answer is one key, a Page ends inside it (Range.End).
//   - A listing that ends, ends with a key of which there may be more versions. They are listed once more, which also
//     is the LIST that confirms the end (see Pager).
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html

// versionsHint is what the user can do about a store that does not list versions.
const versionsHint = "leave --all-versions out: the store does not list versions"

// versionsOrderHint is what the user can do about a store whose versions are in another order.
const versionsOrderHint = "leave --all-versions out: versions can only be listed in the order of keys"

// lacksVersions reports whether the answer says that the store does not know ListObjectVersions.
func (e *StoreError) lacksVersions() bool {
	switch e.Code {
	case "NotImplemented", "MethodNotAllowed", "UnsupportedOperation":
		return true
	}
	return e.Status == http.StatusNotImplemented || e.Status == http.StatusMethodNotAllowed
}

// versions reports whether a request lists versions.
func (l *Lister) versions(req *request) bool { return l.cfg.Versions || req.versions }

func (l *Lister) sendVersions(ctx context.Context, client *s3.Client, req request, option func(*s3.Options)) error {
	_, err := client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{
		Bucket: aws.String(l.cfg.Store.Bucket()), Prefix: optional(l.prefixOf(&req)),
		KeyMarker: optional(req.after), VersionIdMarker: optional(req.version),
		MaxKeys: aws.Int32(int32(req.keysMax)), EncodingType: types.EncodingTypeUrl,
		RequestPayer: l.cfg.Store.RequestPayer(), OptionalObjectAttributes: l.optionalAttributes(),
	}, option)
	return err
}

// mergeMarkers puts delete markers at their places among the versions. Stores that make the XML of two lists write all
// markers behind all versions (moto), or before them (versitygw). Both lists are in order then.
func mergeMarkers(entries []Entry) {
	isMarker := func(e Entry) bool { return e.IsDeleteMarker() }
	second := slices.IndexFunc(entries, func(e Entry) bool { return isMarker(e) != isMarker(entries[0]) })
	if second < 0 || !areKeysInOrder(entries[:second]) || !areKeysInOrder(entries[second:]) ||
		slices.ContainsFunc(entries[second:], func(e Entry) bool { return isMarker(e) == isMarker(entries[0]) }) {
		return
	}
	slices.SortStableFunc(entries, func(a, b Entry) int {
		switch {
		case a.Key != b.Key:
			return cmp.Compare(a.Key, b.Key)
		case isMarker(a) == isMarker(b):
			return 0
		case a.Details.IsLatest != b.Details.IsLatest:
			if a.Details.IsLatest {
				return -1
			}
			return 1
		}
		return writtenAt(&b).Compare(writtenAt(&a))
	})
}

func areKeysInOrder(entries []Entry) bool {
	return slices.IsSortedFunc(entries, func(a, b Entry) int { return cmp.Compare(a.Key, b.Key) })
}

func writtenAt(e *Entry) time.Time {
	at, _ := time.Parse(time.RFC3339, e.LastModified) // zero: the store does not say it
	return at
}

// nextVersion returns the place at which the page after a truncated answer begins. The last version of the answer is
// one, whatever the store calls the next: some name none. The store's own is used where it agrees, since it may know of
// an order in which mergeMarkers has put other versions.
func nextVersion(a *answer) Place {
	next := Place{a.NextToken, a.NextVersion}
	if n := len(a.Entries); n > 0 && (a.Entries[n-1].Key != next.Key || next.Version == "") {
		next = Place{a.Entries[n-1].Key, a.Entries[n-1].VersionID()}
	}
	return Place{strings.Clone(next.Key), strings.Clone(next.Version)}
}

// versionState is the state of a Pager of versions.
type versionState struct {
	cursor string  // the version of Pager.cursor up to which Pages were handed out; empty: all of them were
	token  string  // the version of Pager.token
	held   []Entry // those of the last key of the present listing, which may have more
	open   bool    // the last key of Pager.pending may have more
	end    string  // the last key of the listing before, which has ended; empty: there was none
	seek   bool    // the version at the start of the Range has to be found first
}

// onVersions processes the new versions of an answer. p.mu is held.
func (p *Pager) onVersions(a *answer, added []Entry) error {
	v := &p.versions
	all := slices.Concat(v.held, added)
	v.held, v.open = nil, false
	p.newKeys += len(added)
	if p.complete {
		p.pending = all
		return nil
	}
	closed := p.trimLossyEnd(all)
	if len(closed) < len(all) { // a lossy key is another one: the last key that is not lossy has no more versions
		return p.onLossyVersions(a, closed, all)
	}
	closed = withoutLastKey(all)
	last := all[len(closed):]
	switch {
	case len(all) == 0:
		return p.advance(a)
	case !a.Truncated && len(closed) == 0 && v.end == last[0].Key: // listed twice
		p.pending, p.complete = all, true
		return nil
	case !a.Truncated:
		v.end, p.pending = strings.Clone(last[0].Key), closed
		p.restartListing() // the cursor is before the last key by then
		return nil
	case len(closed) == 0 && len(all) >= p.lister.heldMax:
		p.pending, v.open = all, true
	default:
		p.pending, v.held = closed, last
	}
	return p.advance(a)
}

// onLossyVersions processes an answer that ends in lossy keys, as Pager.onAnswer does.
func (p *Pager) onLossyVersions(a *answer, closed, all []Entry) error {
	p.pending = closed
	wasLossy := p.onlyLossy
	p.onlyLossy = len(closed) == 0
	switch {
	case p.onlyLossy && a.Truncated:
		return p.protocolError("all keys of a page have characters that the store cannot list", "")
	case p.onlyLossy && wasLossy:
		p.pending, p.complete = all, true
		return nil
	}
	p.restartListing()
	return nil
}

// withoutLastKey returns entries without the versions of their last key.
func withoutLastKey(entries []Entry) []Entry {
	n := len(entries)
	for n > 0 && entries[n-1].Key == entries[len(entries)-1].Key {
		n--
	}
	return entries[:n:n]
}

// nextVersionToken is nextToken for versions.
func (p *Pager) nextVersionToken(a *answer) (string, error) {
	next := nextVersion(a)
	switch {
	case next.Key == "":
		return "", p.protocolError("a truncated page has no version, and no NextKeyMarker", "")
	case next == Place{p.token, p.versions.token}:
		return "", p.protocolError("the store answered with the markers of the request", "")
	case next.Key < p.token:
		return "", p.protocolError(fmt.Sprintf("the marker goes backwards from %q to %q", p.token, next.Key), "")
	}
	p.versions.token = next.Version
	return next.Key, nil
}

// versionsLength is pageLength for versions: a Page ends between two keys, if it can.
func (p *Pager) versionsLength() int {
	if len(p.pending) <= pageKeysMax {
		return len(p.pending)
	}
	n := pageKeysMax
	if p.pending[n].Key != p.pending[n-1].Key {
		return n
	}
	if closed := len(withoutLastKey(p.pending[:n])); closed > 0 {
		return closed
	}
	return n
}

// dropVersions removes the versions of a key, at which the Range of p begins now. No other goroutine may use p yet.
func (p *Pager) dropVersions(key string) {
	if !p.lister.cfg.Versions {
		return
	}
	isDropped := func(e Entry) bool { return e.Key == key }
	p.pending = slices.DeleteFunc(p.pending, isDropped)
	p.versions.held = slices.DeleteFunc(p.versions.held, isDropped)
	if len(p.pending)+len(p.versions.held) == 0 && !p.complete {
		p.restartListing() // behind all versions of the key, however many there are
	}
}

// lastVersion returns the Place.Version of the end of a Page, whose last Entry is e: empty, unless more versions of the
// key may follow. p.mu is held.
func (p *Pager) lastVersion(e *Entry) string {
	if len(p.pending) == 0 && !p.versions.open || len(p.pending) > 0 && p.pending[0].Key != e.Key {
		return ""
	}
	return strings.Clone(e.VersionID())
}

// isBehindCursor reports whether an entry of a listing that begins at the cursor is new. The store may take the version
// there as inclusive.
func (p *Pager) isBehindCursor(e *Entry) bool {
	return e.Key > p.cursor || p.versions.cursor != "" && e.Key == p.cursor && e.VersionID() != p.versions.cursor
}

// checkVersions returns a ProtocolError for an answer in which a version comes twice, or that begins inside the key at
// the cursor and has the newest version of it: the store ignores version-id-marker. p.prevHashes are those of the
// answer.
func (p *Pager) checkVersions(entries []Entry) error {
	if p.versions.cursor != "" && len(entries) > 0 && p.token == "" {
		if e := &entries[0]; e.Key == p.cursor && e.Details.IsLatest && e.VersionID() != p.versions.cursor {
			return p.protocolError("the store ignores version-id-marker", "")
		}
	}
	hashes := slices.Clone(p.prevHashes)
	slices.Sort(hashes)
	if len(slices.Compact(hashes)) < len(p.prevHashes) {
		return p.protocolError("a page has a version twice", "")
	}
	return nil
}

// seekVersion finds the version behind which the Range begins, in the versions of its key: only a store that has the
// version can begin behind it. Its error is a VersionError, or that of a LIST.
func (p *Pager) seekVersion(ctx context.Context) error {
	if !p.versions.seek {
		return nil
	}
	e := Entry{Key: p.cursor, Details: &Details{VersionID: p.versions.cursor}}
	for req := (request{prefix: e.Key, keysMax: pageKeysMax}); ; {
		a, err := p.lister.list(ctx, req)
		if err != nil {
			return err
		}
		for i := range a.Entries {
			if found := &a.Entries[i]; found.Key == e.Key && found.VersionID() == e.VersionID() {
				p.versions.seek = false
				return nil
			}
		}
		if !a.Truncated || a.isBehind() || !p.lister.toNextPage(&req, a) {
			return &VersionError{Key: e.Key, Version: e.VersionID()}
		}
	}
}

// VersionError is a checkpoint that ends at a version which does not exist any more.
type VersionError struct{ Key, Version string }

func (e *VersionError) Error() string {
	return fmt.Sprintf("the version %s of the key %q, at which the checkpoint ends, was deleted", e.Version, e.Key)
}

// Hint implements the contract of package exit.
func (e *VersionError) Hint() string {
	return "remove the checkpoint, and scan the whole bucket without --resume"
}

// ExitCode implements the contract of package exit: the command line cannot be carried out.
func (e *VersionError) ExitCode() int { return exit.Usage }
