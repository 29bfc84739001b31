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

// The defaults keep an ordinary test run short. The results of 200 seeds are in bench/runs/2026-11-22-storms, where
// these flags have their former names, -storms.seeds and -storms.objects.
var (
	faultSeeds   = flag.Int("faults.seeds", 3, "test each fault with `N` seeds, which place the faults differently")
	faultObjects = flag.Int64("faults.objects", 2_000, "scan `N` objects with each seed but the first")
)

// seeds returns the number of seeds of this test run. With -short, which is for the race detector, it is 1.
func seeds() int {
	if testing.Short() {
		return 1
	}
	return *faultSeeds
}

// baseline is the result of a scan without faults.
type baseline struct {
	objects  int64
	lines    []string // sorted
	requests int64    // that were sent
}

// scanBaseline scans a sim without faults, and checks that it printed every object that has metadata.
func scanBaseline(t *testing.T, objects int64) baseline {
	t.Helper()
	server, url := simtest.Start(t, s3sim.Options{Objects: objects})
	r := run(t.Context(), t, open(t, url), scan.Config{Engine: engine.Direct})
	if r.err != nil {
		t.Fatal(r.err)
	}
	expectAllPrinted(t, server, r.lines)
	if r.stats.Heads != objects {
		t.Errorf("got %d HEADs, want %d", r.stats.Heads, objects)
	}
	slices.Sort(r.lines)
	return baseline{objects, r.lines, requestsSent(r.stats)}
}

// expectSameAs checks that a scan with faults printed the lines of the baseline, and that no object failed, was gone or
// changed.
func (r result) expectSameAs(t *testing.T, want baseline) {
	t.Helper()
	if r.err != nil {
		t.Fatal(r.err)
	}
	if slices.Sort(r.lines); !slices.Equal(r.lines, want.lines) {
		t.Errorf("got %d lines, want the %d lines of a run without faults", len(r.lines), len(want.lines))
	}
	if r.stats.Failed != 0 || r.stats.Gone != 0 || r.stats.Changed != 0 {
		t.Errorf("got %+v, want no failed, gone or changed object", r.stats.Outcomes)
	}
}

// requestsSent returns the number of HEADs and LISTs that were sent. A request whose connection was refused was not
// sent.
func requestsSent(s metrics.Stats) int64 {
	n := s.Heads - s.Requests["head"]["refused"]
	for status, lists := range s.Requests["list"] {
		if status != "refused" {
			n += lists
		}
	}
	return n
}

// checkLeaks records the goroutines, and on Linux the open file descriptors, of the process. The function that it
// returns fails the test if there are more of them by then. Only a test that runs alone may use it.
func checkLeaks(t *testing.T) (check func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0") // the first socket of a process opens the poller's descriptors too
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	goroutines, before := goleak.IgnoreCurrent(), openDescriptors(t)
	return func() {
		t.Helper()
		// goleak waits for one second, which is too short on a busy machine.
		err := goleak.Find(goroutines)
		for deadline := time.Now().Add(time.Minute); err != nil && time.Now().Before(deadline); {
			err = goleak.Find(goroutines)
		}
		if err != nil {
			t.Error(err)
		}
		if after := openDescriptors(t); after > before {
			t.Errorf("got %d file descriptors after the test, want at most %d as before", after, before)
		}
	}
}

// openDescriptors returns the number of open file descriptors of this process, or 0 on systems other than Linux.
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

// faultTotals adds up the costs of faults, by the fault's name, for the log of a long test run.
type faultTotals struct {
	mu   sync.Mutex
	rows map[string]*faultTotal
}

type faultTotal struct {
	runs         int
	faults       int64
	requestRatio float64       // the largest ratio of requests to those of a run without faults
	took         time.Duration // of the longest run
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

// log writes one line for each fault. It fails the test if the sim never injected a fault.
func (l *faultTotals) log(t *testing.T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var text string
	for _, name := range slices.Sorted(maps.Keys(l.rows)) {
		row := l.rows[name]
		if row.faults == 0 {
			t.Errorf("%s: got no fault, want at least 1", name)
		}
		text += fmt.Sprintf("%-32s %3d runs, %7d faults, requests at most %.3f x, %5.1f s at most\n",
			name, row.runs, row.faults, row.requestRatio, row.took.Seconds())
	}
	t.Log("\n" + text)
}
