package list

import (
	"sync"
	"testing"
	"testing/synctest"
)

// A goroutine learns that the last Pager is done where it is done between the goroutine's look and its wait, and
// another goroutine polls. In the bubble of synctest, a wait without an end is a deadlock.
func TestWaitEndsByEarlierChange(t *testing.T) {
	lister := serve(t, &naive{}, Config{})
	synctest.Test(t, func(t *testing.T) {
		l := lister.Parallel([]Range{{}}, 8, func() bool { return false })
		last, err := l.NextPager(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		l.polling = true
		changed := l.nextChange()
		if pager, candidate, _, finished := l.nextAction(); pager != nil || candidate != nil || finished {
			t.Fatalf("got Pager %v, candidate %v, finished %v; want a wait", pager, candidate, finished)
		}
		l.Done(last)
		if err := l.waitForChange(t.Context(), changed); err != nil {
			t.Fatal(err)
		}
	})
}

// All goroutines that wait for a Pager learn that the last one is done.
func TestNextPagerEndsForAll(t *testing.T) {
	lister := serve(t, &naive{}, Config{})
	for range 1_000 {
		synctest.Test(t, func(t *testing.T) {
			l := lister.Parallel([]Range{{}}, 8, func() bool { return false })
			last, err := l.NextPager(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var waiting sync.WaitGroup
			for range 8 {
				waiting.Go(func() {
					if pager, err := l.NextPager(t.Context()); pager != nil || err != nil {
						t.Errorf("got Pager %v, error %v; want none", pager, err)
					}
				})
			}
			l.Done(last)
			waiting.Wait()
		})
	}
}
