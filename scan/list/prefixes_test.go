package list

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestMergePrefixes(t *testing.T) {
	given := []string{"b/", "a/x", "a/", "b/", "a", "b", "c\xFF"}
	if got := MergePrefixes(given); !slices.Equal(got, []string{"a", "b", "c\xFF"}) || given[0] != "b/" {
		t.Errorf("%q", got)
	}
}

// A Range of a prefix ends before the next prefix, even where that follows at once. Then it ends behind every key.
func TestPrefixRanges(t *testing.T) {
	fill := strings.Repeat("\xFF", keyBytesMax-3)
	got := PrefixRanges([]string{"a/b", "a/c", "b\xFF", "d\uFFFD", "d\xFE", "\xFF"})
	want := []Range{
		{Through: "a/b" + fill}, {After: "a/b" + fill, Through: "a/d"}, {After: "a/d", Through: "c"},
		{After: "c", Through: "d\xEF\xBF\xBE"}, {After: "d\xEF\xBF\xBE", Through: "d\xFF"}, {After: "d\xFF"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// askedStore is a naive store that remembers what LISTs ask for.
type askedStore struct {
	naive
	t        *testing.T
	prefixes []string
}

func (s *askedStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	prefix, after := q.Get("prefix"), q.Get("start-after")
	within := slices.ContainsFunc(s.prefixes, func(p string) bool { return strings.HasPrefix(prefix, p) })
	if !within || after != "" && !strings.HasPrefix(after, prefix) {
		s.t.Errorf("a LIST of the prefix %q after %q", prefix, after)
	}
	s.naive.ServeHTTP(w, r)
}

// randomTexts returns texts of a few characters: neighbours, and beginnings of each other, are frequent.
func randomTexts(random *rand.Rand, n, length int, last string) []string {
	texts := make([]string, n)
	for i := range texts {
		for range 1 + random.IntN(length) {
			texts[i] += []string{"/", "0", "a", "b", last}[random.IntN(5)]
		}
	}
	return texts
}

// Whatever the prefixes are, and wherever a listing is split or resumed, each key with one of them is listed once, and
// no LIST asks for anything else.
func TestPrefixes(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 1))
		v1, last := seed%2 == 0, "\xFF"
		if !v1 {
			last = "~" // the tokens of a naive store are keys, in XML
		}
		keys := append(randomTexts(random, 200, 5, last), evenKeys(100)...)
		prefixes := MergePrefixes(append(randomTexts(random, 1+random.IntN(8), 3, last), "0", "1"))
		keys = append(keys, prefixes...)
		slices.Sort(keys)
		keys = slices.Compact(keys)
		var want []string
		for _, key := range keys {
			if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
				want = append(want, key)
			}
		}
		h := &askedStore{naive: naive{keys: keys, pageKeys: 1 + random.IntN(9)}, t: t, prefixes: prefixes}
		l := serve(t, h, Config{Prefixes: prefixes, V1: v1})
		got, err := listAll(t.Context(), l.Parallel(PrefixRanges(prefixes), 4, nil))
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("seed %d: %d keys, want %d with %q; %v", seed, len(got), len(want), prefixes, err)
		}
		got = nil
		for _, rng := range PrefixRanges(prefixes) {
			for more := true; more; { // a page, and then another run
				p := l.Pager(rng)
				page, err := p.Next(t.Context())
				if err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				if page != nil {
					for i := range page.Entries {
						got = append(got, page.Entries[i].Key)
					}
				}
				rng, more = p.Rest()
				more = more && page != nil
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("seed %d: %d keys in runs of one page, want %d with %q", seed, len(got), len(want), prefixes)
		}
	}
}

// A key of a prefix that is not found is looked for below its prefix.
func TestGoneBelowPrefixes(t *testing.T) {
	prefixes := []string{"a/b", "a/c"}
	h := &askedStore{naive: naive{keys: []string{"a/b", "a/b1", "a/b2", "a/c"}, pageKeys: 10}, t: t, prefixes: prefixes}
	l := serve(t, h, Config{Prefixes: prefixes})
	page, err := l.Pager(PrefixRanges(prefixes)[0]).Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	missing := []Missing{{&Entry{Key: "a/b1"}, page}, {&Entry{Key: "a/b11"}, page}, {&Entry{Key: "a/b2"}, page}}
	doubts, err := l.NewGoneChecker(new(Names), false).Check(t.Context(), missing)
	if err != nil || !slices.Equal(doubts, []error{ErrStillListed, nil, ErrStillListed}) {
		t.Errorf("%v, %v", doubts, err)
	}
	if err := l.Probe(t.Context()); err != nil {
		t.Error(err)
	}
}
