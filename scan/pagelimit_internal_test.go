package scan

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
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
				release, err := l.acquire(t.Context(), isFirst)
				if err != nil {
					t.Error(err)
				}
				releases <- release
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
