package list

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// level is a store that groups keys by a delimiter, slowly.
type level struct {
	keys     []string // sorted
	pageKeys int

	repeats bool // lists a common prefix again after a key in its group, or after the prefix itself
	encodes bool
	counts  bool // the common prefixes in KeyCount
}

// item is a key, or a common prefix.
type item struct {
	name    string
	grouped bool
}

// items returns one level of the keys.
func (s *level) items(prefix, delimiter, after string) (items []item) {
	for _, key := range s.keys {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok || key <= after {
			continue
		}
		next := item{name: key}
		if before, _, grouped := strings.Cut(rest, delimiter); grouped && delimiter != "" {
			next = item{prefix + before + delimiter, true}
		}
		if !slices.Contains(items, next) && (s.repeats || next.name > after) {
			items = append(items, next)
		}
	}
	return items
}

func (s *level) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodHead {
		if !slices.Contains(s.keys, strings.TrimPrefix(r.URL.Path, "/b/")) {
			w.WriteHeader(http.StatusNotFound)
		}
		return
	}
	q := r.URL.Query()
	items := s.items(q.Get("prefix"), q.Get("delimiter"), q.Get("start-after")+q.Get("marker"))
	if token := q.Get("continuation-token"); token != "" {
		items = (&level{keys: s.keys}).items(q.Get("prefix"), q.Get("delimiter"), token)
	}
	truncated := len(items) > s.pageKeys
	items = items[:min(len(items), s.pageKeys)]
	fmt.Fprintf(w, "<ListBucketResult><IsTruncated>%v</IsTruncated>", truncated)
	if s.encodes {
		fmt.Fprint(w, "<EncodingType>url</EncodingType>")
	}
	if truncated && q.Get("list-type") == "2" {
		fmt.Fprintf(w, "<NextContinuationToken>%s</NextContinuationToken>", items[len(items)-1].name)
	}
	keys := 0
	for _, i := range items {
		name := i.name
		if s.encodes {
			name = url.QueryEscape(name)
		}
		if i.grouped {
			fmt.Fprintf(w, "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>", name)
			continue
		}
		keys++
		fmt.Fprintf(w, "<Contents><Key>%s</Key><Size>1</Size></Contents>", name)
	}
	if s.counts {
		keys = len(items)
	}
	fmt.Fprintf(w, "<KeyCount>%d</KeyCount></ListBucketResult>", keys)
}

// A Pager with a delimiter hands out one level of the keys: each key and each common prefix once, in their order.
func TestDelimiter(t *testing.T) {
	texts := rapid.StringOfN(rapid.RuneFrom([]rune("ab/-+ %é")), 1, 5, -1)
	rapid.Check(t, func(r *rapid.T) {
		keys := rapid.SliceOfNDistinct(texts, 0, 40, rapid.ID).Draw(r, "keys")
		slices.Sort(keys)
		s := &level{
			keys: keys, pageKeys: rapid.IntRange(2, 9).Draw(r, "keys of a page"), repeats: rapid.Bool().Draw(r, "repeats"),
			encodes: rapid.Bool().Draw(r, "encodes"), counts: rapid.Bool().Draw(r, "counts"),
		}
		cfg := Config{
			Delimiter: rapid.SampledFrom([]string{"/", "/", "-", "//", "+", "é", "a/"}).Draw(r, "delimiter"),
			Prefix:    rapid.SampledFrom([]string{"", "", "a", "a/", "b-"}).Draw(r, "prefix"),
			V1:        rapid.Bool().Draw(r, "V1"),
		}
		if rapid.IntRange(0, 3).Draw(r, "order") == 0 {
			cfg.Order, cfg.V1 = OrderAny, false
		}
		rng := Range{}
		if cfg.Order != OrderAny && rapid.Bool().Draw(r, "range") {
			rng.After, rng.Through = texts.Draw(r, "start after"), texts.Draw(r, "end at")
			if len(keys) > 0 { // which may be in a group, or not
				rng.After = rapid.SampledFrom(keys).Draw(r, "start after a key")
			}
		}
		if rng.Through <= rng.After {
			rng.Through = ""
		}
		var want []string
		for _, i := range s.items(cfg.Prefix, cfg.Delimiter, "") {
			if rng.Contains(i.name) {
				want = append(want, fmt.Sprint(i))
			}
		}

		var got []string
		pager := serve(t, s, cfg).Pager(rng)
		for {
			page, err := pager.Next(t.Context())
			if err != nil {
				r.Fatal(err)
			}
			if page == nil {
				break
			}
			for _, e := range page.Entries {
				got = append(got, fmt.Sprint(item{e.Key, e.CommonPrefix}))
			}
		}
		if !slices.Equal(got, want) {
			r.Errorf("%q, want %q", got, want)
		}
	})
}

// A page whose keys are not grouped is an error: a store without delimiters would print the whole bucket as one level.
func TestDelimiterIsIgnored(t *testing.T) {
	for body, fails := range map[string]bool{
		"<Contents><Key>a</Key></Contents>":                                                                        false,
		"<Contents><Key>a/b</Key></Contents>":                                                                      true,
		"<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>":                                                     false,
		"<CommonPrefixes><Prefix>a</Prefix></CommonPrefixes>":                                                      true,
		"<CommonPrefixes><Prefix>a/b/</Prefix></CommonPrefixes>":                                                   true,
		"<Contents><Key>a/</Key></Contents><CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>":                   false,
		"<Contents><Key>a/b</Key></Contents><CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>":                  true,
		"<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes><CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>": true,
	} {
		answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, "<ListBucketResult>"+body+"</ListBucketResult>")
		})
		page, err := serve(t, answer, Config{Delimiter: "/"}).Pager(Range{}).Next(t.Context())
		var broken *ProtocolError
		if errors.As(err, &broken) != fails || (page != nil && len(page.Entries) == 1) == fails {
			t.Errorf("%s: %+v, %v", body, page, err)
		}
	}
}

// A listing may begin within a group, of which the store lists the common prefix again or not.
func TestDelimiterAfterAKeyOfAGroup(t *testing.T) {
	for _, repeats := range []bool{false, true} {
		s := &level{keys: []string{"a/x", "b/x", "b/z", "c"}, pageKeys: 2, repeats: repeats}
		keys, err := walk(t.Context(), serve(t, s, Config{Delimiter: "/"}).Pager(Range{After: "b/y"}))
		if !slices.Equal(keys, []string{"c"}) || err != nil {
			t.Errorf("repeats %v: %q, %v", repeats, keys, err)
		}
	}
}

// Where keys turn out not to be encoded, common prefixes are not either.
func TestDelimiterOfAStoreThatEncodesNothing(t *testing.T) {
	answer := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a b</Key></Contents>"+
			"<CommonPrefixes><Prefix>a+/</Prefix></CommonPrefixes></ListBucketResult>")
	})
	page, err := serve(t, answer, Config{Delimiter: "/"}).Pager(Range{}).Next(t.Context())
	if err != nil || len(page.Entries) != 2 || page.Entries[1].Key != "a+/" {
		t.Errorf("%+v, %v", page, err)
	}
}

// Requests about one key have no delimiter.
func TestExistsHasNoDelimiter(t *testing.T) {
	s := &level{keys: []string{"a/b"}, pageKeys: 2}
	if found, err := serve(t, s, Config{Delimiter: "/"}).exists(t.Context(), "a/b"); !found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
}
