package answer

import (
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
)

var written = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// newClassifier returns a Classifier of a run with many objects.
func newClassifier() Classifier {
	return NewClassifier(NewDifferences(func() int64 { return 1_000 }, slog.New(slog.DiscardHandler)))
}

// listed returns the n-th object, as it is listed.
func listed(n int) *list.Entry {
	return &list.Entry{
		Key: fmt.Sprint(n), ETag: fmt.Sprint("listed", n), Size: 10, LastModified: written.Format(time.RFC3339),
	}
}

// answerFor returns the answer for an object over a new connection, with this ETag.
func (c *Classifier) answerFor(e *list.Entry, etag string) *head.Result {
	r := &head.Result{Status: http.StatusOK, NewConn: true, Headers: []head.Header{
		{Name: []byte("etag"), Value: []byte(etag)}, {Name: []byte("content-length"), Value: []byte("10")},
		{Name: []byte("last-modified"), Value: []byte(written.Format(http.TimeFormat))},
		{Name: []byte("x-amz-request-id"), Value: []byte("R")},
	}}
	r.Compare(e, c.known.Expected(), nil)
	return r
}

// Evidence that is taken back leaves nothing behind: the next answers for its objects count as if they were the first.
func TestEvidenceIsTakenBack(t *testing.T) {
	const objects = 5
	c := newClassifier()
	for range 3 {
		var x Evidence
		for i := range objects {
			e := listed(i)
			etag := fmt.Sprint("other", i)
			if i == 0 {
				etag = e.ETag
			}
			c.Classify(&x, e, c.answerFor(e, etag), Asked{Page: new(list.Page)})
		}
		if len(x.observed) != objects-1 || c.known.waiting != objects-1 || !x.marked {
			t.Fatalf("%d observed, %d waiting, marked %v", len(x.observed), c.known.waiting, x.marked)
		}
		c.TakeBack(&x)
		group := c.known.groups[0]
		if c.known.waiting != 0 || group.agreeing != [traits]int{} || group.contestedTraits() != 0 ||
			group.refuted&head.ETag != 0 || c.known.marked.Load() {
			t.Errorf("%d waiting, marked %v, %+v", c.known.waiting, c.known.marked.Load(), group)
		}
	}
}

// Evidence that is final counts. Until then a difference that it refutes is not expected.
func TestEvidenceOfFinalAnswersCounts(t *testing.T) {
	c := newClassifier()
	c.known.mu.Lock()
	c.known.learn(0, head.ETag)
	c.known.mu.Unlock()
	var x Evidence
	e := listed(0)
	r := c.answerFor(e, e.ETag)
	if class, _ := c.Classify(&x, e, r, Asked{Page: new(list.Page)}); class != Found {
		t.Fatalf("class %v", class)
	}
	if got := c.known.Expected().Of(e); got != 0 {
		t.Errorf("%v is expected, though an answer may refute it", got)
	}
	c.TakeBack(&x)
	if got := c.known.Expected().Of(e); got != head.ETag {
		t.Errorf("%v is expected after the answer was another object's", got)
	}
	x.Reset()
	c.Classify(&x, e, r, Asked{Page: new(list.Page)})
	c.Accept(&x)
	if got := c.known.Expected().Of(e); got != 0 || !c.known.marked.Load() {
		t.Errorf("%v is expected, marked %v", got, c.known.marked.Load())
	}
}

// An answer about another version is never the object's, however many objects have one and whatever else is equal.
func TestAnswersAboutOtherVersions(t *testing.T) {
	c := newClassifier()
	for i := range 200 {
		e := listed(i)
		e.Details = &list.Details{VersionID: "v1"}
		r := c.answerFor(e, e.ETag)
		r.Headers = append(r.Headers, head.Header{Name: []byte("x-amz-version-id"), Value: []byte("v2")})
		r.Compare(e, c.known.Expected(), nil)
		var x Evidence
		class, _ := c.Classify(&x, e, r, Asked{NewConn: true, Page: new(list.Page)})
		if _, err := WhyUnlike(e, r); class != Unlike || err != errOther {
			t.Fatalf("class %v, %v", class, err)
		}
		c.Accept(&x)
	}
}
