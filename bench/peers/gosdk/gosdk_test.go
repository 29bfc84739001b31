package gosdk

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func setKeys(t *testing.T) {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "alice", "AWS_SECRET_ACCESS_KEY": "wonderland", "AWS_CONFIG_FILE": os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
}

// Every object that has metadata is printed once, with all its metadata, and the requests are signed.
func TestRun(t *testing.T) {
	setKeys(t)
	credentials := s3sim.Credentials{AccessKey: "alice", SecretKey: "wonderland"}
	for name, c := range map[string]struct {
		objects int64
		pool    int
	}{"three pages": {2500, 4}, "one worker": {30, 1}, "more workers than keys": {3, 16}, "nothing": {0, 4}} {
		t.Run(name, func(t *testing.T) {
			server, url := simtest.Start(t,
				s3sim.Options{Objects: c.objects, Shape: s3sim.Dated, Credentials: credentials})
			var out strings.Builder
			if err := Run(t.Context(), Config{Endpoint: url, Bucket: "demo", Pool: c.pool}, &out); err != nil {
				t.Fatal(err)
			}
			got := map[string]map[string]string{}
			for line := range strings.Lines(out.String()) {
				var r record
				if err := json.Unmarshal([]byte(line), &r); err != nil || got[r.Key] != nil || len(r.Metadata) == 0 {
					t.Fatalf("%s: %v", line, err)
				}
				got[r.Key] = r.Metadata
			}
			for i := range c.objects {
				key := server.Keyspace().Key(i)
				if want := server.Object(key).Metadata(); !maps.Equal(got[string(key)], want) {
					t.Errorf("%s: %q, want %q", key, got[string(key)], want)
				}
				delete(got, string(key))
			}
			if len(got) > 0 || server.Counts().HeadStatus[200] != c.objects {
				t.Errorf("%d unexpected records; the store counted %+v", len(got), server.Counts())
			}
		})
	}
}

// An error of any stage ends Run and leaves no goroutine: the LIST does not block on workers that have ended.
func TestRunFails(t *testing.T) {
	setKeys(t)
	_, url := simtest.Start(t, s3sim.Options{Objects: 2500})
	_, denying := simtest.Start(t, s3sim.Options{Objects: 2500, Denied: 0.005, Latency: 200 * time.Millisecond})
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		ctx    context.Context
		cfg    Config
		stdout io.Writer
		want   string
	}{
		"LIST":   {t.Context(), Config{url, "another", 4}, io.Discard, "NoSuchBucket"},
		"HEAD":   {t.Context(), Config{denying, "demo", 4}, io.Discard, "403"},
		"stdout": {t.Context(), Config{url, "demo", 4}, full{}, "full"},
		"ctx":    {stopped, Config{url, "demo", 4}, io.Discard, "cancel"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := Run(c.ctx, c.cfg, c.stdout); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("full") }
