package list

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sync/errgroup"
)

// listAll lists with one goroutine for each Pager, and returns the keys in order.
func listAll(ctx context.Context, l *ParallelLister) ([]string, error) {
	var (
		mu   sync.Mutex
		keys []string
	)
	g, ctx := errgroup.WithContext(ctx)
	for range l.maxPagers {
		g.Go(func() error {
			for {
				p, err := l.NextPager(ctx)
				if p == nil {
					return err
				}
				got, err := walk(ctx, p)
				mu.Lock()
				keys = append(keys, got...)
				mu.Unlock()
				if err != nil {
					return err
				}
				l.Done(p)
			}
		})
	}
	err := g.Wait()
	slices.Sort(keys)
	return keys, err
}

// evenKeys returns keys that are spread evenly.
func evenKeys(n int) []string {
	random := rand.New(rand.NewPCG(1, 2))
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("%08x", random.Uint32())
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// probedStore is a naive store that answers probes in its own way: listings from a key that it does not have.
type probedStore struct {
	naive
	answer func(w http.ResponseWriter, r *http.Request) (answered bool)

	pages  atomic.Int64
	once   sync.Once
	probed chan struct{} // closed by the first probe
}

// pagesBeforeProbe is the number of pages that a probedStore lists before it waits for a probe. So a test does not
// depend on how fast pages are listed, and hangs where no probe is sent.
const pagesBeforeProbe = 5

func (s *probedStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if after := r.URL.Query().Get("start-after"); after != "" {
		if _, isKey := slices.BinarySearch(s.keys, after); !isKey {
			s.once.Do(func() { close(s.probed) })
			if s.answer(w, r) {
				return
			}
		}
	}
	if s.pages.Add(1) > pagesBeforeProbe {
		select {
		case <-s.probed:
		case <-r.Context().Done():
		}
	}
	s.naive.ServeHTTP(w, r)
}

func newProbedStore(answer func(http.ResponseWriter, *http.Request) bool) *probedStore {
	return &probedStore{naive: naive{keys: evenKeys(20_000), pageKeys: 500}, answer: answer, probed: make(chan struct{})}
}

// A store may refuse a probe. The Range is listed without it.
func TestParallelListerSurvivesRefusedProbes(t *testing.T) {
	for _, status := range []int{400, 403, 500, 501, 503} {
		store := newProbedStore(func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(status)
			return true
		})
		lister := serve(t, store, Config{RetryFor: time.Millisecond})
		got, err := listAll(t.Context(), lister.Parallel([]Range{{}}, 4, nil))
		if err != nil || !slices.Equal(got, store.keys) {
			t.Errorf("%d: %d of %d keys, %v", status, len(got), len(store.keys), err)
		}
	}
}

// A probe without an answer delays nothing: it is stopped when its Range is listed.
func TestParallelListerDoesNotWaitForProbes(t *testing.T) {
	store := newProbedStore(func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done() // until the client closes the connection
		return true
	})
	lister := serve(t, store, Config{Timeout: time.Hour}) // which would end a probe too
	got, err := listAll(t.Context(), lister.Parallel([]Range{{}}, 4, nil))
	if err != nil || !slices.Equal(got, store.keys) {
		t.Errorf("%d of %d keys, %v", len(got), len(store.keys), err)
	}
}

// A store that ignores start-after is listed by one Pager.
func TestParallelListerDetectsIgnoredStartAfter(t *testing.T) {
	var sent int
	store := newProbedStore(nil)
	store.answer = func(w http.ResponseWriter, r *http.Request) bool {
		sent++
		fmt.Fprint(w, listXML(store.keys[:500], true, store.keys[499]))
		return true
	}
	l := serve(t, store, Config{}).Parallel([]Range{{}}, 2, nil)
	got, err := listAll(t.Context(), l)
	if err != nil || !slices.Equal(got, store.keys) || l.MaxActive() != 1 || sent != 1 {
		t.Errorf("%d of %d keys by %d Pagers, %d probes, %v", len(got), len(store.keys), l.MaxActive(), sent, err)
	}
}

// Objects may be written after an upper bound while the Range is listed.
func TestPagerListsABucketThatGrows(t *testing.T) {
	store := &naive{pageKeys: 3}
	for i := range 20 {
		store.keys = append(store.keys, "logs/2026/11/22/"+string(rune('a'+i)))
	}
	l := serve(t, store, Config{}).Parallel([]Range{{After: "logs/2026/11/22/a"}}, 4, nil)
	p, err := l.NextPager(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
	at, err := p.listUpper(t.Context(), "logs/2026/11/22/z")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.splitAt(at); err != errUpperEmpty {
		t.Fatal(err)
	}
	store.keys = append(store.keys, "m", "n", "o", "p")
	seen := 3
	for {
		page, err := p.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if page == nil {
			break
		}
		seen += len(page.Entries)
		last := page.Entries[len(page.Entries)-1].Key
		if key := p.splitKey(nil); key != "" && key <= last || p.estimateRemaining() < 0 {
			t.Errorf("split key %q after %q, %v keys expected", key, last, p.estimateRemaining())
		}
	}
	if seen != 19+4 {
		t.Errorf("%d keys", seen)
	}
}

func TestIsFirstFollowsTheUncoveredKeys(t *testing.T) {
	store := &naive{keys: []string{"a", "b", "c", "d"}, pageKeys: 1}
	l := serve(t, store, Config{}).Parallel([]Range{{Through: "b"}, {After: "b"}}, 2, nil)
	var pagers []*Pager
	for range 2 {
		p, err := l.NextPager(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pagers = append(pagers, p)
	}
	lower, upper := pagers[0], pagers[1]
	check := func(when string, source PageSource, want bool) {
		t.Helper()
		if got, _ := l.IsFirst(source); got != want {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	next := func(p *Pager) {
		t.Helper()
		if _, err := p.Next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	check("the lower Range before its first Page", lower, true)
	check("the upper Range before its first Page", upper, false)
	next(upper)
	next(lower)
	check("the lower Range after its first Page", lower, true)
	check("the upper Range after the first Page of the lower one", upper, false)
	_, changed := l.IsFirst(upper)
	next(lower)
	check("the upper Range after the last Page of the lower one", upper, true)
	l.Done(lower)
	select {
	case <-changed:
	default:
		t.Error("Done of the lower Range does not close changed")
	}
}

// A second Pager starts after starvedPollsMin polls in a row that find keys needed.
func TestNextPagerWaitsUntilKeysAreNeeded(t *testing.T) {
	lister := serve(t, &naive{}, Config{})
	synctest.Test(t, func(t *testing.T) {
		needed, polls := []bool{false, true, false, true, true}, 0
		l := lister.Parallel([]Range{{Through: "k"}, {After: "k"}}, 2, func() bool {
			polls++
			return needed[polls-1]
		})
		began := time.Now()
		for i, want := range []time.Duration{0, time.Duration(len(needed)) * pollEvery} {
			pager, err := l.NextPager(t.Context())
			if err != nil || pager == nil {
				t.Fatal(pager, err)
			}
			if took := time.Since(began); took != want {
				t.Errorf("Pager %d starts after %v, want %v", i, took, want)
			}
		}
	})
}
