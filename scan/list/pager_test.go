package list

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPagerFindsEveryKeyOfARange(t *testing.T) {
	// The naive store puts tokens and start-after in XML and in a query, which cannot hold every byte.
	key := rapid.StringOfN(rapid.SampledFrom([]rune("ab/+% &<é\U0001f600~")), 1, 6, -1)
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SliceOfDistinct(key, rapid.ID).Draw(rt, "keys")
		slices.Sort(keys)
		rng := Range{
			After:   rapid.OneOf(rapid.Just(""), key).Draw(rt, "after"),
			Through: rapid.OneOf(rapid.Just(""), key).Draw(rt, "through"),
		}
		prefix := rapid.SampledFrom([]string{"", "", "a", "a/", "%"}).Draw(rt, "prefix")
		twin := &naive{keys: keys, pageKeys: rapid.IntRange(1, 9).Draw(rt, "pageKeys")}
		lister := serve(t, twin, Config{Prefix: prefix, V1: rapid.Bool().Draw(rt, "v1")})

		var want []string
		for _, k := range keys {
			if strings.HasPrefix(k, prefix) && rng.Contains(k) {
				want = append(want, k)
			}
		}
		got, err := walk(t.Context(), lister.Pager(rng))
		if err != nil {
			rt.Fatal(err)
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("got %q, want %q", got, want)
		}
		if most := len(want)/twin.pageKeys + 3; twin.requests > most {
			rt.Fatalf("%d requests for %d keys, %d a page: more than %d", twin.requests, len(want), twin.pageKeys, most)
		}
	})
}

// lossyStore is a naive store that ignores encoding-type, and lists U+FFFD for each character that XML cannot carry.
// Its token is the last key that it has listed, so it skips keys after a lossy token.
type lossyStore struct{ naive }

func (v *lossyStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after := max(q.Get("start-after"), q.Get("continuation-token"), q.Get("marker"))
	keys := slices.DeleteFunc(slices.Clone(v.keys), func(k string) bool { return k <= after })
	truncated := len(keys) > v.pageKeys
	keys = keys[:min(len(keys), v.pageKeys)]
	var b strings.Builder
	fmt.Fprintf(&b, "<ListBucketResult><IsTruncated>%v</IsTruncated>", truncated)
	for _, key := range keys {
		fmt.Fprintf(&b, "<Contents><Key>%s</Key></Contents>", lossyName(key))
	}
	if truncated && q.Get("list-type") == "2" {
		fmt.Fprintf(&b, "<NextContinuationToken>%s</NextContinuationToken>", lossyName(keys[len(keys)-1]))
	}
	b.WriteString("</ListBucketResult>")
	_, _ = io.WriteString(w, b.String())
}

func lossyName(key string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return '\uFFFD'
		}
		return r
	}, key)
}

// A Pager finds all keys beside those that the store cannot list, and hands out each of these once.
func TestPagerListsPastLossyKeys(t *testing.T) {
	key := rapid.StringOfN(rapid.SampledFrom([]rune("abz\x01\x02\uFFFD")), 1, 3, -1)
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SliceOfDistinct(key, rapid.ID).Draw(rt, "keys")
		slices.Sort(keys)
		twin := &lossyStore{naive{keys: keys, pageKeys: rapid.IntRange(1, 9).Draw(rt, "pageKeys")}}
		lister := serve(t, twin, Config{V1: rapid.Bool().Draw(rt, "v1")})
		var want []string
		for _, k := range keys {
			want = append(want, lossyName(k))
		}
		got, err := walk(t.Context(), lister.Pager(Range{}))
		var broken *ProtocolError
		if errors.As(err, &broken) && strings.Contains(broken.What, "cannot list") {
			return // a page of lossy keys has no key after which to list
		}
		if err != nil || !slices.Equal(got, want) {
			rt.Fatalf("got %q, want %q, %v", got, want, err)
		}
	})
}

var (
	end   = say(listXML(nil, false, ""))
	final = say(listXML([]string{"a", "b"}, false, ""))
)

