package scan

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// A page waits for a place, gets the one that is given back, and those that come when the limit grows.
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
			t.Fatalf("%d pages in flight of %d, full: %v", len(releases), limit, l.full())
		}
		acquire(nil)
		if len(releases) != limit {
			t.Fatal("a page is in flight above the limit")
		}
		(<-releases)()
		synctest.Wait()
		if len(releases) != limit || !l.full() {
			t.Errorf("%d pages after one was given back and one was waiting", len(releases))
		}
		// The Walk of the first keys has a reserve.
		acquire(func() (bool, <-chan struct{}) { return true, nil })
		if len(releases) != limit+1 {
			t.Error("the first keys wait for a place that later keys hold")
		}
		// A Walk that becomes the first one gets its place then.
		first, changed := false, make(chan struct{})
		acquire(func() (bool, <-chan struct{}) { return first, changed })
		if len(releases) != limit+1 {
			t.Error("later keys took a place of the reserve")
		}
		first = true
		close(changed)
		synctest.Wait()
		if len(releases) != limit+2 {
			t.Error("the first keys got no place of the reserve")
		}
		acquire(nil)
		l.grow(2, 0)
		synctest.Wait()
		if len(releases) != limit+3 {
			t.Errorf("%d pages after the limit grew", len(releases))
		}
	})
}

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
			t.Errorf("%v", err)
		}
	})
}
