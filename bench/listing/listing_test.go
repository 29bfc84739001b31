package listing

import (
	"io"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Keys of every shape are shared out among listers: every key is listed once, several listers list at once, and the
// LISTs for that are bounded. The numbers leave room for a busy machine: the listers then get less, and split more
// often.
func TestEveryShapeIsSharedOut(t *testing.T) {
	for _, shape := range Shapes() {
		t.Run(string(shape), func(t *testing.T) {
			t.Parallel()
			const objects, listers = 100_000, 8
			_, url := simtest.Start(t, s3sim.Options{Objects: objects, Shape: shape, ListLatency: 5 * time.Millisecond})
			s, err := store.Open(t.Context(),
				store.Config{Bucket: "demo", Endpoints: []string{url}, Isolated: true, Connections: listers})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			all, err := listAll(t.Context(), s, listers)
			if err != nil {
				t.Fatal(err)
			}
			r := Run{Objects: objects, Listers: listers, Lists: all.lists}
			activeMin := 1
			// the others have too few keys to be sure
			if shape == s3sim.Flat || shape == s3sim.Hashed || shape == s3sim.UUID {
				activeMin = 2
			}
			extraMax := 2 * (extraListsPerLister*listers + extraListsPerPage*float64(r.pages()))
			if all.keys != objects || all.maxActive < activeMin || float64(r.ExtraLists()) > extraMax {
				t.Errorf("%d keys of %d, by %d listers, with %d LISTs beyond the pages", all.keys, objects,
					all.maxActive, r.ExtraLists())
			}
		})
	}
}

func TestThresholds(t *testing.T) {
	good := Run{Shape: s3sim.Flat, Objects: 1_000_000, Listers: 64, MaxActive: 64, KeysPerSecondAlone: 10_000,
		KeysPerSecond: 450_000, Lists: 1_000 + 4*64 + 50}
	for _, c := range []struct {
		change func(*Run)
		missed int
	}{
		{func(*Run) {}, 0},
		{func(r *Run) { r.KeysPerSecond-- }, 1},
		{func(r *Run) { r.Lists++ }, 1},
		{func(r *Run) { r.Lost = 1 }, 1},
	} {
		r := good
		c.change(&r)
		if missed, checked, err := (Runs{r}).Check(io.Discard); missed != c.missed || checked != 1 || err != nil {
			t.Errorf("%+v: %d of %d missed, want %d, %v", r, missed, checked, c.missed, err)
		}
	}
	var table strings.Builder
	if err := (Runs{good}).Write(&table); err != nil {
		t.Fatal(err)
	}
	want := "shape        objects  listers   active     keys/s      alone  speed-up   extra   lost\n" +
		"flat         1000000       64       64     450000      10000     45.0x     306      0\n"
	if table.String() != want {
		t.Errorf("\n%s", table.String())
	}
}
