package list

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestListerStopsRetrying(t *testing.T) {
	cases := map[string]struct {
		answer handler
		text   string
		sent   int // LISTs
	}{
		"a refusal":         {refuse(403, "AccessDenied", ""), "403 Forbidden: AccessDenied", 1},
		"no such bucket":    {refuse(404, "NoSuchBucket", ""), "NoSuchBucket", 1},
		"skew that remains": {refuse(403, "RequestTimeTooSkewed", ""), "RequestTimeTooSkewed", 3},
		"the region of the request": {
			refuse(400, "AuthorizationHeaderMalformed", "us-east-1"), "AuthorizationHeaderMalformed", 1,
		},
		"ever new regions": {func(w http.ResponseWriter, r *http.Request) {
			refuse(301, "PermanentRedirect", "region-"+strconv.FormatInt(time.Now().UnixNano(), 36))(w, r)
		}, "PermanentRedirect", 2},
		"two regions that name each other": {func(w http.ResponseWriter, r *http.Request) {
			other := "us-east-1"
			if strings.Contains(r.Header.Get("Authorization"), "/us-east-1/") || r.Header.Get("Authorization") == "" {
				other = "eu-west-1"
			}
			refuse(301, "PermanentRedirect", other)(w, r)
		}, "PermanentRedirect", 2},
		"a region that is none":         {refuse(400, "AuthorizationHeaderMalformed", "a b/"), "AuthorizationHeaderMalformed", 1},
		"denied, with another region":   {refuse(403, "AccessDenied", "eu-west-1"), "AccessDenied", 1},
		"a region that refuses as well": {refuse(400, "AuthorizationHeaderMalformed", "eu-west-1"), "Malformed", 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := &script{answers: []handler{c.answer}}
			_, err := walk(t.Context(), serve(t, s, Config{}).Pager(Range{}))
			var refused *StoreError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("%v", err)
			}
			if len(s.asked) != c.sent {
				t.Errorf("%d requests, want %d", len(s.asked), c.sent)
			}
		})
	}
}

// closeConn closes the connection without an answer.
func closeConn(w http.ResponseWriter, _ *http.Request) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		c.Close()
	}
}

// The end of a connection is not the end of the listing.
func TestPagerTellsClosedConnectionsFromTheEnd(t *testing.T) {
	for name, answers := range map[string][]handler{
		"at once":       {closeConn},
		"in the middle": {say(listXML([]string{"a"}, true, "t")), closeConn},
		"at the end":    {final, closeConn},
		"within a body": {cutShort(listXML([]string{"a"}, false, ""))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lister := serve(t, &script{answers: answers}, Config{RetryFor: 300 * time.Millisecond})
			_, err := walk(t.Context(), lister.Pager(Range{}))
			var sent *SendError
			if !errors.As(err, &sent) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A failure of one kind uses up no attempts of another kind.
func TestEachKindOfFailureHasItsOwnAttempts(t *testing.T) {
	busy := refuse(503, "SlowDown", "")
	s := &script{answers: []handler{
		busy, busy, busy, refuse(403, "RequestTimeTooSkewed", ""), say("<html></html>"), final, end,
	}}
	lister := serve(t, s, Config{})
	pager := lister.Pager(Range{})
	lister.health.OK(time.Now())
	if got, err := walk(t.Context(), pager); err != nil || len(got) != 2 {
		t.Errorf("%q, %v", got, err)
	}
}

// A store that fails for longer than RetryFor gets no further LIST.
func TestListerRetriesOnlyFor(t *testing.T) {
	s := &script{answers: []handler{refuse(503, "SlowDown", "")}}
	_, err := walk(t.Context(), serve(t, s, Config{RetryFor: time.Nanosecond}).Pager(Range{}))
	var refused *StoreError
	if !errors.As(err, &refused) || refused.Status != 503 || len(s.asked) != 1 {
		t.Errorf("%d requests: %v", len(s.asked), err)
	}
}
