package list

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
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
	first := firstSure(a)
	if p.sequence != nil || p.token != "" || first == "" || first >= p.cursor {
		return nil
	}
	if p.lister.firstKey.Load() == first {
		return nil
	}
	begin, err := p.lister.list(ctx, request{keysMax: 1})
	if err != nil {
		return err
	}
	if found := firstSure(begin); found != "" && found != first { // no key: they were deleted meanwhile
		return p.orderError(fmt.Sprintf("%q was listed after %q", first, p.cursor))
	}
	p.lister.firstKey.Store(strings.Clone(first))
	return nil
}

// firstSure returns the first key of a page that is not lossy.
func firstSure(a *answer) string {
	for i := range a.Entries {
		if key := a.Entries[i].Key; !isLossy(key, a.KeysDeclared) {
			return key
		}
	}
	return ""
}

// checkEnd returns a ProtocolError if the listing has passed the end of the Range without the key there, although the
// store has this key.
func (p *Pager) checkEnd(ctx context.Context) error {
	p.mu.Lock()
	end, unseen := p.rng.Through, p.complete && !p.endSeen && p.sequence == nil && p.rng.After < p.rng.Through
	p.endSeen = p.endSeen || p.complete
	p.mu.Unlock()
	if !unseen || !strings.HasPrefix(end, p.lister.cfg.Prefix) {
		return nil
	}
	exists, err := p.lister.exists(ctx, end)
	if err != nil || !exists {
		return err
	}
	return p.orderError(fmt.Sprintf("%q is not where it belongs", end))
}

// exists reports whether the store has a key. In the order of bytes the key is the first one that begins with itself.
// In another order thousands may come before it.
func (l *Lister) exists(ctx context.Context, key string) (bool, error) {
	a, err := l.list(ctx, request{prefix: key, keysMax: pageKeysMax})
	if err != nil {
		return false, err
	}
	isKey := func(e Entry) bool { return e.Key == key }
	if slices.ContainsFunc(a.Entries, isKey) || !a.Truncated {
		return slices.ContainsFunc(a.Entries, isKey), nil
	}
	if _, err := l.cfg.Limiter.Wait(ctx, 1); err != nil {
		return false, err
	}
	_, err = l.cfg.Store.Endpoint(int(l.turns.Add(1))).Client.HeadObject(ctx, &s3.HeadObjectInput{
		Bucket: aws.String(l.cfg.Store.Bucket()), Key: aws.String(key), RequestPayer: l.cfg.Store.RequestPayer(),
	})
	if ctx.Err() != nil {
		return false, context.Cause(ctx)
	}
	return err == nil, nil // a store that does not answer this has not shown that it has the key
}
