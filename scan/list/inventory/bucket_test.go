package inventory_test

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headcount/scan/exit"
	"headcount/scan/list"
	"headcount/scan/list/inventory"
	"headcount/scan/store"
)

const body = `{"a": "manifest"}`

// fetchFrom fetches a manifest from a bucket whose first answer is another one.
func fetchFrom(t *testing.T, first func(w http.ResponseWriter, r *http.Request)) (text string, asked int64, err error) {
	t.Helper()
	var count atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.URL.Path != "/inventories/a b/manifest.json" {
			t.Errorf("%s %s", r.Method, r.URL.Path)
		}
		if count.Add(1) == 1 {
			first(w, r)
			return
		}
		_, _ = io.WriteString(w, body)
	}))
	defer server.Close()
	opened, err := store.Open(t.Context(), store.Config{
		Bucket: "inventories", Endpoints: []string{server.URL}, Isolated: true, AccessKey: "alice", SecretKey: "wonderland",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	fetch := inventory.FromBucket(inventory.BucketConfig{
		Store: opened, Timeout: 500 * time.Millisecond, RetryFor: time.Minute, Log: slog.New(slog.DiscardHandler),
	})
	f, err := fetch(t.Context(), "a b/manifest.json")
	if err != nil {
		return "", count.Load(), err
	}
	defer f.Close()
	if f.Name() != "s3://inventories/a b/manifest.json" {
		t.Errorf("%q", f.Name())
	}
	read, err := io.ReadAll(f)
	return string(read), count.Load(), err
}

// Passing trouble is tried again, and a body that is cut off leaves nothing in the file.
func TestFetchAgain(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(w http.ResponseWriter, r *http.Request){
		"unavailable": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, strings.Repeat("x", 500))
		},
		"silent": func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, "x")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"another region": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("x-amz-bucket-region", "eu-west-1")
			w.WriteHeader(http.StatusMovedPermanently)
			_, _ = io.WriteString(w, "<Error><Code>PermanentRedirect</Code></Error>")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, asked, err := fetchFrom(t, first)
			if err != nil || text != body || asked != 2 {
				t.Errorf("%q after %d GETs, %v", text, asked, err)
			}
		})
	}
}

// A refusal is the result. A manifest that does not exist is an error of the command line.
func TestFetchRefused(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]struct{ status, exit int }{
		"AccessDenied": {http.StatusForbidden, exit.Fatal}, "NoSuchKey": {http.StatusNotFound, exit.Usage},
		"NoSuchBucket": {http.StatusNotFound, exit.Fatal},
	} {
		_, asked, err := fetchFrom(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(want.status)
			_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code></Error>")
		})
		var refused *list.StoreError
		if asked != 1 || exit.Code(err) != want.exit || exit.Hint(err) == "" ||
			strings.Contains(err.Error(), "operation error") || // the words of the SDK
			code != "NoSuchKey" && (!errors.As(err, &refused) || refused.Code != code || refused.Op != "GET") {
			t.Errorf("%s: %d GETs, exit %d, %v; hint: %s", code, asked, exit.Code(err), err, exit.Hint(err))
		}
	}
}
