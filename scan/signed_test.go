package scan_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"headcount/scan/store"
)

// signedServer serves requests that are signed, and tells for which region each was.
func signedServer(t *testing.T, h func(w http.ResponseWriter, r *http.Request, region string)) (*httptest.Server, *store.Store) {
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
			t.Errorf("not signed: %s %s", r.Method, r.URL)
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
