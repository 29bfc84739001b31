package scan_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/exit"
	"headcount/scan/fault"
)

// A HEAD that is redirected fails by name and tells where to, without what may be secret. It is not followed.
func TestRedirectedHeads(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		location := "https://user:secret@static.example/x?token=secret"
		_, url := startWithHandler(t, s3sim.Options{Objects: 20}, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodHead || !strings.HasSuffix(r.URL.Path, "7") {
				return false
			}
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusFound)
			return true
		})
		r := run(t.Context(), t, open(t, url), cfg)
		if r.err != nil || len(r.failed) != 2 {
			t.Fatalf("%d failed, error %v", len(r.failed), r.err)
		}
		for _, e := range r.failed {
			text := e.Error()
			if e.Class != fault.Redirect || !strings.HasSuffix(text, "302 Found: redirected to https://static.example/x") {
				t.Errorf("%s (%s)", text, e.Class)
			}
		}
	})
}

// A HEAD that is refused tells the reason that the headers of the answer have.
func TestErrorHeadersOfHeads(t *testing.T) {
	forEachEngine(t, func(t *testing.T, cfg scan.Config) {
		_, url := startWithHandler(t, s3sim.Options{Objects: 20}, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodHead || !strings.HasSuffix(r.URL.Path, "7") {
				return false
			}
			w.Header().Set("x-minio-error-code", "AccessDenied")
			w.Header().Set("x-minio-error-desc", `"Access Denied."`)
			w.WriteHeader(http.StatusForbidden)
			return true
		})
		r := run(t.Context(), t, open(t, url), cfg)
		const want = `403 Forbidden: AccessDenied: "Access Denied."`
		if r.err != nil || len(r.failed) != 2 || !strings.HasSuffix(r.failed[0].Error(), want) {
			t.Errorf("%v, error %v; want %s", r.failed, r.err, want)
		}
	})
}

// A run that ends because no HEAD is answered in time names the flag for the time.
func TestHintForSlowHeads(t *testing.T) {
	slow := &scan.ObjectError{Class: fault.Timeout, Err: fmt.Errorf("read: %w", context.DeadlineExceeded)}
	if got := exit.Hint(&fault.UnavailableError{Op: "HEAD", Last: slow}); !strings.Contains(got, "--timeout DURATION") {
		t.Errorf("the hint is %s", got)
	}
}
