package pace

import (
	"io"
	"strings"
	"testing"

	"headcount/scan/metrics"
)

func TestThresholds(t *testing.T) {
	for _, c := range []struct {
		run Run
		met bool
	}{
		{Run{Rate: 500, ObjectsPerSecond: 450, RefusedShare: 0.02}, true},
		{Run{Rate: 500, ObjectsPerSecond: 449, RefusedShare: 0.02}, false},
		{Run{Rate: 500, ObjectsPerSecond: 450, RefusedShare: 0.021}, false},
		{Run{Rate: 500, ObjectsPerSecond: 450, RefusedShare: 0.02, Lost: 1}, false},
	} {
		if missed, checked, err := (Runs{c.run}).Check(io.Discard); (missed == 0) != c.met || checked != 1 ||
			err != nil {
			t.Errorf("%+v: %d of %d missed, %v", c.run, missed, checked, err)
		}
	}
}

func TestRunIsOfTheStats(t *testing.T) {
	stats := metrics.Stats{DurationSeconds: 2, Requests: map[string]map[string]int64{
		"head": {"200": 95, "503": 3}, "list": {"200": 1, "503": 1},
	}}
	stats.Listed, stats.Emitted, stats.WithoutMetadata, stats.Failed = 100, 90, 5, 5
	r := newRun(50, 100, &stats)
	if r != (Run{Rate: 50, ObjectsPerSecond: 50, RefusedShare: 0.04, Lost: 5}) {
		t.Errorf("%+v", r)
	}
	var table strings.Builder
	if err := (Runs{r}).Write(&table); err != nil {
		t.Fatal(err)
	}
	want := "requests/s  objects/s   share     503   lost\n        50         50  100.0%   4.00%      5\n"
	if table.String() != want {
		t.Errorf("\n%s", table.String())
	}
}
