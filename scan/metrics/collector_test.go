package metrics

import (
	"errors"
	"maps"
	"net/http"
	"reflect"
	"testing"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/store"
)

type noCredentials struct{ error }

func (noCredentials) FaultClass() fault.Class { return fault.Credentials }

// countSome counts requests of every kind.
func countSome(c *Collector) {
	c.CountList("200", false)
	c.CountList("503", true)
	h := NewHeadCounts()
	h.Add(&head.Result{Status: http.StatusOK, Latency: 2 * time.Millisecond})
	h.Add(&head.Result{Status: http.StatusOK, Latency: 4 * time.Millisecond, Resent: 2})
	h.Add(&head.Result{Status: http.StatusNotFound, Latency: 8 * time.Millisecond})
	h.Add(&head.Result{Err: errors.New("connect: timeout")})
	h.Add(&head.Result{Err: noCredentials{}}) // no HEAD was sent
	h.FromListing += 5
	c.AddHeads(&h)
	c.AddHeads(&h) // it is empty by now
	c.CountHeadRetries(1, http.StatusForbidden, fault.Forbidden)
	c.CountHeadRetries(1, 0, fault.Reset)
	c.CountHeadRetries(1, 0, fault.Timeout)
}

// A Collector counts each request once, and another one continues from its Stats and latencies.
func TestCollectorCountsAndRestores(t *testing.T) {
	first := NewCollector()
	countSome(first)
	var got Stats
	first.Fill(&got)
	want := Stats{
		Heads: 6, FromListing: 5, HeadLatency: got.HeadLatency,
		Requests: map[string]map[string]int64{
			"list": {"200": 1, "503": 1}, "head": {"200": 2, "404": 1, "timeout": 1, "lost": 2},
		},
		Retries: map[string]map[string]int64{"list": {"503": 1}, "head": {"timeout": 1, "403": 1, "reset": 1}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
	if l := got.HeadLatency; l.P50 < 3.9 || l.P50 > 4.1 || l.Max < 7.9 || l.Max > 8.1 {
		t.Errorf("latencies of 2, 4 and 8 ms: %+v", l)
	}

	latencies, err := first.EncodeLatencies()
	if err != nil {
		t.Fatal(err)
	}
	second := NewCollector()
	if err := second.Restore(&got, latencies); err != nil {
		t.Fatal(err)
	}
	countSome(second)
	var both Stats
	second.Fill(&both)
	if both.Heads != 12 || both.FromListing != 10 || both.Requests["head"]["200"] != 4 ||
		both.Retries["list"]["503"] != 2 || both.HeadLatency != got.HeadLatency {
		t.Errorf("twice the same: %+v", both)
	}
	if got.Requests["head"]["200"] != 2 {
		t.Error("Stats change when more is counted")
	}
	if err := NewCollector().Restore(&got, []byte("no histogram")); err == nil {
		t.Error("latencies that are none are accepted")
	}
}

// Equal latencies in a row count as often as they come.
func TestEqualLatencies(t *testing.T) {
	h, address := NewHeadCounts(), new(store.Address)
	for _, latency := range []time.Duration{2, 2, 2, 4, 4, 8, 2, 0} {
		h.Add(&head.Result{Status: http.StatusOK, Latency: latency * time.Millisecond, Address: address})
	}
	c := NewCollector()
	c.AddHeads(&h)
	got := map[int64]int64{} // by microseconds
	for _, bar := range c.latency.Distribution() {
		if bar.Count > 0 {
			got[bar.From] = bar.Count
		}
	}
	if want := (map[int64]int64{1: 1, 2000: 4, 4000: 2, 8000: 1}); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