// Each case was seen at a store. The keys must be exact in spite of it.
func TestPagerRepairs(t *testing.T) {
	cases := map[string]struct {
		answers []handler
		rng     Range
		want    []string
		sent    int // LISTs
	}{
		"a listing that ends early": {
			answers: []handler{final, say(listXML([]string{"c"}, false, "")), end},
			want:    []string{"a", "b", "c"}, sent: 3,
		},
		"an empty page with a new token": {
			answers: []handler{say(listXML(nil, true, "t")), final, end},
			want:    []string{"a", "b"}, sent: 3,
		},
		"an inclusive start-after": {
			answers: []handler{final, say(listXML([]string{"b"}, false, ""))},
			want:    []string{"a", "b"}, sent: 2,
		},
		"an ignored start-after": {
			answers: []handler{
				say(listXML([]string{"a", "b"}, true, "t")),
				say(listXML([]string{"a"}, true, "t")), // the first key of the bucket
				say(listXML([]string{"c", "d"}, false, "")),
				say(listXML([]string{"a", "b"}, true, "t")), say(listXML([]string{"c", "d"}, false, "")),
			},
			rng: Range{After: "b"}, want: []string{"c", "d"}, sent: 5,
		},
		"keys repeated on the next page": {
			answers: []handler{
				say(listXML([]string{"a", "b"}, true, "t")), say(listXML([]string{"a", "b", "c"}, false, "")), end,
			},
			want: []string{"a", "b", "c"}, sent: 3,
		},
		"a token that the store no longer knows": {
			answers: []handler{
				say(listXML([]string{"a"}, true, "t")), refuse(400, "InvalidArgument", ""),
				say(listXML([]string{"b"}, false, "")), end,
			},
			want: []string{"a", "b"}, sent: 4,
		},
		"a document cut short": {
			answers: []handler{cutShort(listXML([]string{"a"}, false, "")), final, end},
			want:    []string{"a", "b"}, sent: 3,
		},
		"one web page": {
			answers: []handler{say("<html><body>502</body></html>"), final, end},
			want:    []string{"a", "b"}, sent: 3,
		},
		"an error in a 200": {
			answers: []handler{refuse(200, "InternalError", ""), final, end},
			want:    []string{"a", "b"}, sent: 3,
		},
		"a bodyless 503": {
			answers: []handler{refuse(503, "", ""), final, end},
			want:    []string{"a", "b"}, sent: 3,
		},
		"a SlowDown in a 400": {
			answers: []handler{refuse(400, "SlowDown", ""), final, end},
			want:    []string{"a", "b"}, sent: 3,
		},
		"another region": {
			answers: []handler{refuse(301, "PermanentRedirect", "eu-west-1"), final, end},
			want:    []string{"a", "b"}, sent: 3,
		},
		"clock skew": {
			answers: []handler{refuse(403, "RequestTimeTooSkewed", ""), final, end},
			want:    []string{"a", "b"}, sent: 3,
		},
		"a key after the Range": {
			answers: []handler{say(listXML([]string{"a", "b", "c"}, true, "t"))},
			rng:     Range{Through: "b"}, want: []string{"a", "b"}, sent: 1,
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := &script{answers: c.answers}
			got, err := walk(t.Context(), serve(t, s, Config{}).Pager(c.rng))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if len(s.asked) != c.sent {
				t.Errorf("%d requests, want %d", len(s.asked), c.sent)
			}
		})
	}
}

func TestPagerSendsTheParameters(t *testing.T) {
	s := &script{answers: []handler{
		say(listXML([]string{"p/a"}, true, "t+/")), say(listXML([]string{"p/b"}, false, "")), end,
	}}
	if _, err := walk(t.Context(), serve(t, s, Config{Prefix: "p/"}).Pager(Range{After: "p/ "})); err != nil {
		t.Fatal(err)
	}
	for i, want := range []map[string]string{
		{"start-after": "p/ ", "continuation-token": ""},
		{"start-after": "", "continuation-token": "t+/"},
		{"start-after": "p/b", "continuation-token": ""},
	} {
		want["list-type"], want["encoding-type"], want["max-keys"], want["prefix"] = "2", "url", "1000", "p/"
		for name, value := range want {
			if got := s.asked[i].Get(name); got != value {
				t.Errorf("request %d: %s is %q, want %q", i, name, got, value)
			}
		}
	}
}

