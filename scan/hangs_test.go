package scan_test

import (
	"bytes"
	"flag"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/scan"
)

// stormTimeout is the deadline of a request where requests hang. What the program's own of 30 s brought is kept with the
// other long runs.
var stormTimeout = flag.Duration("storms.timeout", time.Second, "wait so long for requests that hang")

// Of a hundred HEADs one hangs and one is answered byte by byte, and the last three hang. What that costs is one deadline,
// where there are workers for those that do not hang.
func TestHangs(t *testing.T) {
	const objects = 2_000
	without := calmly(t, objects)
	eachEngine(t, func(t *testing.T, by scan.Config) { testHangs(t, by, without) })
}

func testHangs(t *testing.T, by scan.Config, without calm) {
	var last hangOnce
	server, url := tapped(t, s3sim.Options{Objects: without.objects, Seed: hangSeed, Faults: []s3sim.Fault{
		{Kind: s3sim.FaultHang, Rate: 0.01}, {Kind: s3sim.FaultBytePerSecond, Rate: 0.01},
	}}, tap{heard: last.heard})
	for i := range int64(3) {
		key := server.Keyspace().Key(without.objects - 1 - i)
		last.add(append(append([]byte("HEAD /demo/"), key...), " HTTP/1.1\r\n"...))
	}
	by.Workers, by.Timeout = 256, max(*stormTimeout, 3*time.Second) // which is long beside relieveAfter
	began := time.Now()
	r := run(t.Context(), t, open(t, url), by)
	took := time.Since(began)
	r.sameAs(t, without)
	if len(last.requests) > 0 {
		t.Errorf("%d of the last three HEADs never hung", len(last.requests))
	}
	if played := server.Counts().Faults; played[s3sim.FaultHang] == 0 || played[s3sim.FaultBytePerSecond] == 0 {
		t.Errorf("faults played: %v", played)
	}
	t.Logf("%.1f s, and %.1f s where nothing hangs; %v", took.Seconds(), without.took.Seconds(), r.stats.Requests)
	// Where what waits behind a HEAD that hangs waits for it, three deadlines pass.
	if most := without.took + by.Timeout + min(10*time.Second, by.Timeout*3/2); took > most {
		t.Errorf("it took %v, want %v at most", took, most)
	}
}

const hangSeed = 2 // by which no HEAD is hit twice: that would cost two deadlines

// hangOnce lets each of some requests hang the first time it comes.
type hangOnce struct {
	mu       sync.Mutex
	requests [][]byte // that did not come yet, or their beginnings
}

func (h *hangOnce) add(request []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests = append(h.requests, request)
}

func (h *hangOnce) heard(c net.Conn, text []byte) error {
	if !h.takes(text) {
		return nil
	}
	_, err := io.Copy(io.Discard, c) // until the client goes
	if err == nil {
		err = io.EOF
	}
	return err
}

// takes says whether one of the requests is there, and forgets it.
func (h *hangOnce) takes(text []byte) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, request := range h.requests {
		if bytes.Contains(text, request) {
			h.requests = append(h.requests[:i], h.requests[i+1:]...)
			return true
		}
	}
	return false
}
