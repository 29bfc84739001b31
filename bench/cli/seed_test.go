package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rogpeppe/go-internal/testscript"

	"headcount/bench/scripttest"

	"headcount/scan/exit"
)

// startFakeS3 serves an empty bucket "seeded" that can be written to. Like many stores, it refuses the checksums that
// the SDK adds by default.
func startFakeS3() (*s3mem.Backend, *httptest.Server, error) {
	backend := s3mem.New()
	if err := backend.CreateBucket("seeded"); err != nil {
		return nil, nil, err
	}
	behind := gofakes3.New(backend).Server()
	return backend, httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name := range r.Header {
			if strings.HasPrefix(name, "X-Amz-Checksum") || name == "X-Amz-Sdk-Checksum-Algorithm" ||
				name == "X-Amz-Trailer" {
				http.Error(w, name, http.StatusNotImplemented)
				return
			}
		}
		behind.ServeHTTP(w, r)
	})), nil
}

// cmdFakeS3 is the script command "fakes3 VAR KEY…": it serves a store that can be written to, and puts its URL into
// VAR. Its bucket "seeded" has objects with these keys and no metadata.
func cmdFakeS3(ts *testscript.TestScript, _ bool, args []string) {
	backend, server, err := startFakeS3()
	ts.Check(err)
	ts.Defer(server.Close)
	for _, key := range args[1:] {
		_, err := backend.PutObject("seeded", key, map[string]string{}, strings.NewReader(""), 0, nil)
		ts.Check(err)
	}
	ts.Setenv(args[0], server.URL)
}

// A store that answers 404 to HEADs of the objects that it lists is not left with exit 0.
func TestCleanReportsListedObjects(t *testing.T) {
	for name, value := range scripttest.IsolatedEnv(t.TempDir()) {
		t.Setenv(name, value)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "alice")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wonderland")
	backend, store, err := startFakeS3()
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for _, key := range []string{"headcount-seed/a", "headcount-seed/b"} {
		if _, err := backend.PutObject("seeded", key, map[string]string{}, strings.NewReader(""), 0, nil); err != nil {
			t.Fatal(err)
		}
	}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		store.Config.Handler.ServeHTTP(w, r)
	}))
	defer front.Close()
	code, _, stderr := runs(t.Context(), "bench", "clean", "--yes", "--endpoint-url", front.URL, "s3://seeded")
	for _, line := range []string{
		"complete: 2 objects listed = 0 removed + 0 left + 2 gone + 0 failed, below s3://seeded/headcount-seed/, where more are still listed: 2",
		"headcount: error: 2 objects that were removed or gone are still listed",
		"headcount: hint: does a proxy answer",
	} {
		if code != exit.Failures || !strings.Contains("\n"+stderr, "\n"+line) {
			t.Errorf("exit %d, without %q:\n%s", code, line, stderr)
		}
	}
}

// The examples of bench seed and bench clean run, in the order of the help. A store of this test replaces the stores
// that they name.
func TestSeedExamplesRun(t *testing.T) {
	for name, value := range scripttest.IsolatedEnv(t.TempDir()) {
		t.Setenv(name, value)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "alice")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wonderland")
	t.Chdir(t.TempDir())
	_, server, err := startFakeS3()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	t.Setenv("AWS_ENDPOINT_URL_S3", server.URL)
	place := strings.NewReplacer("https://flashblade.example.com", server.URL, "my-bucket", "seeded", "1000000", "300",
		"--rate 500", "--rate 50000")
	if err := os.Mkdir("photos", 0o700); err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		if err := os.WriteFile(fmt.Sprintf("photos/%d.jpg", i), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	examples := 0
	for _, command := range []string{"seed", "clean"} {
		_, help, _ := runs(t.Context(), "bench", command, "--help")
		for _, example := range regexp.MustCompile(`(?m)^\s+headcount (bench \w+ .*s3://my-bucket.*)$`).FindAllStringSubmatch(help, -1) {
			args := strings.Fields(place.Replace(example[1]))
			if command == "seed" && !strings.Contains(example[1], "--objects") && !strings.Contains(example[1], "--from") {
				args = append(args, "--objects", "300")
			}
			want := exit.Complete
			if command == "clean" && !strings.Contains(example[1], "--yes") {
				want = exit.Usage // there is no terminal to confirm on
			}
			examples++
			if code, _, stderr := runs(t.Context(), args...); code != want || want == exit.Complete &&
				!strings.Contains(stderr, "\ncomplete: 300 objects") &&
				!strings.HasPrefix(stderr, "complete: 300 objects") {
				t.Errorf("%q: exit %d, want %d\n%s", args, code, want, stderr)
			}
		}
	}
	if examples < 7 {
		t.Errorf("%d examples", examples)
	}
}
