package list

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"headcount/scan/fault"
	"headcount/scan/store"
)

// Ranges that are listed by several Pagers, or in several runs, have all keys of the bucket only if the store sorts
// them as bytes. In another order keys could lie between no two boundaries: SeaweedFS lists logs/a before logs-2025/a.
// So each Pager checks that its listing is one piece of the store's order, whatever that is:
//
//   - It begins after the key of start-after. A key before that one may only be the first key of the bucket, since some
//     stores ignore start-after.
//   - Its keys increase.
//   - It ends with the key at the end of the Range. If that key is not listed, it must not exist any more.
//
// Then the pieces follow each other without a gap, and all keys are in one of them. The ends of a Range that a user has
// chosen need not exist. They are believed.

// startError returns a ProtocolError for an answer with keys before start-after, from a store that does not ignore
// start-after.
func (p *Pager) startError(ctx context.Context, a *answer) error {
	entry := firstSure(a)
	if p.sequence != nil || p.token != "" || entry == nil || entry.Key >= p.cursor || isGroupOf(entry, p.cursor) {
		return nil
	}
	first := entry.Key
	if p.lister.firstKey.Load() == first {
		return nil
	}
	begin, err := p.lister.list(ctx, request{within: p.within, keysMax: 1})
	if err != nil {
		return err
	}
	if found := firstSure(begin); found != nil && found.Key != first { // no key: they were deleted meanwhile
		return p.orderError(fmt.Sprintf("%q was listed after %q", first, p.cursor))
	}
	p.lister.firstKey.Store(strings.Clone(first))
	return nil
}

// firstSure returns the first entry of a page whose key is not lossy; nil: there is none.
func firstSure(a *answer) *Entry {
	for i := range a.Entries {
		if e := &a.Entries[i]; !isLossy(e.Key, a.KeysDeclared) {
			return e
		}
	}
	return nil
}

// checkEnd returns a ProtocolError if the listing has passed the end of the Range without the key there, although the
// store has this key.
func (p *Pager) checkEnd(ctx context.Context) error {
	p.mu.Lock()
	end, unseen := p.rng.Through, p.complete && !p.endSeen && p.sequence == nil && p.rng.After < p.rng.Through
	p.endSeen = p.endSeen || p.complete
	p.mu.Unlock()
	rest, ok := strings.CutPrefix(end, p.prefix)
	if !unseen || !ok || end == p.prefixEnd || p.lister.groups(rest) {
		return nil
	}
	exists, err := p.lister.exists(ctx, end)
	if err != nil || !exists {
		return err
	}
	return p.orderError(fmt.Sprintf("%q is not where it belongs", end))
}

// exists reports whether the store has a key, whatever its order.
func (l *Lister) exists(ctx context.Context, key string) (bool, error) {
	listed, err := l.lookFor(ctx, request{prefix: key}, 1, false, func(e *Entry) bool { return e.Key == key })
	if errors.Is(err, ErrUndecided) { // a HEAD costs less than the pages in which the key may be
		return l.isFound(ctx, key)
	}
	return listed, err
}

// isFound asks for a key by a HEAD. Its error says that the store answered nothing about the key.
func (l *Lister) isFound(ctx context.Context, key string) (found bool, err error) {
	uncounted := func(string, bool) {}
	err = l.persist(ctx, 0, uncounted, func(try int) (err error) {
		found, err = l.sendHead(ctx, key, l.cfg.Store.Endpoint(try))
		return err
	})
	return found, err
}

// sendHead sends one HEAD once.
func (l *Lister) sendHead(ctx context.Context, key string, endpoint *store.Endpoint) (found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, l.cfg.Timeout)
	defer cancel()
	signedRegion := endpoint.Region
	_, err = endpoint.Client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: aws.String(l.cfg.Store.Bucket()), Key: aws.String(key), RequestPayer: l.cfg.Store.RequestPayer(),
	})
	var answer *smithyhttp.ResponseError
	switch {
	case err == nil:
		return true, nil
	case !errors.As(err, &answer) || answer.HTTPStatusCode() < http.StatusMultipleChoices: // or it has no end
		return false, fmt.Errorf("HEAD s3://%s/%s: %w", l.cfg.Store.Bucket(), key,
			l.cfg.Store.RedactError(fault.StripSDK(err)))
	case answer.HTTPStatusCode() == http.StatusNotFound:
		return false, nil
	}
	return false, l.explain(&StoreError{
		Op: "HEAD", Target: "s3://" + l.cfg.Store.Bucket() + "/" + key, Status: answer.HTTPStatusCode(),
		SignedRegion: signedRegion, RetryAfter: fault.RetryAfter(answer.Response.Header.Get("Retry-After")),
	}, endpoint)
}
