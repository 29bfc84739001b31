package scan_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/head/engine"
	"headcount/scan/store"
)

// A store whose clock differs by more than 15 minutes refuses only the first LIST. The client reads the store's time
// from the Date header of that answer, and signs all later requests with it.
func TestStoreClockSkew(t *testing.T) {
	credentials := s3sim.Credentials{AccessKey: "alice", SecretKey: "wonderland", SessionToken: "token"}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "alice", "AWS_SECRET_ACCESS_KEY": "wonderland", "AWS_SESSION_TOKEN": "token",
		"AWS_PROFILE": "", "AWS_REGION": "", "AWS_DEFAULT_REGION": "", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE":             filepath.Join(t.TempDir(), "none"),
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "none"),
	} {
		t.Setenv(name, value)
	}
	for _, ahead := range []time.Duration{0, 5 * time.Minute, time.Hour, -time.Hour, -26 * time.Hour} {
		for _, c := range []struct {
			engine   string
			pipeline int
		}{{engine.Direct, 1}, {engine.Direct, 8}, {engine.SDK, 1}} {
			t.Run(fmt.Sprint(ahead, " ", c.engine, " ", c.pipeline), func(t *testing.T) {
				server, url := simtest.Start(t, s3sim.Options{Objects: 1_500, ClockAhead: ahead, Credentials: credentials})
				s, err := store.Open(t.Context(), store.Config{Bucket: "demo", Endpoints: []string{url}})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(s.Close)
				r := run(t.Context(), t, s, scan.Config{Workers: 4, Engine: c.engine, Pipeline: c.pipeline})
				if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
					t.Fatalf("got error %v, %+v; want no failed or gone object", r.err, r.stats)
				}
				expectAllPrinted(t, server, r.lines)
				refused := int64(0)
				if ahead.Abs() > 15*time.Minute {
					refused = 1
				}
				if lists := r.stats.Requests["list"]["403"]; lists != refused {
					t.Errorf("got %d refused LISTs, want %d", lists, refused)
				}
				if heads := r.stats.Requests["head"]["403"]; heads != 0 {
					t.Errorf("got %d refused HEADs, want 0", heads)
				}
			})
		}
	}
}
