package list

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"pgregory.net/rapid"

	"headcount/scan/exit"
)

// sortedStore is a store that lists in an order of its own. Its tokens, and start-after, are places in that order.
type sortedStore struct {
	keys     []string
	compare  func(a, b string) int
	pageKeys int
}

func (s *sortedStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		if !slices.Contains(s.keys, strings.TrimPrefix(r.URL.Path, "/b/")) {
			w.WriteHeader(http.StatusNotFound)
		}
		return
	}
	q := r.URL.Query()
	after := strings.TrimPrefix(q.Get("continuation-token"), "token ")
	if after == "" {
		after = q.Get("start-after") + q.Get("marker")
	}
	var rest []string
	for _, key := range s.keys {
		if strings.HasPrefix(key, q.Get("prefix")) && (after == "" || s.compare(key, after) > 0) {
			rest = append(rest, key)
		}
	}
	slices.SortFunc(rest, s.compare)
	page := rest[:min(len(rest), s.pageKeys)]
	token := ""
	if len(rest) > len(page) && q.Get("list-type") == "2" {
		token = "token " + page[len(page)-1]
	}
	fmt.Fprint(w, listXML(page, len(rest) > len(page), token))
}

// storeOrders are orders in which stores list.
func storeOrders() map[string]func(a, b string) int {
	folders := func(key string) string { return strings.ReplaceAll(key, "/", "\x00") }
	units := func(key string) []uint16 { return utf16.Encode([]rune(key)) }
	hash := func(key string) string {
		h := fnv.New64a()
		_, _ = h.Write([]byte(key)) // a Hash never fails
		return string(h.Sum(nil)) + key
	}
	return map[string]func(a, b string) int{
		"bytes":      strings.Compare,
		"descending": func(a, b string) int { return strings.Compare(b, a) },
		"folders":    func(a, b string) int { return strings.Compare(folders(a), folders(b)) },
		"UTF-16":     func(a, b string) int { return slices.Compare(units(a), units(b)) },
		"letters":    func(a, b string) int { return strings.Compare(strings.ToLower(a)+a, strings.ToLower(b)+b) },
		"hashes":     func(a, b string) int { return strings.Compare(hash(a), hash(b)) },
	}
}

// drawStore draws a store of one of the orders.
func drawStore(t *rapid.T) (*sortedStore, string) {
	key := rapid.StringOfN(rapid.SampledFrom([]rune("aB/-.\uff01\U0001f600")), 1, 4, -1)
	orders := storeOrders()
	names := make([]string, 0, len(orders))
	for name := range orders {
		names = append(names, name)
	}
	slices.Sort(names)
	name := rapid.SampledFrom(names).Draw(t, "order")
	return &sortedStore{
		keys:    rapid.SliceOfNDistinct(key, 0, 12, rapid.ID).Draw(t, "keys"),
		compare: orders[name], pageKeys: rapid.IntRange(1, 4).Draw(t, "pageKeys"),
	}, name
}

// allKeys returns all keys of the Pages of a Pager.
func allKeys(ctx context.Context, p *Pager) (keys []string, err error) {
	for {
		page, err := p.Next(ctx)
		if page == nil {
			return keys, err
		}
		for _, e := range page.Entries {
			keys = append(keys, e.Key)
		}
	}
}

// With OrderAny a Pager lists every key once, in the order of the store. It can be resumed at the Range of every Page.
func TestAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		store, _ := drawStore(rt)
		lister := serve(t, store, Config{Order: OrderAny, V1: rapid.Bool().Draw(rt, "v1")})
		want := slices.SortedFunc(slices.Values(store.keys), store.compare)
		got, err := allKeys(context.Background(), lister.Pager(Range{}))
		if err != nil || !slices.Equal(got, want) {
			rt.Fatalf("got %q, %v; want %q", got, err, want)
		}
		pager, seen, through := lister.Pager(Range{}), 0, ""
		for {
			page, err := pager.Next(context.Background())
			if err != nil {
				rt.Fatal(err)
			}
			if page == nil {
				break
			}
			if page.Range.After != through || page.Unplaced {
				rt.Fatalf("a Page of %v, unplaced %v, follows the token %q", page.Range, page.Unplaced, through)
			}
			through = page.Range.Through
			rest, err := allKeys(context.Background(), lister.Pager(Range{After: page.Range.After}))
			if err != nil || !slices.Equal(rest, want[seen:]) {
				rt.Fatalf("resumed at %v: got %q, %v; want %q", page.Range, rest, err, want[seen:])
			}
			seen += len(page.Entries)
		}
	})
}

// A Pager of the whole bucket goes on in the order of the store, if it may.
func TestOrderChange(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		store, _ := drawStore(rt)
		lister := serve(t, store, Config{MayChangeOrder: true, V1: rapid.Bool().Draw(rt, "v1")})
		got, err := allKeys(context.Background(), lister.Pager(Range{}))
		slices.Sort(got)
		slices.Sort(store.keys)
		if err != nil || !slices.Equal(got, store.keys) {
			rt.Fatalf("got %q, %v; want %q", got, err, store.keys)
		}
	})
}

