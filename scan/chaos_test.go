package scan_test

import (
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/head/engine"
	"headcount/scan/metrics"
)

// How often a storm is played, each time with the faults elsewhere, and on how many objects from the second time on.
// These fit into an ordinary run; what 200 seeds brought is kept in bench/runs/2026-11-22-storms.
var (
	faultSeeds   = flag.Int("storms.seeds", 3, "play each storm by `N` seeds")
	faultObjects = flag.Int64("storms.objects", 2_000, "scan `N` objects in each storm but the first")
)

// seeds is how many there are in this run; the race detector, which -short is for, looks at one.
func seeds() int {
	if testing.Short() {
		return 1
	}
	return *faultSeeds
}

// calm is what a scan finds and costs where nothing goes wrong.
type baseline struct {
	objects  int64
	lines    []string // sorted
	requests int64
}

// calmly scans so many objects, and holds every line against what the sim computes of its key.
func scanBaseline(t *testing.T, objects int64) baseline {
	t.Helper()
	server, url := simtest.Start(t, s3sim.Options{Objects: objects})
	r := run(t.Context(), t, open(t, url), scan.Config{Engine: engine.Direct})
	if r.err != nil {
		t.Fatal(r.err)
	}
	expectAllPrinted(t, server, r.lines)
	if r.stats.Heads != objects {
		t.Errorf("%d HEADs for %d objects", r.stats.Heads, objects)
	}
	slices.Sort(r.lines)
	return baseline{objects, r.lines, requestsSent(r.stats)}
}

// sameAs holds what a scan found in a storm against what it finds without: every line, and no object without one.
func (r result) expectSameAs(t *testing.T, want baseline) {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	if slices.Sort(r.lines); !slices.Equal(r.lines, want.lines) {
		t.Errorf("%d lines, and they are not the %d of a run without faults", len(r.lines), len(want.lines))
	}
	if r.stats.Failed != 0 || r.stats.Gone != 0 || r.stats.Changed != 0 {
		t.Errorf("%+v", r.stats.Outcomes)
	}
}

// requests are those that were sent: where nobody listens, none is.
func requestsSent(s metrics.Stats) int64 {
	n := s.Heads - s.Requests["head"]["refused"]
	for status, lists := range s.Requests["list"] {
		if status != "refused" {
			n += lists
		}
	}
	return n
}

// leftBehind notes what there is, and returns a function that fails the test if there is more: goroutines, or on Linux
// descriptors. It is for a test that runs alone.
func checkLeaks(t *testing.T) (nothing func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // the first socket of a process opens the poller's descriptors too
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	goroutines, before := goleak.IgnoreCurrent(), openDescriptors(t)
	return func() {
		t.Helper()
		// goleak waits for a second, which is not enough on a busy machine.
		err := goleak.Find(goroutines)
		for deadline := time.Now().Add(time.Minute); err != nil && time.Now().Before(deadline); {
			err = goleak.Find(goroutines)
		}
		if err != nil {
			t.Error(err)
		}
		if after := openDescriptors(t); after > before {
			t.Errorf("%d descriptors, and there were %d before", after, before)
		}
	}
}

// descriptors is how many this process has open; 0 where that cannot be told.
func openDescriptors(t *testing.T) int {
	t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// tally collects what storms cost, by name, for the log of a long run.
type faultTotals struct {
	mu   sync.Mutex
	rows map[string]*faultTotal
}

type faultTotal struct {
	runs         int
	faults       int64
	requestRatio float64 // times those of a calm run, at most
	took         time.Duration
}

func (l *faultTotals) add(name string, faults int64, requestRatio float64, took time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rows == nil {
		l.rows = map[string]*faultTotal{}
	}
	row := l.rows[name]
	if row == nil {
		row = new(faultTotal)
		l.rows[name] = row
	}
	row.runs++
	row.faults += faults
	row.requestRatio, row.took = max(row.requestRatio, requestRatio), max(row.took, took)
}

// log fails the test, too, where there was no storm.
func (l *faultTotals) log(t *testing.T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var text string
	for _, name := range slices.Sorted(maps.Keys(l.rows)) {
		row := l.rows[name]
		if row.faults == 0 {
			t.Errorf("%s was never played", name)
		}
		text += fmt.Sprintf("%-32s %3d runs, %7d faults, requests at most %.3f x, %5.1f s at most\n",
			name, row.runs, row.faults, row.requestRatio, row.took.Seconds())
	}
	t.Log("\n" + text)
}
