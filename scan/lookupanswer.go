package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/lookup"
)

// needs returns the further requests that an object needs by its Record, and what is known without them.
func (l *lookups) needs(r *Record) (known *Further, kinds []*lookupKind) {
	if r.head == nil || r.entry.Details != nil && r.entry.Details.DeleteMarker || !l.encoder.mayEmit(r) {
		return nil, nil
	}
	known = new(Further)
	for _, kind := range l.kinds {
		isNeeded := true
		switch kind.Kind {
		case lookup.Tags:
			known.Tags, isNeeded = tagsOfHead(r)
		case lookup.Annotations:
			// https://docs.aws.amazon.com/AmazonS3/latest/userguide/annotations-overview.html (SSE-C has none)
			if isNeeded = r.Header("x-amz-server-side-encryption-customer-algorithm") == nil; !isNeeded {
				known.Annotations = Map{}
			}
		}
		if isNeeded {
			kinds = append(kinds, kind)
		}
	}
	return known, kinds
}

// tagsOfHead returns the tags of an object as far as its HEAD says them, and whether it needs a request. AWS says the
// number of tags only where there are any and the caller has the right to read them. The right may depend on the
// prefix or on the tags themselves, and other stores never say the number. So an object without a number may have
// tags, whatever the answers for other objects are.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (TagCount)
func tagsOfHead(r *Record) (tags Map, isNeeded bool) {
	if value := r.Header("x-amz-tagging"); value != nil {
		if texts, err := lookup.ParseTags(value); err == nil {
			return mapOf(texts), false
		}
	}
	if n, said := r.HeaderInt("x-amz-tagging-count"); said && n == 0 {
		return Map{}, false
	}
	return nil, true
}

// add adds what an answer has.
func (t *lookupTask) add(a lookup.Answer) {
	texts := &t.further.Tags
	if t.kinds[0].Kind == lookup.Annotations {
		texts = &t.further.Annotations
	}
	*texts = append(*texts, a.Texts...)
	if t.token = a.Next; t.token != "" {
		return
	}
	*texts = mapOf(*texts)
	t.record.SetFurther(&t.further)
	t.kinds, t.attempts = t.kinds[1:], fault.Attempts{}
}

// mapOf returns texts as a Map that is not nil. Of a name that comes twice, which no store allows, the first counts.
func mapOf(texts []head.Header) Map {
	slices.SortStableFunc(texts, func(a, b head.Header) int { return bytes.Compare(a.Name, b.Name) })
	texts = slices.CompactFunc(texts, func(a, b head.Header) bool { return bytes.Equal(a.Name, b.Name) })
	if texts == nil {
		return Map{}
	}
	return texts
}

// decideFailure decides what happens next to an object whose request has failed. It reports whether the object waits.
func (l *lookups) decideFailure(ctx context.Context, t *lookupTask, sent time.Time, err error) (waits bool, _ error) {
	kind, failure := t.kinds[0], fault.FailureOf(err)
	e := l.newError(t, err)
	switch {
	case lookup.IsMissing(err):
		return false, l.lose(ctx, t, e)
	case lookup.IsUnsupported(err) && !kind.health.EverOK():
		l.count(kind, err, false)
		return false, &UnsupportedError{Kind: kind.Kind, Last: e}
	}
	if failure.SlowDown() {
		l.access.limiter.ObserveRefusal(sent, kind.retryAfters.ofStore(t.record.Key(), failure.RetryAfter))
	}
	switch {
	case failure.Transient():
		kind.health.Failed(e)
	case failure.Status != 0:
		l.access.limiter.ObserveAnswers(1)
	}
	next := l.policy.Next(&t.attempts, failure, kind.health)
	switch {
	case next.Action == fault.Renew && (lookup.IsDenied(err) || !l.access.store.RefreshCredentials(ctx)):
		next = l.policy.NotRenewed(&t.attempts, failure)
	case next.Action == fault.Verify:
		if err := l.canary.Check(ctx, kind.health, e); err != nil {
			return false, err
		}
		next = l.policy.Verified(&t.attempts, failure, fault.Verification{RequestsSucceed: l.succeeds(ctx, kind)})
	}
	l.count(kind, err, next.Action != fault.GiveUp)
	if next.Action != fault.GiveUp {
		l.access.log.Debug(e.Op+" is sent again", "key", t.record.Key(), "status", e.Status, "class", e.Class,
			"attempts", t.attempts.Sent)
		return true, l.retries.add(ctx, t, next.Delay)
	}
	t.failed, t.kinds = e, nil
	if failure.Transient() || kind.health.EverOK() {
		return false, nil
	}
	if n := kind.denied.Add(1); n >= refusedAtStartMax && l.start.isLarge() {
		return false, &RefusedError{Objects: int(n), Last: e}
	}
	return false, nil
}

