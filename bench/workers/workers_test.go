package workers

import (
	"io"
	"strings"
	"testing"
	"time"
)

// steady returns the samples of a Run with a constant rate from a time on, and no objects before.
func steady(perSecond int64, from, to time.Duration) []sample {
	samples := []sample{{}}
	for at := sampleEvery; at <= to; at += sampleEvery {
		n := samples[len(samples)-1].objects
		if at > from {
			n += perSecond * int64(sampleEvery) / int64(time.Second)
		}
		samples = append(samples, sample{at, n})
	}
	return samples
}

func TestThresholds(t *testing.T) {
	for _, c := range []struct {
		what    string
		samples []sample
		met     bool
		reached float64
	}{
		{"at once", steady(1000, 0, 10*time.Second), true, 0},
		{"nine tenths", steady(900, 0, 10*time.Second), true, 0},
		{"less", steady(880, 0, 10*time.Second), false, -1},
		{"in time", steady(1000, 4*time.Second, 10*time.Second), true, 3.9},
		// a second of which a tenth has it all
		{"too late", steady(10_000, 5300*time.Millisecond, 10*time.Second), true, 4.4},
		{"much too late", steady(1000, 7*time.Second, 10*time.Second), false, 6.9},
		{"never", nil, false, -1},
	} {
		m := Case{LatencySeconds: 0.005, BestFixed: []Run{{ObjectsPerSecond: 900}, {ObjectsPerSecond: 1100}},
			Auto: Run{samples: c.samples}}
		m.compare(10 * time.Second)
		if diff := m.ReachedAtSeconds - c.reached; m.Met() != c.met || diff < -0.06 || diff > 0.06 {
			t.Errorf("%s: met %v, kept %v, reached at %v", c.what, m.Met(), m.ShareOfBest, m.ReachedAtSeconds)
		}
	}
}

func TestTable(t *testing.T) {
	c := Case{
		LatencySeconds: 0.0005, Fixed: []Run{{Workers: 8, ObjectsPerSecond: 5000, LimitedBy: "store"}},
		BestFixed: []Run{{Workers: 8, ObjectsPerSecond: 5100, LimitedBy: "store"}},
		Auto:      Run{FinalWorkers: 9, ObjectsPerSecond: 4900, LimitedBy: "cpu"}, ShareOfBest: 0.96,
		ReachedAtSeconds: 1.25,
	}
	capped := Case{ConnectionsMax: 24, ShareOfBest: 0.81, ReachedAtSeconds: 1}
	if capped.Met() != true || capped.name() != "0s, 24 connections" {
		t.Errorf("%s: met %v", capped.name(), capped.Met())
	}
	var table strings.Builder
	if err := (Cases{c}).Write(&table); err != nil {
		t.Fatal(err)
	}
	want := " latency        workers  objects/s  limited by\n" +
		"   500µs              8       5000  store\n" +
		"   500µs        8 again       5100  store\n" +
		"   500µs        auto: 9       4900  cpu\n" +
		"   500µs  auto has 96% of the best fixed number's rate, 90% reached after 1.2 s: met\n"
	if table.String() != want {
		t.Errorf("\n%s", table.String())
	}
	if missed, checked, err := (Cases{c, {ShareOfBest: 0.8},
		{ShareOfBest: 1, ReachedAtSeconds: 6}}).Check(io.Discard); missed != 2 || checked != 3 || err != nil {
		t.Errorf("%d missed", missed)
	}
}