// The entries of a page stay as they are when some are not admitted: the page is read again if an error shows that the
// store has another order.
func TestAdmitKeepsPage(t *testing.T) {
	pager := serve(t, &sortedStore{}, Config{MayChangeOrder: true}).Pager(Range{})
	if _, err := pager.admit([]Entry{{Key: "a"}, {Key: "b"}}); err != nil {
		t.Fatal(err)
	}
	page := []Entry{{Key: "b"}, {Key: "d"}, {Key: "e"}, {Key: "c"}}
	before := slices.Clone(page)
	if _, err := pager.admit(page); err == nil || !slices.Equal(page, before) {
		t.Errorf("error %v, the page is now %v", err, page)
	}
}

// A bucket that is listed in Ranges between keys of the bucket is listed as a whole, or there is an error. That is so
// for the Ranges of several listers, and for those that a checkpoint has left.
func TestRangesAreTheWholeBucketInAnyOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		store, order := drawStore(rt)
		lister := serve(t, store, Config{})
		slices.Sort(store.keys)
		var bounds []string
		for _, key := range store.keys {
			if rapid.Bool().Draw(rt, "bound") {
				bounds = append(bounds, key)
			}
		}
		var got []string
		after := ""
		for _, through := range append(bounds, "") {
			keys, err := allKeys(context.Background(), lister.Pager(Range{After: after, Through: through}))
			if err != nil {
				var broken *ProtocolError
				if !errors.As(err, &broken) || broken.Hint() != orderHint || order == "bytes" {
					rt.Fatalf("%v", err)
				}
				return
			}
			got, after = append(got, keys...), through
		}
		slices.Sort(got)
		if !slices.Equal(got, store.keys) {
			rt.Fatalf("order %s, Ranges that end at %q: got %q, want %q or an error", order, bounds, got, store.keys)
		}
	})
}

// Several listers in a bucket in another order find every key, or end with an error.
func TestParallelListersInAnyOrder(t *testing.T) {
	var keys []string
	for i := range 9_000 {
		keys = append(keys, fmt.Sprintf("%c%s%05d", 'a'+i%5, []string{"/", "-", ".", ""}[i%4], i))
	}
	for name, compare := range storeOrders() {
		lister := serve(t, &sortedStore{keys, compare, 500}, Config{MayChangeOrder: true})
		seen := make(chan string, 2*len(keys))
		err := lister.Parallel([]Range{{}}, 4, nil).ForEach(t.Context(), func(_ context.Context, page *Page) error {
			for _, e := range page.Entries {
				seen <- e.Key
			}
			return nil
		})
		close(seen)
		distinct := map[string]bool{}
		n := 0
		for key := range seen {
			n++
			distinct[key] = true
		}
		if err == nil && (n != len(keys) || len(distinct) != n) {
			t.Errorf("%s: %d keys, %d distinct, want %d or an error", name, n, len(distinct), len(keys))
		}
	}
}

// In any order a key that an earlier page had is dropped. What could be a listing without an end is an error.
func TestAnyOrderRefuses(t *testing.T) {
	page := func(token string, keys ...string) handler { return say(listXML(keys, token != "", token)) }
	for name, c := range map[string]struct {
		answers []handler
		want    []string
		what    string // of the ProtocolError; empty: there is none
	}{
		"a key on two pages":  {[]handler{page("t", "b", "a"), page("", "a", "c")}, []string{"b", "a", "c"}, ""},
		"a key twice":         {[]handler{page("", "b", "a", "b")}, nil, "twice"},
		"a token twice":       {[]handler{page("t", "b"), page("u", "a"), page("t", "c")}, []string{"b", "a"}, "second time"},
		"the token again":     {[]handler{page("t", "b"), page("t", "a")}, []string{"b"}, "second time"},
		"no token":            {[]handler{say(listXML([]string{"b"}, true, ""))}, nil, "no continuation token"},
		"another prefix":      {[]handler{page("", "b", "x/a")}, nil, "prefix"},
		"the end of all keys": {[]handler{page("t", "b"), page("")}, []string{"b"}, ""},
	} {
		prefix := ""
		if name == "another prefix" {
			prefix = "b"
		}
		lister := serve(t, &script{answers: c.answers}, Config{Order: OrderAny, Prefix: prefix})
		got, err := allKeys(t.Context(), lister.Pager(Range{}))
		var broken *ProtocolError
		if !slices.Equal(got, c.want) || errors.As(err, &broken) != (c.what != "") ||
			broken != nil && !strings.Contains(broken.What, c.what) {
			t.Errorf("%s: got %q, %v; want %q, %q", name, got, err, c.want, c.what)
		}
	}
}

// A store that has forgotten the token of a checkpoint ends the run as a wrong command line does.
func TestResumeWithForgottenToken(t *testing.T) {
	lister := serve(t, &script{answers: []handler{refuse(400, "InvalidArgument", "")}}, Config{Order: OrderAny})
	_, err := lister.Pager(Range{After: "old token"}).Next(t.Context())
	var forgotten *TokenError
	if !errors.As(err, &forgotten) || exit.Code(err) != exit.Usage || exit.Hint(err) == "" {
		t.Errorf("got %v, want a TokenError with a hint and exit code 2", err)
	}
	_, err = lister.Pager(Range{}).Next(t.Context())
	if errors.As(err, &forgotten) {
		t.Errorf("got %v for a listing without a token", err)
	}
}
