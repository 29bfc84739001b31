package cli

import (
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/bench/scripttest"
	"headcount/scan/exit"
)

// Credentials that expire and cannot be renewed end the run, at its beginning or in the middle.
func TestExpiredCredentials(t *testing.T) {
	for name, lasts := range map[string]time.Duration{"before": -time.Second, "meanwhile": 1500 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			server, url := simtest.Start(t, s3sim.Options{
				Objects: 20_000, Latency: 5 * time.Millisecond,
				Credentials: s3sim.Credentials{AccessKey: "owner", SecretKey: "secret"},
			})
			for name, value := range scripttest.IsolatedEnv(t.TempDir()) {
				t.Setenv(name, value)
			}
			session := server.NewSession(lasts)
			t.Setenv("AWS_ACCESS_KEY_ID", session.AccessKey)
			t.Setenv("AWS_SECRET_ACCESS_KEY", session.SecretKey)
			t.Setenv("AWS_SESSION_TOKEN", session.SessionToken)
			code, stdout, stderr := runs(t, "scan", "--endpoint-url", url, "--workers", "16", "s3://demo")
			for _, says := range []string{
				"error: LIST s3://demo/: 400 Bad Request: ExpiredToken",
				"hint: get new temporary credentials and start again",
			} {
				if !strings.Contains(stderr, says) {
					t.Errorf("it does not say %q", says)
				}
			}
			if code != exit.Fatal || lasts < 0 && stdout != "" {
				t.Errorf("exit %d, want %d; %d bytes were printed\n%s", code, exit.Fatal, len(stdout), stderr)
			}
		})
	}
}
