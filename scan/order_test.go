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

// With Ordered the Records come in the order of keys, however many listers there are, whatever is slow, and after every
// resume.
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
	// Of 8 listers one waits until another one lists at the same time: otherwise the order would show nothing.
	var lists listPair
	server, url := startWithHandler(t, s3sim.Options{
		Objects: fewerIfShort(6_000), Shape: shape, ListLatency: 5 * time.Millisecond,
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
			t.Fatalf("%+v, %v", r.stats, r.err)
		}
		expectAllPrinted(t, server, r.lines)
		if !slices.IsSortedFunc(r.lines, func(a, b string) int { return strings.Compare(lineKey(t, a), lineKey(t, b)) }) {
			t.Error("the lines are not in order")
		}
	}
}

// pairOfLists lets the third LIST of a run wait until there is another one: the first two are the first contact and the
// first page, which are alone.
type listPair struct {
	mu     sync.Mutex
	count  int
	paired chan struct{}
}

func (l *listPair) arrive(t *testing.T, r *http.Request) {
	l.mu.Lock()
	if l.paired == nil {
		l.paired = make(chan struct{})
	}
	l.count++
	count, paired := l.count, l.paired
	if count == 4 {
		close(paired)
	}
	l.mu.Unlock()
	if count != 3 {
		return
	}
	select {
	case <-paired:
	case <-r.Context().Done():
	case <-time.After(time.Minute):
		t.Error("no two listers list at once: the order shows nothing")
	}
}