// A mistake that cannot be repaired is a ProtocolError, never a listing that merely ends.
func TestPagerRefuses(t *testing.T) {
	page := func(keys ...string) handler { return say(listXML(keys, false, "")) }
	truncated := func(token string, keys ...string) handler { return say(listXML(keys, true, token)) }
	endless := func(keys ...string) handler { // the same page for ever, with ever new tokens
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, listXML(keys, true, r.URL.Query().Get("continuation-token")+"x"))
		}
	}
	cases := map[string]struct {
		answers []handler
		what    string
	}{
		"truncated without a token":     {[]handler{truncated("", "a")}, "no continuation token"},
		"the same token":                {[]handler{truncated("t", "a"), truncated("t", "b")}, "token of the request"},
		"out of order past the end":     {[]handler{page("z", "p", "a")}, "not in order"},
		"keys out of order":             {[]handler{page("b", "a")}, "not in order"},
		"an older page":                 {[]handler{truncated("t", "b", "c"), page("a", "d")}, "not in order"},
		"another prefix":                {[]handler{page("\x00")}, "prefix"},
		"a web page again and again":    {[]handler{say("<html><body>sign in</body></html>")}, "not a ListBucketResult"},
		"an empty body again and again": {[]handler{say("")}, "empty"},
		"old keys again and again":      {[]handler{endless("a")}, "in a row"},
		"empty pages again and again":   {[]handler{endless()}, "in a row"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prefix := ""
			if name == "another prefix" {
				prefix = "p"
			}
			lister := serve(t, &script{answers: c.answers}, Config{Prefix: prefix})
			_, err := walk(t.Context(), lister.Pager(Range{Through: "q"}))
			var broken *ProtocolError
			if !errors.As(err, &broken) || !strings.Contains(broken.What, c.what) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestPagerEndsWithItsContext(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	hang := func(_ http.ResponseWriter, r *http.Request) {
		cancel(cause)
		<-r.Context().Done()
	}
	s := &script{answers: []handler{say(listXML([]string{"a"}, true, "t")), hang}}
	got, err := walk(ctx, serve(t, s, Config{}).Pager(Range{}))
	if !errors.Is(err, cause) || !slices.Equal(got, []string{"a"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// A first answer without a key is no empty bucket: it is confirmed by one more LIST. Once there was a key, a Range
// without one costs one LIST.
func TestPagerConfirmsThatThereIsNoKey(t *testing.T) {
	const bare = `<ListBucketResult/>`
	full := listXML([]string{"a", "b"}, false, "")
	for name, cfg := range map[string]Config{"V2": {}, "V1": {V1: true}, "any order": {Order: OrderAny}} {
		for first, want := range map[string]int{bare: 2, listXML(nil, false, ""): 2} {
			s := &script{answers: []handler{say(first), say(full), say(full)}}
			keys, err := walk(t.Context(), serve(t, s, cfg).Pager(Range{}))
			if err != nil || len(keys) != want {
				t.Errorf("%s: %d keys after %s, %v; want %d", name, len(keys), first, err, want)
			}
		}
		n := &naive{pageKeys: 10}
		l := serve(t, n, cfg)
		for want := 2; want <= 4; want += 2 {
			if keys, err := walk(t.Context(), l.Pager(Range{})); err != nil || len(keys) != 0 || n.requests != want {
				t.Errorf("%s: %d keys by %d LISTs of an empty bucket, %v; want %d LISTs", name, len(keys), n.requests, err, want)
			}
		}
	}
	n := &naive{pageKeys: 10, keys: []string{"a"}}
	l := serve(t, n, Config{})
	if _, err := walk(t.Context(), l.Pager(Range{})); err != nil {
		t.Fatal(err)
	}
	before := n.requests
	if keys, err := walk(t.Context(), l.Pager(Range{After: "b"})); err != nil || len(keys) != 0 || n.requests != before+1 {
		t.Errorf("%d keys by %d LISTs, %v", len(keys), n.requests-before, err)
	}
}
