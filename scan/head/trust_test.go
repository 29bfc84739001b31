package head_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"headcount/scan/head"
	"headcount/scan/list"
)

// scripted is a Session whose n-th answer has the headers of the n-th text: names and values.
type scripted struct {
	answers []string
	heads   int
}

func (s *scripted) Head(ctx context.Context, batch *head.Batch, onResult func(*head.Result)) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	batch.Claim(1)
	r := resultOf(s.answers[min(s.heads, len(s.answers)-1)])
	s.heads++
	onResult(r)
	return nil
}
func (s *scripted) Settle(context.Context) error { return nil }
func (s *scripted) Trust() head.Trust            { return head.Trust{} }
func (s *scripted) Close()                       {}

// resultOf returns a Result with these headers; "id" is metadata.
func resultOf(text string) *head.Result {
	r := &head.Result{Status: http.StatusOK}
	for field := range strings.FieldsSeq(text) {
		name, value, _ := strings.Cut(field, "=")
		h := head.Header{Name: []byte(name), Value: []byte(value)}
		if name == "id" {
			r.Metadata = append(r.Metadata, h)
		} else {
			r.Headers = append(r.Headers, h)
		}
	}
	return r
}

// An answer is foreign if the answers over new connections are like each other, and unlike it. An object whose headers
// differ from one answer to the next shows nothing.
func TestRecheck(t *testing.T) {
	const was = "id=1 etag=a last-modified=1 content-type=x"
	for name, c := range map[string]struct {
		again string // the answers over new connections; the last one repeats
		want  head.Verdict
		sent  int
	}{
		"the same":                     {was, head.Own, 1},
		"the same in another order":    {"content-type=x etag=a last-modified=1 id=1", head.Own, 1},
		"another request ID":           {was + " x-amz-request-id=R", head.Own, 1},
		"other metadata":               {"id=2 etag=a last-modified=1 content-type=x", head.Foreign, 2},
		"other headers":                {"id=1 etag=a last-modified=1 content-type=y", head.Foreign, 4},
		"a date by replica":            {"id=1 etag=a last-modified=2 content-type=x|" + was, head.Own, 2},
		"a date by request":            {"id=1 etag=a last-modified=2|id=1 etag=a last-modified=3", head.Own, 2},
		"metadata by request":          {"id=2|id=3|id=4|id=5|id=6|id=7", head.Undecided, 6},
		"other metadata, then its own": {"id=2 etag=a last-modified=1 content-type=x|" + was, head.Own, 2},
	} {
		t.Run(name, func(t *testing.T) {
			session := &scripted{answers: strings.Split(c.again, "|")}
			got, sent, err := head.Recheck(t.Context(), session, &list.Entry{Key: "k"}, resultOf(was))
			if got != c.want || sent != c.sent || err != nil {
				t.Errorf("verdict %v after %d HEADs, error %v; want %v after %d", got, sent, err, c.want, c.sent)
			}
		})
	}
}
