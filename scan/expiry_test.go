package scan_test

import (
	"flag"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/store"
)

// sessionDuration is the lifetime of the credentials in the test below. bench/runs/2026-11-22-storms has the results of
// 20 s, under this flag's former name, -storms.session.
var sessionDuration = flag.Duration("expiry.session", 2*time.Second, "let credentials expire after this `time`")

// Credentials expire several times during a scan, and a provider has new ones. No object fails, and at most one canary
// is in flight. The provider either knows the time of the expiry, or gives a time one hour too late.
func TestExpiringCredentials(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_REGION": "", "AWS_ENDPOINT_URL": "",
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "none"),
	} {
		t.Setenv(name, value)
	}
	const perSecond = 1_000 // requests, approximately: the scan lifetime for more than two sessions
	objects := int64(sessionDuration.Seconds() * 2.5 * perSecond)
	want := scanBaseline(t, objects)
	for name, cfg := range engineConfigs() {
		if testing.Short() && name != "direct" {
			continue // direct has its own signing code; the other engines are slow with the race detector
		}
		cfg.Workers = max(1, perSecond/100/max(1, cfg.Pipeline))
		for _, expiryKnown := range []bool{true, false} {
			var monitor signatureMonitor
			server, url := startBehindProxy(t, s3sim.Options{
				Objects: objects, Latency: 10 * time.Millisecond, ListLatency: 20 * time.Millisecond,
				Credentials: s3sim.Credentials{AccessKey: "owner", SecretKey: "secret"},
			}, proxy{onRequest: monitor.onRequest, onAnswer: monitor.onAnswer})
			t.Setenv("AWS_CONFIG_FILE", writeRenewingProfile(t, server, *sessionDuration, expiryKnown))
			s, err := store.Open(
				t.Context(),
				store.Config{Bucket: "demo", Profile: "renewing", Endpoints: []string{url}, Connections: 64},
			)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			t.Run(fmt.Sprintf("%s/expiry known: %v", name, expiryKnown), func(t *testing.T) {
				t.Parallel()
				testExpiringCredentials(t, s, cfg, want, &monitor, expiryKnown)
			})
		}
	}
}

func testExpiringCredentials(
	t *testing.T,
	s *store.Store,
	cfg scan.Config,
	want baseline,
	monitor *signatureMonitor,
	expiryKnown bool,
) {
	r := run(t.Context(), t, s, cfg)
	r.expectSameAs(t, want)
	monitor.mu.Lock()
	defer monitor.mu.Unlock()
	t.Logf("%v; %d sessions; %d canaries, at most %d in flight",
		r.stats.Requests, len(monitor.keys), monitor.canaries, monitor.maxInFlight)
	if len(monitor.keys) < 3 {
		t.Errorf("got %d sessions, want at least 3", len(monitor.keys))
	}
	if monitor.maxInFlight > 1 {
		t.Errorf("got %d canaries in flight, want at most 1", monitor.maxInFlight)
	}
	refused := r.stats.Requests["head"]["400"]
	if !expiryKnown && (refused == 0 || monitor.canaries == 0) {
		t.Errorf("got %d refused HEADs and %d canaries, want at least 1 of each", refused, monitor.canaries)
	}
	// If the time of the expiry is known, the store can refuse only requests that are in flight at that time.
	if inFlight := cfg.Workers * max(1, cfg.Pipeline); expiryKnown && refused > int64(inFlight*len(monitor.keys)) {
		t.Errorf("got %d refused HEADs, want at most %d for each session", refused, inFlight)
	}
}

// writeRenewingProfile writes a configuration file with the profile "renewing", and returns its path. The profile's
// credential_process always returns a session that has just begun.
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
func writeRenewingProfile(t *testing.T, server *s3sim.Server, lifetime time.Duration, expiryKnown bool) string {
	dir := t.TempDir()
	file, config := filepath.Join(dir, "session.json"), filepath.Join(dir, "config")
	write := func() error {
		c, expiry := server.NewSession(lifetime), time.Now().Add(lifetime)
		if !expiryKnown {
			expiry = expiry.Add(time.Hour)
		}
		text := fmt.Sprintf(`{"Version":1,"AccessKeyId":%q,"SecretAccessKey":%q,"SessionToken":%q,"Expiration":%q}`,
			c.AccessKey, c.SecretKey, c.SessionToken, expiry.UTC().Format(time.RFC3339Nano))
		if err := os.WriteFile(file+".new", []byte(text), 0o600); err != nil {
			return err
		}
		return os.Rename(file+".new", file)
	}
	if err := write(); err != nil {
		t.Fatal(err)
	}
	profile := "[profile renewing]\nregion = us-east-1\ncredential_process = cat " + file + "\n"
	if err := os.WriteFile(config, []byte(profile), 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		tick := time.NewTicker(lifetime / 20)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if err := write(); err != nil {
					t.Error(err)
				}
			case <-done:
				return
			}
		}
	})
	t.Cleanup(func() { close(done); writer.Wait() })
	return config
}

// signatureMonitor records which access keys sign requests, and how many canaries are in flight.
type signatureMonitor struct {
	mu          sync.Mutex
	keys        map[string]bool
	inFlight    map[net.Conn]bool
	canaries    int
	maxInFlight int // canaries
}

var (
	signedBy = regexp.MustCompile(`Credential=([^/]+)/`)
	isCanary = regexp.MustCompile(`[?&]max-keys=1[& ]`)
)

func (w *signatureMonitor) onRequest(c net.Conn, text []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.keys == nil {
		w.keys, w.inFlight = map[string]bool{}, map[net.Conn]bool{}
	}
	if accessKey := signedBy.FindSubmatch(text); accessKey != nil {
		w.keys[string(accessKey[1])] = true
	}
	if isCanary.Match(text) {
		w.inFlight[c] = true
		w.canaries++
		w.maxInFlight = max(w.maxInFlight, len(w.inFlight))
	}
	return nil
}

func (w *signatureMonitor) onAnswer(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.inFlight, c)
}
