package s3sim

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// newQuirkServer returns a Server with a quirk, and a function that lists its bucket.
func newQuirkServer(t *testing.T, o Options) (s *Server, ask func(pairs ...string) listResult) {
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s, func(pairs ...string) listResult {
		query := url.Values{"list-type": {"2"}}
		for i := 0; i < len(pairs); i += 2 {
			query.Set(pairs[i], pairs[i+1])
		}
		return listInProcess(t, s, query)
	}
}

// summary describes a page: its first and last key, the number of keys, and whether it is truncated.
func (r listResult) summary() string {
	end := "end"
	if r.IsTruncated {
		end = "more"
		if r.NextContinuationToken == "" {
			end = "more, no token"
		}
	}
	if len(r.Contents) == 0 {
		return "0 " + end
	}
	number := func(key string) string {
		return strings.TrimLeft(strings.TrimPrefix(key, "obj-"), "0")
	}
	first, last := r.Contents[0].Key, r.Contents[len(r.Contents)-1].Key
	return fmt.Sprintf("%s-%s %d %s", number(first), number(last), len(r.Contents), end)
}

// TestQuirks lists 5,000 flat keys by tokens, from the first key and from key 99. The empty quirk shows the right
// pages.
func TestQuirks(t *testing.T) {
	for _, test := range []struct {
		quirk            Quirk
		first, second    string // pages from the beginning
		after, afterNext string // pages that begin with start-after
	}{
		{"", "-999 1000 more", "1000-1999 1000 more", "100-1099 1000 more", "1100-2099 1000 more"},
		{TruncatedNoToken, "-999 1000 more, no token", "", "100-1099 1000 more, no token", ""},
		{SameToken, "-999 1000 more", "1000-1999 1000 more", "100-1099 1000 more", "1100-2099 1000 more"},
		{EmptyTruncated, "-999 1000 more", "0 more", "100-1099 1000 more", "0 more"},
		{StartAfterInclusive, "-999 1000 more", "1000-1999 1000 more", "99-1098 1000 more", "1099-2098 1000 more"},
		{StartAfterIgnored, "-999 1000 more", "1000-1999 1000 more", "-999 1000 more", "1000-1999 1000 more"},
		{EndsEarly, "-999 1000 more", "1000-1999 1000 more", "100-966 867 end", ""},
		{EncodingNotEchoed, "-999 1000 more", "1000-1999 1000 more", "100-1099 1000 more", "1100-2099 1000 more"},
		{EncodingEchoed, "-999 1000 more", "1000-1999 1000 more", "100-1099 1000 more", "1100-2099 1000 more"},
		{EncodedUnasked, "-999 1000 more", "1000-1999 1000 more", "100-1099 1000 more", "1100-2099 1000 more"},
		{Unsorted, "999- 1000 more", "1999-1000 1000 more", "1099-100 1000 more", "2099-1100 1000 more"},
		{FolderOrder, "-999 1000 more", "1000-1999 1000 more", "100-1099 1000 more", "1100-2099 1000 more"},
		{UTF16Order, "-999 1000 more", "1000-1999 1000 more", "100-1099 1000 more", "1100-2099 1000 more"},
		{KeysRepeated, "-999 1000 more", "997-1999 1003 more", "100-1099 1000 more", "1097-2099 1003 more"},
		{MaxKeysIgnored, "-2499 2500 more", "2500-4999 2500 end", "100-2599 2500 more", "2600-4999 2400 end"},
		{TokensVoid, "-999 1000 more", "1000-1999 1000 more", "100-1099 1000 more", "1100-2099 1000 more"},
	} {
		_, ask := newQuirkServer(t, Options{Objects: 5000, Quirk: test.quirk})
		for _, listing := range []struct{ startAfter, first, second string }{
			{"", test.first, test.second}, {"obj-000000000099", test.after, test.afterNext},
		} {
			page := ask("start-after", listing.startAfter)
			if page.summary() != listing.first {
				t.Errorf("%s: after %q: %s, want %s", test.quirk, listing.startAfter, page.summary(), listing.first)
			}
			if listing.second == "" {
				continue
			}
			next := ask("start-after", listing.startAfter, "continuation-token", page.NextContinuationToken)
			if next.summary() != listing.second {
				t.Errorf("%s: after %q, by token: %s, want %s",
					test.quirk, listing.startAfter, next.summary(), listing.second)
			}
		}
	}
}

func TestQuirkSameTokenNeverEnds(t *testing.T) {
	_, ask := newQuirkServer(t, Options{Objects: 100, Quirk: SameToken})
	first := ask("max-keys", "10")
	second := ask("max-keys", "10", "continuation-token", first.NextContinuationToken)
	if second.NextContinuationToken != first.NextContinuationToken || !second.IsTruncated {
		t.Error("the token changes")
	}
}

func TestQuirkEmptyTruncatedNeverEnds(t *testing.T) {
	_, ask := newQuirkServer(t, Options{Objects: 100, Quirk: EmptyTruncated})
	page := ask("max-keys", "10")
	seen := map[string]bool{}
	for range 50 {
		page = ask("max-keys", "10", "continuation-token", page.NextContinuationToken)
		if len(page.Contents) != 0 || !page.IsTruncated || seen[page.NextContinuationToken] {
			t.Fatalf("%s, token seen: %v", page.summary(), seen[page.NextContinuationToken])
		}
		seen[page.NextContinuationToken] = true
	}
}

