package metrics

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"headcount/scan/head"
	"headcount/scan/store"
)

// A worker whose HEADs alternate between addresses counts each HEAD once, for its address.
func TestHeadsAreCountedByAddress(t *testing.T) {
	urls := []string{"http://h0", "http://h1"}
	st, err := store.Open(t.Context(), store.Config{Bucket: "b", Endpoints: urls, Isolated: true})
	if err != nil {
		t.Fatal(err)
	}
	address := func(n int) *store.Address {
		return st.Address(st.Endpoint(n), &net.TCPAddr{IP: net.IPv4(10, 0, 0, byte(n)), Port: 80})
	}
	collector, counts := NewCollector(), NewHeadCounts()
	for range 2 {
		for i, status := range []int{200, 200, 403, 0, 404, 0, 200} {
			latency := time.Duration(1+99*(i%2)) * time.Millisecond
			r := head.Result{Status: status, Address: address(i % 2), Latency: latency}
			if status == 0 {
				r.Err = errors.New("no answer")
			}
			if i == 5 {
				r.Address = nil // no connection
			}
			counts.Add(&r)
		}
		collector.AddHeads(&counts)
	}
	var got string
	for _, a := range collector.AddressStats() {
		got += fmt.Sprintf("%s %s %d %d %d %.0f %.0f; ",
			a.Endpoint, a.Address, a.Answered, a.ErrorAnswers, a.Unanswered, a.Latency.Mean, a.Latency.P99)
	}
	if want := "http://h0 10.0.0.0:80 8 2 0 1 1; http://h1 10.0.0.1:80 2 0 2 100 102; "; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
