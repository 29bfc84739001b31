package store

import (
	"net/http"
	"testing"
	"time"
)

// refuseClock passes a refusal to the Store whose Date is ahead of the local clock. The request was signed for a time
// that was signedAhead.
func refuseClock(s *Store, ahead, signedAhead time.Duration) {
	now := time.Now().UTC()
	s.ObserveClockRefusal(&http.Response{
		Header: http.Header{"Date": {now.Add(ahead).Format(http.TimeFormat)}},
		Request: &http.Request{Header: http.Header{
			"X-Amz-Date": {now.Add(signedAhead).Format(amzDateFormat)},
		}},
	})
}

// The Skew follows the Date of a refusal, unless the request was signed for that Date already. The generation changes
// only if the Skew does.
func TestSkew(t *testing.T) {
	s, err := configured(t, Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		ahead, signed time.Duration
		want          time.Duration
		changes       bool
	}{
		{0, 0, 0, false},
		{59 * time.Second, 0, 0, false},
		{time.Hour, 0, time.Hour, true},
		{time.Hour, 0, time.Hour, false},                  // sent before the first refusal was read
		{time.Hour + 30*time.Second, 0, time.Hour, false}, // the response may have taken so long
		{time.Hour, time.Hour, 0, true},                   // the Date did not help
		{-5 * time.Hour, 0, -5 * time.Hour, true},         //
		{time.Hour, time.Hour, -5 * time.Hour, false},     // about an older Skew
		{10 * time.Second, -5 * time.Hour, 0, true},       // the store's clock was set
		{-26 * time.Hour, 0, -26 * time.Hour, true},       //
		{-26 * time.Hour, -26 * time.Hour, 0, true},       //
	} {
		before := s.Generation()
		refuseClock(s, step.ahead, step.signed)
		// The Date has whole seconds, and one may pass meanwhile.
		if off := (s.Skew() - step.want).Abs(); off > 2*time.Second || step.want == 0 && off != 0 {
			t.Errorf("step %d: %v, want %v", i, s.Skew(), step.want)
		}
		if changes := s.Generation() != before; changes != step.changes {
			t.Errorf("step %d: the generation changes: %v", i, changes)
		}
	}
}

// A Date that is invalid, or that comes from a cache, moves no clock.
func TestSkewIgnoresDates(t *testing.T) {
	s, err := configured(t, Config{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	hourAgo := time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)
	for _, header := range []http.Header{
		nil, {"Date": {""}}, {"Date": {"yesterday"}}, {"Date": {"Sun, 99 Nov 2026 11:03:50 GMT"}},
		{"Date": {hourAgo}, "Age": {"3600"}},
	} {
		s.ObserveClockRefusal(&http.Response{Header: header})
		if s.Skew() != 0 || s.Generation() != 0 {
			t.Errorf("%v: skew %v", header, s.Skew())
		}
	}
}
