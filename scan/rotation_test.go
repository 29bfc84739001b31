package scan_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/head/engine"
	"headcount/scan/store"
)

// Another process writes new keys into the credentials file, and the store refuses the old ones in the middle of the
// scan. The answer to a HEAD has no code.
func TestRotatedCredentialsFile(t *testing.T) {
	const objects = 1_500
	want := scanBaseline(t, objects)
	for code, status := range map[string]int{"ExpiredToken": 400, "InvalidAccessKeyId": 403} {
		t.Run(code, func(t *testing.T) {
			forEachEngineSerially(t, func(t *testing.T, cfg scan.Config) {
				if code != "ExpiredToken" && (cfg.Engine != engine.Direct || cfg.Pipeline > 0) {
					return // the canary decides, for all engines
				}
				file := filepath.Join(t.TempDir(), "credentials")
				writeKeys(t, file, "OLD")
				var requests atomic.Int64
				_, url := startWithHandler(
					t,
					s3sim.Options{Objects: objects},
					func(w http.ResponseWriter, r *http.Request) bool {
						if !strings.Contains(r.Header.Get("Authorization"), "Credential=OLD/") {
							return false
						}
						n := requests.Add(1)
						if n == 500 {
							writeKeys(t, file, "NEW")
						}
						if n < 500 {
							return false
						}
						w.WriteHeader(status)
						if r.Method != http.MethodHead {
							fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
						}
						return true
					},
				)
				for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"} {
					t.Setenv(name, "")
				}
				t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
				t.Setenv("AWS_SHARED_CREDENTIALS_FILE", file)
				s, err := store.Open(
					t.Context(),
					store.Config{Bucket: "demo", Endpoints: []string{url}, Connections: 64},
				)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(s.Close)
				cfg.Workers = 8
				run(t.Context(), t, s, cfg).expectSameAs(t, want)
				if requests.Load() < 500 {
					t.Errorf("%d requests with the old keys", requests.Load())
				}
			})
		})
	}
}

// writeKeys replaces a credentials file.
func writeKeys(t *testing.T, file, accessKey string) {
	text := "[default]\naws_access_key_id = " + accessKey + "\naws_secret_access_key = secret\n"
	if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
		t.Error(err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		t.Error(err)
	}
}
