package list

import (
	"context"
	"encoding/xml"
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

	"headcount/scan/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// naive is a store that lists as documented, slowly. The keys of a Pager are compared with those of naive.
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
	if r.Method == http.MethodHead {
		if !slices.Contains(n.keys, strings.TrimPrefix(r.URL.Path, "/b/")) {
			w.WriteHeader(http.StatusNotFound)
		}
		return
	}
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

// listXML returns an answer with encoding-type=url.
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

// walk collects the keys that a Pager hands out.
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
			return keys, fmt.Errorf("a page covers (%q, %q], which is empty", cursor, through)
		}
		cursor = page.Range.Through
		if unsafe.StringData(cursor) == unsafe.StringData(page.Entries[len(page.Entries)-1].Key) {
			return keys, fmt.Errorf("the Range up to %q keeps the texts of its page in memory", cursor)
		}
		if cursor != p.cursor || !p.keysDeclared && strings.Contains(cursor, "\uFFFD") {
			return keys, fmt.Errorf("the cursor is %q, and the page ends at %q", p.cursor, cursor)
		}
		for _, e := range page.Entries {
			keys = append(keys, e.Key)
		}
	}
}

// handler answers one LIST.
type handler = func(http.ResponseWriter, *http.Request)

// script answers the n-th LIST with its n-th function, and all later LISTs with the last function.
type script struct {
	mu      sync.Mutex
	answers []handler
	asked   []url.Values
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	n := len(s.asked)
	s.asked = append(s.asked, r.URL.Query())
	s.mu.Unlock()
	s.answers[min(n, len(s.answers)-1)](w, r)
}

func say(body string) handler {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func refuse(status int, code, region string) handler {
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

func cutShort(body string) handler {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)+10))
		_, _ = io.WriteString(w, body)
	}
}