// TestQuirkEndsEarly finds listings that end on their first page and listings that end on their second.
func TestQuirkEndsEarly(t *testing.T) {
	s, ask := newQuirkServer(t, Options{Objects: 100, Quirk: EndsEarly})
	ends := map[int]int{}
	for _, begin := range allKeys(s)[:20] {
		page := ask("max-keys", "10", "start-after", begin)
		pages := 1
		for ; page.IsTruncated; pages++ {
			page = ask("max-keys", "10", "start-after", begin, "continuation-token", page.NextContinuationToken)
		}
		if ends[pages]++; len(page.Contents) != 8 {
			t.Errorf("after %s: %d pages, the last %s", begin, pages, page.summary())
		}
	}
	if ends[1] == 0 || ends[2] == 0 || ends[1]+ends[2] != 20 {
		t.Errorf("listings by their pages: %v", ends)
	}
}

func TestQuirkEncodings(t *testing.T) {
	for _, asked := range []bool{false, true} {
		for quirk, encoded := range map[Quirk]bool{EncodingNotEchoed: false, EncodedUnasked: true} {
			s, ask := newQuirkServer(t, Options{Objects: 200, Shape: Nasty, XMLSafe: true, Quirk: quirk})
			page := ask()
			if asked {
				page = ask("encoding-type", "url")
			}
			for i, key := range allKeys(s) {
				want := key
				if encoded {
					want = string(appendURLEncoded(nil, []byte(key)))
				}
				if page.Contents[i].Key != want || page.EncodingType != "" {
					t.Errorf("%s, encoding-type %v: %q, want %q, EncodingType %q",
						quirk, asked, page.Contents[i].Key, want, page.EncodingType)
				}
			}
		}
	}
}

// TestQuirkTokensVoid pages until a listing ends early, without a restart and after one.
func TestQuirkTokensVoid(t *testing.T) {
	s, ask := newQuirkServer(t, Options{Objects: 1000, Quirk: TokensVoid})
	page := ask("max-keys", "10")
	s.Restart()
	void := ask("max-keys", "10", "continuation-token", page.NextContinuationToken)
	if void.summary() != "10-14 5 end" {
		t.Errorf("after a restart: %s", void.summary())
	}
	pages := 1
	for page = ask("max-keys", "10"); page.IsTruncated; pages++ {
		page = ask("max-keys", "10", "continuation-token", page.NextContinuationToken)
	}
	if pages > voidTokenPeriod+1 || len(page.Contents) != 5 {
		t.Errorf("it ends after %d pages with %s", pages, page.summary())
	}
}

// A client that follows the documentation of these quirks gets every key once.
func TestQuirksThatCanBeListedExactly(t *testing.T) {
	for _, quirk := range []Quirk{
		"", StartAfterInclusive, StartAfterIgnored, EndsEarly, KeysRepeated, MaxKeysIgnored, TokensVoid, Unsorted,
	} {
		for _, begin := range []string{"", "obj-000000000099"} {
			s, ask := newQuirkServer(t, Options{Objects: 1500, Quirk: quirk})
			want := slices.DeleteFunc(allKeys(s), func(key string) bool { return key <= begin })
			got := listExactly(t, ask, begin, quirk == Unsorted)
			if !slices.Equal(got, want) {
				t.Errorf("%s after %q: %d keys, want %d", quirk, begin, len(got), len(want))
			}
		}
	}
}

// listExactly drops keys that are not above the last key, continues by token, and lists again after the last key until
// a page is empty.
func listExactly(t *testing.T, ask func(...string) listResult, begin string, unsorted bool) (got []string) {
	t.Helper()
	last, token := begin, ""
	for range 100 {
		page := ask("max-keys", "100", "start-after", last)
		if token != "" {
			page = ask("max-keys", "100", "continuation-token", token)
		}
		fresh := 0
		for _, key := range page.keys() {
			if key > last || unsorted {
				got = append(got, key)
				fresh++
			}
		}
		slices.Sort(got)
		if len(got) > 0 {
			last = got[len(got)-1]
		}
		token = page.NextContinuationToken
		if !page.IsTruncated && (fresh == 0 || unsorted) {
			return got
		}
	}
	t.Error("the listing does not end")
	return got
}

// A Server with another order than that of bytes lists each key once, page by page, in that order.
func TestQuirkOrders(t *testing.T) {
	for _, quirk := range []Quirk{FolderOrder, UTF16Order, NoOrder} {
		s, ask := newQuirkServer(t, Options{Objects: 2_000, Shape: Nasty, XMLSafe: true, Quirk: quirk})
		seen := map[string]bool{}
		last, inBytes := "", true
		page := ask("max-keys", "300")
		for {
			for _, c := range page.Contents {
				if last != "" && quirk.comparison()([]byte(last), []byte(c.Key)) >= 0 || seen[c.Key] {
					t.Fatalf("%s: %q after %q", quirk, c.Key, last)
				}
				inBytes = inBytes && last < c.Key
				last, seen[c.Key] = c.Key, true
			}
			if !page.IsTruncated {
				break
			}
			page = ask("max-keys", "300", "continuation-token", page.NextContinuationToken)
		}
		if len(seen) != int(s.Keyspace().Len()) || inBytes && quirk != UTF16Order {
			t.Errorf("%s: %d keys, in the order of bytes: %v; want %d", quirk, len(seen), inBytes, s.Keyspace().Len())
		}
	}
	emoji, fullWidth := []byte("x/\U0001f600"), []byte("x/\uff01")
	if compareUTF16(emoji, fullWidth) >= 0 || compareFolders([]byte("logs/z"), []byte("logs-1/a")) >= 0 {
		t.Error("the orders are those of bytes")
	}
}
