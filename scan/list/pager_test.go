package list

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"headcount/scan/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// naive is a store that lists by the book, slowly: the twin against which the Pager is held.
type naive struct {
	keys     []string
	pageKeys int

	mu       sync.Mutex
	requests int
}

func (n *naive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	n.requests++
	n.mu.Unlock()
	q := r.URL.Query()
	after := max(q.Get("start-after"), q.Get("continuation-token"), q.Get("marker"))
	var page []string
	truncated := false
	for _, key := range n.keys {
		if !strings.HasPrefix(key, q.Get("prefix")) || key <= after {
			continue
		}
		if len(page) == n.pageKeys {
			truncated = true
			break
		}
		page = append(page, key)
	}
	next := ""
	if truncated && q.Get("list-type") == "2" {
		next = page[len(page)-1]
	}
	fmt.Fprint(w, listXML(page, truncated, next))
}

// listXML is an answer with encoding-type=url.
func listXML(keys []string, truncated bool, token string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>%v</IsTruncated>", truncated)
	if token != "" {
		b.WriteString("<NextContinuationToken>")
		_ = xml.EscapeText(&b, []byte(token))
		b.WriteString("</NextContinuationToken>")
	}
	for _, key := range keys {
		fmt.Fprintf(&b, "<Contents><Key>%s</Key><Size>1</Size></Contents>", url.QueryEscape(key))
	}
	b.WriteString("</ListBucketResult>")
	return b.String()
}

// serve starts a server and returns a Lister for it.
func serve(t testing.TB, h http.Handler, cfg Config) *Lister {
	t.Helper()
	server := httptest.NewServer(h)
	s, err := store.Open(t.Context(), store.Config{Bucket: "b", Endpoints: []string{server.URL}, Isolated: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); server.Close() })
	cfg.Store = s
	return New(cfg)
}

// walk collects the keys of a Range.
func walk(ctx context.Context, p *Pager) ([]string, error) {
	var keys []string
	cursor := p.rng.After
	for {
		page, err := p.Next(ctx)
		if page == nil {
			return keys, err
		}
		if page.Range.After != cursor || len(page.Entries) == 0 || len(page.Entries) > pageKeysMax {
			return keys, fmt.Errorf("a page of %d keys for %v, after %q", len(page.Entries), page.Range, cursor)
		}
		if through := page.Range.Through; through != "" && through <= cursor {
			return keys, fmt.Errorf("a page leads from %q to %q, and no further", cursor, through)
		}
		cursor = page.Range.Through
		if unsafe.StringData(cursor) == unsafe.StringData(page.Entries[len(page.Entries)-1].Key) {
			return keys, fmt.Errorf("the Range up to %q keeps the texts of its page", cursor)
		}
		if cursor != p.cursor || !p.keysDeclared && strings.Contains(cursor, "\uFFFD") {
			return keys, fmt.Errorf("the cursor is %q, and the page ends at %q", p.cursor, cursor)
		}
		for _, e := range page.Entries {
			keys = append(keys, e.Key)
		}
	}
}

func TestPagerFindsEveryKeyOfARange(t *testing.T) {
	// Tokens and start-after of the naive store are XML and query text, which cannot hold every byte.
	key := rapid.StringOfN(rapid.SampledFrom([]rune("ab/+% &<é\U0001f600~")), 1, 6, -1)
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SliceOfDistinct(key, rapid.ID).Draw(rt, "keys")
		slices.Sort(keys)
		rng := Range{After: rapid.OneOf(rapid.Just(""), key).Draw(rt, "after"), Through: rapid.OneOf(rapid.Just(""), key).Draw(rt, "through")}
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
			rt.Fatalf("%d requests for %d keys, %d to a page: more than %d", twin.requests, len(want), twin.pageKeys, most)
		}
	})
}

// veiled is a naive store that ignores encoding-type and lists what XML cannot carry as U+FFFD. Its tokens are what it
// listed last, so it loses keys if one goes on from a lossy one.
type veiled struct{ naive }

func (v *veiled) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	after := max(q.Get("start-after"), q.Get("continuation-token"), q.Get("marker"))
	keys := slices.DeleteFunc(slices.Clone(v.keys), func(k string) bool { return k <= after })
	truncated := len(keys) > v.pageKeys
	keys = keys[:min(len(keys), v.pageKeys)]
	var b strings.Builder
	fmt.Fprintf(&b, "<ListBucketResult><IsTruncated>%v</IsTruncated>", truncated)
	for _, key := range keys {
		fmt.Fprintf(&b, "<Contents><Key>%s</Key></Contents>", veil(key))
	}
	if truncated && q.Get("list-type") == "2" {
		fmt.Fprintf(&b, "<NextContinuationToken>%s</NextContinuationToken>", veil(keys[len(keys)-1]))
	}
	b.WriteString("</ListBucketResult>")
	_, _ = io.WriteString(w, b.String())
}

