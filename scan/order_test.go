package scan_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/head/engine"
)

// With Ordered the lines are in the order of keys, for any number of listers, despite faults, and in resumed runs.
func TestOrdered(t *testing.T) {
	t.Parallel()
	for _, listers := range []int{1, 8, scan.ListersAuto} {
		for _, shape := range []s3sim.Shape{s3sim.Skewed, s3sim.UUID} {
			if listers == 1 && shape == s3sim.UUID || testing.Short() && (listers != 8 || shape == s3sim.UUID) {
				continue
			}
			t.Run(fmt.Sprint(shape, " ", listers), func(t *testing.T) {
				t.Parallel()
				testOrdered(t, shape, listers)
			})
		}
	}
}

func testOrdered(t *testing.T, shape s3sim.Shape, listers int) {
	// The first split of 8 listers waits for a concurrent LIST: without concurrent listers the lines are always in order.
	var lists listPair
	objects := int64(6_000)
	if testing.Short() {
		objects /= 2
	}
	server, url := startWithHandler(t, s3sim.Options{
		Objects: objects, Shape: shape, ListLatency: 5 * time.Millisecond,
		Faults: []s3sim.Fault{{Kind: s3sim.Fault500, Rate: 0.002}},
	}, func(_ http.ResponseWriter, r *http.Request) bool {
		if listers == 8 && r.Method == http.MethodGet {
			lists.arrive(t, r)
		}
		return false
	})
	cfg := scan.Config{Engine: engine.Direct, Workers: 16, Listers: listers, Ordered: true}
	for _, r := range []result{
		run(t.Context(), t, open(t, url), cfg),
		runWithKills(t, open(t, url), cfg, nil, rand.New(rand.NewPCG(1, uint64(listers)))),
	} {
		if r.err != nil || !r.stats.Complete {
			t.Fatalf("got %+v, error %v; want a complete run", r.stats, r.err)
		}
		expectAllPrinted(t, server, r.lines)
		if !slices.IsSortedFunc(r.lines, func(a, b string) int { return strings.Compare(lineKey(t, a), lineKey(t, b)) }) {
			t.Error("got lines in another order than that of the keys")
		}
	}
}

// listPair blocks the first LIST of a split Range until another LIST arrives.
type listPair struct {
	mu     sync.Mutex
	paired chan struct{} // nil: no Range was split yet
	once   sync.Once
}

func (l *listPair) arrive(t *testing.T, r *http.Request) {
	l.mu.Lock()
	isFirst := l.paired == nil && r.URL.Query().Has("start-after")
	if isFirst {
		l.paired = make(chan struct{})
	}
	paired := l.paired
	l.mu.Unlock()
	switch {
	case paired == nil:
		return
	case !isFirst:
		l.once.Do(func() { close(paired) })
		return
	}
	select {
	case <-paired:
	case <-r.Context().Done():
	case <-time.After(time.Minute):
		t.Error("got no concurrent LISTs within a minute, want two")
	}
}