// succeeds reports whether the store answers a request of a kind for an object for which it has answered one before.
func (l *lookups) succeeds(ctx context.Context, kind *lookupKind) bool {
	sample := kind.sample.Load()
	if sample == nil {
		return false
	}
	_, err := l.sender.Send(ctx, kind.Kind, sample, "")
	if err == nil {
		kind.health.OK(time.Now())
	}
	l.count(kind, err, false)
	return err == nil
}

// errFoundByHead is why an object fails that a further request twice does not find.
var errFoundByHead = errors.New("the store finds the object by a HEAD")

// lose makes an object that is not there any more get another HEAD; the second time it fails.
func (l *lookups) lose(ctx context.Context, t *lookupTask, e *ObjectError) error {
	l.access.limiter.ObserveAnswers(1)
	l.count(t.kinds[0], e.Err, false)
	t.kinds = nil
	if t.before.lostAgain {
		e.Class, e.Err = fault.ListedNotFound, errFoundByHead
		t.failed = e
		return nil
	}
	t.lost = true
	b := &batch{page: t.run.page, first: t.index, count: 1, attempts: t.before}
	b.attempts.lostAgain, b.attempts.newConn = true, true
	if entry := t.record.entry; entry.Key != t.run.page.heads[t.index].Key {
		b.named = []list.Entry{*entry}
	}
	l.access.metrics.CountHeadRetries(1, e.Status, e.Class)
	return l.heads.add(ctx, b, 0)
}

// newError returns what is known of the object and its failed request.
func (l *lookups) newError(t *lookupTask, err error) *ObjectError {
	kind, failure, entry := t.kinds[0], fault.FailureOf(err), t.run.page.heads[t.index]
	e := &ObjectError{
		Op: kind.Operation(), Target: "s3://" + l.access.store.Bucket() + "/" + entry.Key, Entry: entry,
		Status: failure.Status, Class: failure.Class, Attempts: t.attempts.Sent, Err: err,
	}
	var refused *lookup.Error
	if errors.As(err, &refused) {
		e.RequestID = refused.RequestID
	}
	if lookup.IsDenied(err) {
		e.Err = fmt.Errorf("%w; it needs %s", err, kind.Permission(lookup.NamesVersion(t.record.entry)))
	}
	return e
}

// count counts a request that has failed with err, and whether it is sent again; nil: it has succeeded.
func (l *lookups) count(kind *lookupKind, err error, again bool) {
	status := "200"
	if err != nil {
		failure := fault.FailureOf(err)
		if status = string(failure.Class); failure.Status != 0 && failure.Class != fault.WrongDocument {
			status = strconv.Itoa(failure.Status)
		}
	}
	l.access.metrics.CountLookup(kind.String(), status, again)
}

// UnsupportedError ends a run whose store does not know a further request.
type UnsupportedError struct {
	Kind lookup.Kind
	Last *ObjectError
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("the store does not support %s: %v", e.Kind, e.Last)
}

func (e *UnsupportedError) Unwrap() error { return e.Last }

// Hint implements the contract of package exit.
func (e *UnsupportedError) Hint() string {
	return "leave " + e.Kind.String() + " out of the command line: --" + e.Kind.String() + ", --fields, --filter"
}