func veil(key string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return '\uFFFD'
		}
		return r
	}, key)
}

// No key is lost beside keys that the store cannot list, and each of those is handed out once.
func TestPagerGoesPastLossyKeys(t *testing.T) {
	key := rapid.StringOfN(rapid.SampledFrom([]rune("abz\x01\x02\uFFFD")), 1, 3, -1)
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SliceOfDistinct(key, rapid.ID).Draw(rt, "keys")
		slices.Sort(keys)
		twin := &veiled{naive{keys: keys, pageKeys: rapid.IntRange(1, 9).Draw(rt, "pageKeys")}}
		lister := serve(t, twin, Config{V1: rapid.Bool().Draw(rt, "v1")})
		var want []string
		for _, k := range keys {
			want = append(want, veil(k))
		}
		got, err := walk(t.Context(), lister.Pager(Range{}))
		var broken *ProtocolError
		if errors.As(err, &broken) && strings.Contains(broken.What, "cannot list") {
			return // so many in a row that there is no place to go on from
		}
		if err != nil || !slices.Equal(got, want) {
			rt.Fatalf("got %q, want %q, %v", got, want, err)
		}
	})
}

// script answers the n-th LIST with its n-th function, and those after with the last.
type script struct {
	mu      sync.Mutex
	answers []func(w http.ResponseWriter, r *http.Request)
	asked   []url.Values
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	n := len(s.asked)
	s.asked = append(s.asked, r.URL.Query())
	s.mu.Unlock()
	s.answers[min(n, len(s.answers)-1)](w, r)
}

func say(body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func refuse(status int, code, region string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		if region != "" {
			w.Header().Set("x-amz-bucket-region", region)
		}
		w.WriteHeader(status)
		if code != "" {
			fmt.Fprintf(w, "<Error><Code>%s</Code><Message>m</Message><RequestId>r1</RequestId></Error>", code)
		}
	}
}

func cutShort(body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)+10))
		_, _ = io.WriteString(w, body)
	}
}

var (
	end   = say(listXML(nil, false, ""))
	final = say(listXML([]string{"a", "b"}, false, ""))
)

// Each of these a store has done, and each must come out exact.
func TestPagerRepairs(t *testing.T) {
	cases := map[string]struct {
		answers []func(http.ResponseWriter, *http.Request)
		rng     Range
		want    []string
		asks    int
	}{
		"a listing that ends early": {
			answers: []func(http.ResponseWriter, *http.Request){final, say(listXML([]string{"c"}, false, "")), end},
			want:    []string{"a", "b", "c"}, asks: 3,
		},
		"an empty page with a new token": {
			answers: []func(http.ResponseWriter, *http.Request){say(listXML(nil, true, "t")), final, end},
			want:    []string{"a", "b"}, asks: 3,
		},
		"start-after taken as inclusive": {
			answers: []func(http.ResponseWriter, *http.Request){final, say(listXML([]string{"b"}, false, ""))},
			want:    []string{"a", "b"}, asks: 2,
		},
		"start-after ignored": {
			answers: []func(http.ResponseWriter, *http.Request){
				say(listXML([]string{"a", "b"}, true, "t")), say(listXML([]string{"c", "d"}, false, "")),
				say(listXML([]string{"a", "b"}, true, "t")), say(listXML([]string{"c", "d"}, false, "")),
			},
			rng: Range{After: "b"}, want: []string{"c", "d"}, asks: 4,
		},
		"keys repeated on the next page": {
			answers: []func(http.ResponseWriter, *http.Request){
				say(listXML([]string{"a", "b"}, true, "t")), say(listXML([]string{"a", "b", "c"}, false, "")), end,
			},
			want: []string{"a", "b", "c"}, asks: 3,
		},
		"a token that is void": {
			answers: []func(http.ResponseWriter, *http.Request){
				say(listXML([]string{"a"}, true, "t")), refuse(400, "InvalidArgument", ""), say(listXML([]string{"b"}, false, "")), end,
			},
			want: []string{"a", "b"}, asks: 4,
		},
		"a document cut short": {
			answers: []func(http.ResponseWriter, *http.Request){cutShort(listXML([]string{"a"}, false, "")), final, end},
			want:    []string{"a", "b"}, asks: 3,
		},
		"a web page for once": {
			answers: []func(http.ResponseWriter, *http.Request){say("<html><body>502</body></html>"), final, end},
			want:    []string{"a", "b"}, asks: 3,
		},
		"an error in a 200": {
			answers: []func(http.ResponseWriter, *http.Request){refuse(200, "InternalError", ""), final, end},
			want:    []string{"a", "b"}, asks: 3,
		},
		"a bodyless 503": {
			answers: []func(http.ResponseWriter, *http.Request){refuse(503, "", ""), final, end},
			want:    []string{"a", "b"}, asks: 3,
		},
		"a SlowDown in a 400": {
			answers: []func(http.ResponseWriter, *http.Request){refuse(400, "SlowDown", ""), final, end},
			want:    []string{"a", "b"}, asks: 3,
		},
		"another region": {
			answers: []func(http.ResponseWriter, *http.Request){refuse(301, "PermanentRedirect", "eu-west-1"), final, end},
			want:    []string{"a", "b"}, asks: 3,
		},
		"clock skew": {
			answers: []func(http.ResponseWriter, *http.Request){refuse(403, "RequestTimeTooSkewed", ""), final, end},
			want:    []string{"a", "b"}, asks: 3,
		},
		"a key beyond the Range": {
			answers: []func(http.ResponseWriter, *http.Request){say(listXML([]string{"a", "b", "c"}, true, "t"))},
			rng:     Range{Through: "b"}, want: []string{"a", "b"}, asks: 1,
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
			if len(s.asked) != c.asks {
				t.Errorf("%d requests, want %d", len(s.asked), c.asks)
			}
		})
	}
}

