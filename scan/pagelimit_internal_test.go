package scan

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"headcount/scan/list"
)

// At the limit, a page waits until another page is released or the limit grows. The Walk of the first keys has reserved
// pages beyond the limit.
func TestPageLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newPageLimit(func(int) int { return pageKeys })
		l.grow(1, 0)
		releases := make(chan func(), 100)
		acquire := func(isFirst func() (bool, <-chan struct{})) {
			go func() {
				places, err := l.acquire(t.Context(), isFirst)
				if err != nil {
					t.Error(err)
				}
				releases <- places.release
			}()
			synctest.Wait()
		}
		limit := maxPages(1, pageKeys, 0)
		for range limit {
			acquire(nil)
		}
		if len(releases) != limit || !l.full() {
			t.Fatalf("got %d pages in flight, full %v; want %d, true", len(releases), l.full(), limit)
		}
		acquire(nil)
		if len(releases) != limit {
			t.Fatalf("got %d pages in flight, want at most %d", len(releases), limit)
		}
		(<-releases)()
		synctest.Wait()
		if len(releases) != limit || !l.full() {
			t.Errorf("got %d pages after a release with one page waiting, want %d", len(releases), limit)
		}
		// The Walk of the first keys gets a reserved page.
		acquire(func() (bool, <-chan struct{}) { return true, nil })
		if len(releases) != limit+1 {
			t.Errorf("got %d pages, want %d: the first keys get a reserved page", len(releases), limit+1)
		}
		// A Walk that becomes the first one gets a reserved page at that time.
		first, changed := false, make(chan struct{})
		acquire(func() (bool, <-chan struct{}) { return first, changed })
		if len(releases) != limit+1 {
			t.Errorf("got %d pages, want %d: later keys get no reserved page", len(releases), limit+1)
		}
		first = true
		close(changed)
		synctest.Wait()
		if len(releases) != limit+2 {
			t.Errorf("got %d pages, want %d: the keys that are now the first get a reserved page", len(releases), limit+2)
		}
		acquire(nil)
		l.grow(2, 0)
		synctest.Wait()
		if len(releases) != limit+3 {
			t.Errorf("got %d pages after the limit grew, want %d", len(releases), limit+3)
		}
	})
}

// Large pages take several places, so that the bytes of the pages in flight are bounded. One page may always be listed.
func TestPageLimitCountsBytes(t *testing.T) {
	usual := &list.Page{Entries: make([]list.Entry, 1000)}
	for i := range usual.Entries {
		usual.Entries[i].Key = strings.Repeat("k", 100)
	}
	large := &list.Page{Entries: make([]list.Entry, 1000)}
	for i := range large.Entries {
		large.Entries[i].Key = strings.Repeat("k", 10_000)
	}
	if got := placesFor(usual); got != 1 {
		t.Errorf("a usual page takes %d places, want 1", got)
	}
	if got := placesFor(large); got != 10 {
		t.Errorf("a page of 10 MB takes %d places, want 10", got)
	}
	for _, size := range []int{1, 10, 1000} {
		l := newPageLimit(func(int) int { return pageKeys })
		l.grow(1, 0)
		var held []*places
		for {
			taken, _ := l.tryAcquire(false)
			if taken == nil {
				break
			}
			taken.resize(size)
			held = append(held, taken)
		}
		if want := max(1, l.limit/size); len(held) != want || !l.full() {
			t.Errorf("got %d pages of %d places in flight, full %v; want %d of %d places", len(held), size, l.full(), want, l.limit)
		}
		for _, p := range held {
			p.release()
		}
		if l.inFlight != 0 || l.full() {
			t.Errorf("%d places are taken after the last page of %d", l.inFlight, size)
		}
	}
}

// A page that waits for the limit stops waiting when its context ends.
func TestPageLimitEndsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stopped := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		l := newPageLimit(func(int) int { return pageKeys })
		ended := make(chan error)
		go func() {
			_, err := l.acquire(ctx, nil)
			ended <- err
		}()
		synctest.Wait()
		cancel(stopped)
		if err := <-ended; !errors.Is(err, stopped) {
			t.Errorf("got error %v, want %v", err, stopped)
		}
	})
}
