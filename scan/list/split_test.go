package list

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// interleaved is a store that lets others go on between a request and its answer.
type interleaved struct {
	http.Handler
	between func()
}

func (i *interleaved) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.between()
	i.Handler.ServeHTTP(w, r)
	i.between()
}

// walkers list a bucket by Pagers that take turns as chance has it, and are split as chance has it, also while one
// waits for an answer.
type walkers struct {
	ctx     context.Context
	chance  *rand.Rand // and not rapid, which draws from one goroutine only
	guesses []string   // to split at; the empty one is the Pager's own
	pagers  []*Pager
	busy    map[*Pager]bool // that fetch
	ranges  []Range         // of all pages, and of what was left at the ends
	keys    []string
	splits  int
	err     error
}

// step lets somebody do something; while others wait for their answers there are fewer who can.
func (w *walkers) step() {
	p := w.pagers[w.chance.IntN(len(w.pagers))]
	if w.chance.IntN(3) == 0 {
		w.split(p)
	} else {
		w.next(p)
	}
}

func (w *walkers) next(p *Pager) {
	if w.busy[p] || w.err != nil {
		return
	}
	w.busy[p] = true
	page, err := p.Next(w.ctx)
	switch {
	case err != nil:
		w.err = err
		return
	case page == nil:
		if rest, ok := p.Rest(); ok {
			w.ranges = append(w.ranges, rest)
		}
		w.pagers = slices.DeleteFunc(w.pagers, func(other *Pager) bool { return other == p })
		return
	}
	w.busy[p] = false
	w.ranges = append(w.ranges, page.Range)
	for _, e := range page.Entries {
		w.keys = append(w.keys, e.Key)
	}
}

func (w *walkers) split(p *Pager) {
	if w.err != nil {
		return
	}
	guess := w.guesses[w.chance.IntN(len(w.guesses))]
	if guess == "" {
		guess = p.splitKey(nil)
	}
	if guess == "" || !p.contains(guess) {
		return
	}
	at, err := p.probe(w.ctx, guess)
	if err == nil {
		i := slices.IndexFunc(w.pagers, func(p *Pager) bool { return p.contains(guess) })
		if i < 0 {
			return
		}
		if err = w.pagers[i].splitAt(at); err == nil {
			w.splits++
			w.pagers = append(w.pagers, at.pager)
		}
	}
	if err != nil && !errors.Is(err, errNotSplit) && !errors.Is(err, errUpperEmpty) {
		w.err = err
	}
}

// Any keys, any splits at any place and at any moment: every key comes once, and the pages' Ranges make up the whole
// without a gap.
func TestSplitHandsOutEveryKeyOnce(t *testing.T) {
	splits := 0
	key := rapid.StringOfN(rapid.SampledFrom([]rune("ab/+ &é日\U0001f600~")), 1, 5, -1)
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SliceOfNDistinct(key, 0, 80, rapid.ID).Draw(rt, "keys")
		keys = append(keys, rapid.SliceOfNDistinct(rapid.StringMatching("[ab]/[0-9]{3}"), 40, 120, rapid.ID).Draw(rt, "more")...)
		slices.Sort(keys)
		keys = slices.Compact(keys)
		twin := &naive{keys: keys, pageKeys: rapid.IntRange(1, 5).Draw(rt, "pageKeys")}
		store := &interleaved{Handler: twin, between: func() {}}
		prefix := rapid.SampledFrom([]string{"", "", "a", "a/"}).Draw(rt, "prefix")
		lister := serve(t, store, Config{Prefix: prefix, V1: rapid.Bool().Draw(rt, "v1")})
		whole := Range{After: rapid.OneOf(rapid.Just(""), key).Draw(rt, "after"), Through: rapid.OneOf(rapid.Just(""), key).Draw(rt, "through")}
		if whole.Through != "" && whole.Through <= whole.After {
			whole.Through = ""
		}
		var want []string
		for _, k := range keys {
			if strings.HasPrefix(k, prefix) && whole.Contains(k) {
				want = append(want, k)
			}
		}
		first := lister.Pager(whole)
		first.split.alphabet = new(alphabet)
		w := &walkers{
			ctx: t.Context(), chance: rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "chance"), 0)),
			pagers: []*Pager{first}, busy: map[*Pager]bool{}, guesses: []string{"", "", ""},
		}
		for _, k := range rapid.SliceOfN(key, 1, 9).Draw(rt, "guesses") {
			w.guesses = append(w.guesses, k, prefix+k)
		}
		depth := 0
		store.between = func() {
			if depth < 4 && len(w.pagers) > 0 && w.chance.IntN(2) == 0 {
				depth++
				w.step()
				depth--
			}
		}
		for len(w.pagers) > 0 && w.err == nil {
			w.step()
		}
		if w.err != nil {
			rt.Fatal(w.err)
		}
		splits += w.splits
		slices.Sort(w.keys)
		if !slices.Equal(w.keys, want) {
			rt.Fatalf("got %q, want %q", w.keys, want)
		}
		if err := tile(w.ranges, whole); err != nil {
			rt.Fatal(err)
		}
	})
	if splits < 10 {
		t.Errorf("%d splits in all: too few to show anything", splits)
	}
}

// tile says where the parts do not make up the whole.
func tile(parts []Range, whole Range) error {
	slices.SortFunc(parts, func(a, b Range) int { return strings.Compare(a.After, b.After) })
	at := whole.After
	for i, part := range parts {
		if part.After != at || i > 0 && parts[i-1].Through == "" {
			return fmt.Errorf("%v comes after %q", part, at)
		}
		at = part.Through
	}
	if at != whole.Through {
		return fmt.Errorf("the parts end at %q, and the whole at %q", at, whole.Through)
	}
	return nil
}
