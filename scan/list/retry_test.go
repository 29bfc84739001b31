package list

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestListerGivesUp(t *testing.T) {
	cases := map[string]struct {
		answer func(http.ResponseWriter, *http.Request)
		text   string
		asks   int
	}{
		"a refusal":             {refuse(403, "AccessDenied", ""), "403 Forbidden: AccessDenied", 1},
		"no such bucket":        {refuse(404, "NoSuchBucket", ""), "NoSuchBucket", 1},
		"skew that stays":       {refuse(403, "RequestTimeTooSkewed", ""), "RequestTimeTooSkewed", 3},
		"a region that is ours": {refuse(400, "AuthorizationHeaderMalformed", "us-east-1"), "AuthorizationHeaderMalformed", 1},
		"a region that moves on": {func(w http.ResponseWriter, r *http.Request) {
			refuse(301, "PermanentRedirect", "region-"+strconv.FormatInt(time.Now().UnixNano(), 36))(w, r)
		}, "PermanentRedirect", 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := &script{answers: []func(http.ResponseWriter, *http.Request){c.answer}}
			_, err := walk(t.Context(), serve(t, s, Config{}).Pager(Range{}))
			var refused *StoreError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), c.text) {
				t.Fatalf("%v", err)
			}
			if len(s.asked) != c.asks {
				t.Errorf("%d requests, want %d", len(s.asked), c.asks)
			}
		})
	}
}

// hangUp closes the connection before it answers.
func hangUp(w http.ResponseWriter, _ *http.Request) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		c.Close()
	}
}

// A connection that ends is not the end of the listing.
func TestAnEndOfAConnectionIsNoEndOfTheListing(t *testing.T) {
	for name, answers := range map[string][]func(http.ResponseWriter, *http.Request){
		"at once":       {hangUp},
		"in the middle": {say(listXML([]string{"a"}, true, "t")), hangUp},
		"at the end":    {final, hangUp},
		"within a body": {cutShort(listXML([]string{"a"}, false, ""))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := walk(t.Context(), serve(t, &script{answers: answers}, Config{RetryFor: 300 * time.Millisecond}).Pager(Range{}))
			var sent *SendError
			if !errors.As(err, &sent) {
				t.Errorf("%v", err)
			}
		})
	}
}

// Trouble of one kind leaves the tries of another.
func TestEachKindOfTroubleHasItsOwnTries(t *testing.T) {
	busy := refuse(503, "SlowDown", "")
	s := &script{answers: []func(http.ResponseWriter, *http.Request){
		busy, busy, busy, refuse(403, "RequestTimeTooSkewed", ""), say("<html></html>"), final, end,
	}}
	lister := serve(t, s, Config{})
	pager := lister.Pager(Range{})
	lister.health.OK(time.Now())
	if got, err := walk(t.Context(), pager); err != nil || len(got) != 2 {
		t.Errorf("%q, %v", got, err)
	}
}

func TestListerWaitsOnlySoLong(t *testing.T) {
	s := &script{answers: []func(http.ResponseWriter, *http.Request){refuse(503, "SlowDown", "")}}
	_, err := walk(t.Context(), serve(t, s, Config{RetryFor: 50 * time.Millisecond}).Pager(Range{}))
	var refused *StoreError
	if !errors.As(err, &refused) || refused.Status != 503 || len(s.asked) < 2 {
		t.Errorf("%d requests: %v", len(s.asked), err)
	}
}
