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

// What a worker has collected from several addresses by turns is counted for each, and once.
func TestStretchesAreCountedByAddress(t *testing.T) {
	st, err := store.Open(t.Context(), store.Config{Bucket: "b", Endpoints: []string{"http://h0", "http://h1"}, Isolated: true})
	if err != nil {
		t.Fatal(err)
	}
	at := func(n int) *store.Address {
		return st.Address(st.Endpoint(n), &net.TCPAddr{IP: net.IPv4(10, 0, 0, byte(n)), Port: 80})
	}
	meter, counts := NewCollector(), NewHeadCounts()
	for range 2 {
		for i, status := range []int{200, 200, 403, 0, 404, 0, 200} {
			r := head.Result{Status: status, Address: at(i % 2), Latency: time.Duration(1+99*(i%2)) * time.Millisecond}
			if status == 0 {
				r.Err = errors.New("no answer")
			}
			if i == 5 {
				r.Address = nil // it was sent nowhere
			}
			counts.Add(&r)
		}
		meter.AddHeads(&counts)
	}
	var got string
	for _, a := range meter.AddressStats() {
		got += fmt.Sprintf("%s %s %d %d %d %.0f %.0f; ", a.Endpoint, a.Address, a.Answered, a.ErrorAnswers, a.Unanswered, a.Latency.Mean, a.Latency.P99)
	}
	if want := "http://h0 10.0.0.0:80 8 2 0 1 1; http://h1 10.0.0.1:80 2 0 2 100 102; "; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}