func TestPagerAsksAsItShould(t *testing.T) {
	s := &script{answers: []func(http.ResponseWriter, *http.Request){say(listXML([]string{"p/a"}, true, "t+/")), say(listXML([]string{"p/b"}, false, "")), end}}
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

// What cannot be repaired is a ProtocolError: never a listing that merely ends.
func TestPagerRefuses(t *testing.T) {
	endless := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, listXML(nil, true, r.URL.Query().Get("continuation-token")+"x"))
	}
	cases := map[string]struct {
		answers []func(http.ResponseWriter, *http.Request)
		what    string
	}{
		"truncated without a token": {[]func(http.ResponseWriter, *http.Request){say(listXML([]string{"a"}, true, ""))}, "no continuation token"},
		"the same token":            {[]func(http.ResponseWriter, *http.Request){say(listXML([]string{"a"}, true, "t")), say(listXML([]string{"b"}, true, "t"))}, "that it was asked with"},
		"out of order past the end": {[]func(http.ResponseWriter, *http.Request){say(listXML([]string{"z", "p", "a"}, false, ""))}, "not in order"},
		"keys out of order":         {[]func(http.ResponseWriter, *http.Request){say(listXML([]string{"b", "a"}, false, ""))}, "not in order"},
		"an older page":             {[]func(http.ResponseWriter, *http.Request){say(listXML([]string{"b", "c"}, true, "t")), say(listXML([]string{"a", "d"}, false, ""))}, "not in order"},
		"another prefix":            {[]func(http.ResponseWriter, *http.Request){say(listXML([]string{"\x00"}, false, ""))}, "prefix"},
		"a web page for ever":       {[]func(http.ResponseWriter, *http.Request){say("<html><body>sign in</body></html>")}, "not a ListBucketResult"},
		"an empty body for ever":    {[]func(http.ResponseWriter, *http.Request){say("")}, "empty"},
		"old keys for ever": {[]func(http.ResponseWriter, *http.Request){func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, listXML([]string{"a"}, true, r.URL.Query().Get("continuation-token")+"x"))
		}}, "in a row"},
		"empty pages for ever": {[]func(http.ResponseWriter, *http.Request){func(w http.ResponseWriter, r *http.Request) { endless(w, r) }}, "in a row"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			prefix := ""
			if name == "another prefix" {
				prefix = "p"
			}
			_, err := walk(t.Context(), serve(t, &script{answers: c.answers}, Config{Prefix: prefix}).Pager(Range{Through: "q"}))
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
	s := &script{answers: []func(http.ResponseWriter, *http.Request){say(listXML([]string{"a"}, true, "t")), hang}}
	got, err := walk(ctx, serve(t, s, Config{}).Pager(Range{}))
	if !errors.Is(err, cause) || !slices.Equal(got, []string{"a"}) {
		t.Errorf("%q, %v", got, err)
	}
}
