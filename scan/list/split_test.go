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

// interleaved is a store that calls between before and after each answer.
type interleaved struct {
	http.Handler
	between func()
}

func (i *interleaved) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.between()
	i.Handler.ServeHTTP(w, r)
	i.between()
}

// randomLister lists a bucket with Pagers that take turns at random and are split at random, also while one of them
// waits for an answer.
type randomLister struct {
	ctx       context.Context
	random    *rand.Rand // not rapid, which must draw from one goroutine
	splitKeys []string   // the empty one stands for that of the Pager
	pagers    []*Pager
	busy      map[*Pager]bool // Pagers that wait for an answer
	ranges    []Range         // of all pages, and the rests after the last pages
	keys      []string
	splits    int
	err       error
}

// step lets one Pager list a page or be split.
func (l *randomLister) step() {
	p := l.pagers[l.random.IntN(len(l.pagers))]
	if l.random.IntN(3) == 0 {
		l.split(p)
	} else {
		l.next(p)
	}
}

func (l *randomLister) next(p *Pager) {
	if l.busy[p] || l.err != nil {
		return
	}
	l.busy[p] = true
	page, err := p.Next(l.ctx)
	switch {
	case err != nil:
		l.err = err
		return
	case page == nil:
		if rest, ok := p.Rest(); ok {
			l.ranges = append(l.ranges, rest)
		}
		l.pagers = slices.DeleteFunc(l.pagers, func(other *Pager) bool { return other == p })
		return
	}
	l.busy[p] = false
	l.ranges = append(l.ranges, page.Range)
	for _, e := range page.Entries {
		l.keys = append(l.keys, nameOf(&e))
	}
}

func (l *randomLister) split(p *Pager) {
	if l.err != nil {
		return
	}
	splitKey := l.splitKeys[l.random.IntN(len(l.splitKeys))]
	if splitKey == "" {
		splitKey = p.splitKey(nil)
	}
	if splitKey == "" || !p.contains(splitKey) {
		return
	}
	probe, err := p.listUpper(l.ctx, splitKey)
	if err == nil {
		i := slices.IndexFunc(l.pagers, func(p *Pager) bool { return p.contains(splitKey) })
		if i < 0 {
			return
		}
		if err = l.pagers[i].splitAt(probe); err == nil {
			l.splits++
			l.pagers = append(l.pagers, probe.pager)
		}
	}
	if err != nil && !errors.Is(err, errNotSplit) && !errors.Is(err, errUpperEmpty) {
		l.err = err
	}
}

// Whatever the keys, wherever and whenever Ranges are split: every key is handed out once, and the Ranges of the pages
// cover the whole Range without a gap.
func TestSplitHandsOutEveryKeyOnce(t *testing.T) {
	splits := 0
	key := rapid.StringOfN(rapid.SampledFrom([]rune("ab/+ &é日\U0001f600~")), 1, 5, -1)
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SliceOfNDistinct(key, 0, 80, rapid.ID).Draw(rt, "keys")
		numbered := rapid.SliceOfNDistinct(rapid.StringMatching("[ab]/[0-9]{3}"), 40, 120, rapid.ID)
		keys = append(keys, numbered.Draw(rt, "more")...)
		slices.Sort(keys)
		keys = slices.Compact(keys)
		twin := &naive{keys: keys, pageKeys: rapid.IntRange(1, 5).Draw(rt, "pageKeys")}
		store := &interleaved{Handler: twin, between: func() {}}
		prefix := rapid.SampledFrom([]string{"", "", "a", "a/"}).Draw(rt, "prefix")
		lister := serve(t, store, Config{Prefix: prefix, V1: rapid.Bool().Draw(rt, "v1")})
		whole := Range{
			After:   rapid.OneOf(rapid.Just(""), key).Draw(rt, "after"),
			Through: rapid.OneOf(rapid.Just(""), key).Draw(rt, "through"),
		}
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
		l := &randomLister{
			ctx: t.Context(), random: rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "random"), 0)),
			pagers: []*Pager{first}, busy: map[*Pager]bool{}, splitKeys: []string{"", "", ""},
		}
		for _, k := range rapid.SliceOfN(key, 1, 9).Draw(rt, "splitKeys") {
			l.splitKeys = append(l.splitKeys, k, prefix+k)
		}
		depth := 0
		store.between = func() {
			if depth < 4 && len(l.pagers) > 0 && l.random.IntN(2) == 0 {
				depth++
				l.step()
				depth--
			}
		}
		for len(l.pagers) > 0 && l.err == nil {
			l.step()
		}
		if l.err != nil {
			rt.Fatal(l.err)
		}
		splits += l.splits
		slices.Sort(l.keys)
		if !slices.Equal(l.keys, want) {
			rt.Fatalf("got %q, want %q", l.keys, want)
		}
		if err := checkCover(l.ranges, whole); err != nil {
			rt.Fatal(err)
		}
	})
	if splits == 0 { // with -short, 20 examples have 7 and more
		t.Error("no Range was split")
	}
}

// checkCover returns an error where the parts do not cover the whole without a gap.
func checkCover(parts []Range, whole Range) error {
	begins := map[Place]Range{}
	for _, part := range parts {
		if other, ok := begins[part.Start()]; ok {
			return fmt.Errorf("%v and %v begin at one place", part, other)
		}
		begins[part.Start()] = part
	}
	at := whole.Start()
	for i := range parts {
		part, ok := begins[at]
		if !ok || i > 0 && at.Key == "" {
			return fmt.Errorf("nothing begins at %v, in %v", at, parts)
		}
		at = part.End()
	}
	if at != whole.End() {
		return fmt.Errorf("the parts end at %v, the whole at %v", at, whole.End())
	}
	return nil
}
