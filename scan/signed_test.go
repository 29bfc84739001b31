package scan_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/store"
)

// signedServer calls h for each request with the region of its signature. It fails the test for an unsigned request.
func signedServer(
	t *testing.T,
	h func(w http.ResponseWriter, r *http.Request, region string),
) (*httptest.Server, *store.Store) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", "alice")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wonderland")
	t.Setenv("AWS_SESSION_TOKEN", "")
	t.Setenv("AWS_PROFILE", "")
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	for _, name := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
		t.Setenv(name, filepath.Join(t.TempDir(), "none"))
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Credential=ACCESS/DATE/REGION/s3/aws4_request
		scope := strings.Split(r.Header.Get("Authorization"), "/")
		if len(scope) < 3 {
			t.Errorf("got an unsigned request: %s %s", r.Method, r.URL)
			return
		}
		h(w, r, scope[2])
	}))
	t.Cleanup(server.Close)
	s, err := store.Open(t.Context(), store.Config{Bucket: "b", Endpoints: []string{server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return server, s
}

// The answer to a HEAD names another region. The run sends the HEAD again with a signature for that region, and uses
// the region for the rest of the run.
func TestWrongRegionIsCorrected(t *testing.T) { forEachEngineSerially(t, testWrongRegionIsCorrected) }

func testWrongRegionIsCorrected(t *testing.T, cfg scan.Config) {
	var listing strings.Builder
	for i := range 20 {
		fmt.Fprintf(&listing, `<Contents><Key>k%02d</Key><ETag>/b/k%02d</ETag></Contents>`, i, i)
	}
	_, s := signedServer(t, func(w http.ResponseWriter, r *http.Request, region string) {
		switch {
		case r.Method == http.MethodGet && r.URL.Query().Get("start-after") != "":
			fmt.Fprint(w, `<ListBucketResult/>`)
		case r.Method == http.MethodGet:
			fmt.Fprint(w, `<ListBucketResult>`, listing.String(), `</ListBucketResult>`)
		case region != "eu-west-1":
			w.Header().Set("x-amz-bucket-region", "eu-west-1")
			w.WriteHeader(http.StatusBadRequest)
		default:
			w.Header().Set("ETag", r.URL.Path)
			w.Header().Set("x-amz-meta-region", region)
		}
	})
	r := run(t.Context(), t, s, cfg)
	if r.err != nil || len(r.lines) != 20 || r.stats.Region != "eu-west-1" {
		t.Errorf("got %d lines, %+v, error %v; want 20 lines, region eu-west-1", len(r.lines), r.stats, r.err)
	}
	for _, line := range r.lines {
		if !strings.Contains(line, "eu-west-1") {
			t.Errorf("got %s, want the region eu-west-1", line)
		}
	}
}

// Credentials expire once during a run, and are renewed. Requests that were signed with the expired ones are sent
// again, and no object fails.
func TestCredentialRenewal(t *testing.T) { forEachEngineSerially(t, testCredentialRenewal) }

func testCredentialRenewal(t *testing.T, cfg scan.Config) {
	dir := t.TempDir()
	counter := filepath.Join(dir, "count")
	script := filepath.Join(dir, "credentials")
	text := fmt.Sprintf("#!/bin/sh\necho x >> %s\nn=$(wc -l < %s | tr -d ' ')\n"+
		`printf '{"Version":1,"AccessKeyId":"key%%s","SecretAccessKey":"s","SessionToken":"t",`+
		`"Expiration":"2099-01-01T00:00:00Z"}' "$n"`+"\n", counter, counter)
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "config")
	profile := "[profile renewing]\nregion = us-east-1\ncredential_process = " + script + "\n"
	if err := os.WriteFile(config, []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	var expired atomic.Bool
	var heads atomic.Int64
	server, url := startWithHandler(t, s3sim.Options{Objects: 3_000}, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodHead && heads.Add(1) == 1_000 {
			expired.Store(true)
		}
		if !expired.Load() || !strings.Contains(r.Header.Get("Authorization"), "Credential=key1/") {
			return false
		}
		time.Sleep(time.Duration(heads.Load()%5) * time.Millisecond) // so that some answers arrive after the renewal
		w.WriteHeader(http.StatusBadRequest)
		if r.Method == http.MethodGet {
			fmt.Fprint(w, "<Error><Code>ExpiredToken</Code></Error>")
		}
		return true
	})
	t.Setenv("AWS_CONFIG_FILE", config)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(dir, "none"))
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL",
	} {
		t.Setenv(name, "")
	}
	s, err := store.Open(
		t.Context(),
		store.Config{Bucket: "demo", Profile: "renewing", Endpoints: []string{url}, Connections: 64},
	)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := run(t.Context(), t, s, cfg)
	if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
		t.Errorf("got %+v, error %v; want no failed or gone object", r.stats.Outcomes, r.err)
	}
	if r.stats.Requests["head"]["400"] == 0 {
		t.Error("got no HEAD with expired credentials, want at least 1")
	}
	expectAllPrinted(t, server, r.lines)
}

// The store's clock jumps ahead by an hour during a run. The client signs with the store's time from then on, and no
// object fails.
func TestClockCorrection(t *testing.T) { forEachEngineSerially(t, testClockCorrection) }

func testClockCorrection(t *testing.T, cfg scan.Config) {
	const objects = 300
	var heads atomic.Int64
	_, s := signedServer(t, func(w http.ResponseWriter, r *http.Request, _ string) {
		now := time.Now()
		if r.Method == http.MethodHead && heads.Add(1) > 100 || heads.Load() > 100 {
			now = now.Add(time.Hour)
		}
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err != nil {
			t.Error(err)
		}
		switch {
		case now.Sub(signed).Abs() > 15*time.Minute:
			w.WriteHeader(http.StatusForbidden)
			if r.Method == http.MethodGet {
				fmt.Fprint(w, `<Error><Code>RequestTimeTooSkewed</Code></Error>`)
			}
		case r.Method == http.MethodHead:
			w.Header().Set("x-amz-meta-a", "b")
		case r.URL.Query().Get("start-after") != "":
			fmt.Fprint(w, `<ListBucketResult/>`)
		default:
			fmt.Fprint(w, `<ListBucketResult>`)
			for i := range objects {
				fmt.Fprintf(w, `<Contents><Key>k%03d</Key></Contents>`, i)
			}
			fmt.Fprint(w, `</ListBucketResult>`)
		}
	})
	cfg.Workers = 2
	r := run(t.Context(), t, s, cfg)
	if r.err != nil || r.stats.Emitted != objects {
		t.Errorf("got %+v, error %v; want %d emitted", r.stats.Outcomes, r.err, objects)
	}
	if r.stats.Requests["head"]["403"] == 0 {
		t.Error("got no HEAD refused for its time, want at least 1")
	}
}
