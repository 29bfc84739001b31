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

// stormSession is how long credentials are accepted where they expire. What 20 s brought is kept with the other long
// runs.
var sessionDuration = flag.Duration("storms.session", 2*time.Second, "let credentials expire after so long")

// Credentials that expire again and again, and a provider that has new ones: nothing is lost, and one canary flies at a
// time. The provider tells when they expire, or it does not know and says another time.
func TestExpiringCredentials(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_REGION": "", "AWS_ENDPOINT_URL": "",
		"AWS_SHARED_CREDENTIALS_FILE": filepath.Join(t.TempDir(), "none"),
	} {
		t.Setenv(name, value)
	}
	const perSecond = 1_000 // requests, or so: three sessions are used up by the time all objects are asked for
	objects := int64(sessionDuration.Seconds() * 2.5 * perSecond)
	without := scanBaseline(t, objects)
	for name, cfg := range engineConfigs() {
		if testing.Short() && name != "direct" {
			continue // which signs by itself; the race detector is slow at the others
		}
		cfg.Workers = max(1, perSecond/100/max(1, cfg.Pipeline))
		for _, expiryKnown := range []bool{true, false} {
			var watch signatureMonitor
			server, url := startBehindProxy(t, s3sim.Options{
				Objects: objects, Latency: 10 * time.Millisecond, ListLatency: 20 * time.Millisecond,
				Credentials: s3sim.Credentials{AccessKey: "owner", SecretKey: "secret"},
			}, proxy{onRequest: watch.onRequest, onAnswer: watch.onAnswer})
			t.Setenv("AWS_CONFIG_FILE", writeRenewingProfile(t, server, *sessionDuration, expiryKnown))
			s, err := store.Open(
				t.Context(),
				store.Config{Bucket: "demo", Profile: "renewing", Endpoints: []string{url}, Connections: 64},
			)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			t.Run(fmt.Sprintf("%s, told %v", name, expiryKnown), func(t *testing.T) {
				t.Parallel()
				testExpiringCredentials(t, s, cfg, without, &watch, expiryKnown)
			})
		}
	}
}

func testExpiringCredentials(
	t *testing.T,
	s *store.Store,
	cfg scan.Config,
	without baseline,
	watch *signatureMonitor,
	expiryKnown bool,
) {
	r := run(t.Context(), t, s, cfg)
	r.expectSameAs(t, without)
	watch.mu.Lock()
	defer watch.mu.Unlock()
	t.Logf("%v; %d sessions; %d canaries, %d at once", r.stats.Requests, len(watch.keys), watch.canaries, watch.most)
	if len(watch.keys) < 3 {
		t.Errorf("%d sessions were used", len(watch.keys))
	}
	if watch.most > 1 {
		t.Errorf("%d canaries flew at once", watch.most)
	}
	refused := r.stats.Requests["head"]["400"]
	if !expiryKnown && (refused == 0 || watch.canaries == 0) {
		t.Errorf("%d HEADs were refused, and %d canaries flew: the expiry was not met", refused, watch.canaries)
	}
	// Where it is known when they expire, only what is on its way can be refused.
	if inFlight := cfg.Workers * max(1, cfg.Pipeline); expiryKnown && refused > int64(inFlight*len(watch.keys)) {
		t.Errorf("%d HEADs were refused, and %d were in flight", refused, inFlight)
	}
}

// renewed is a configuration file whose profile "renewing" has a credential_process. It finds a session that has just
// begun. https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
func writeRenewingProfile(t *testing.T, server *s3sim.Server, lasts time.Duration, expiryKnown bool) string {
	dir := t.TempDir()
	file, config := filepath.Join(dir, "session.json"), filepath.Join(dir, "config")
	write := func() error {
		c, expiry := server.NewSession(lasts), time.Now().Add(lasts)
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
	over := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		tick := time.NewTicker(lasts / 20)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if err := write(); err != nil {
					t.Error(err)
				}
			case <-over:
				return
			}
		}
	})
	t.Cleanup(func() { close(over); writer.Wait() })
	return config
}

// keyWatch sees which access keys requests are signed with, and how many canaries are on their way.
type signatureMonitor struct {
	mu       sync.Mutex
	keys     map[string]bool
	flying   map[net.Conn]bool
	canaries int
	most     int // at once
}

var (
	signedBy = regexp.MustCompile(`Credential=([^/]+)/`)
	isCanary = regexp.MustCompile(`[?&]max-keys=1[& ]`)
)

func (w *signatureMonitor) onRequest(c net.Conn, text []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.keys == nil {
		w.keys, w.flying = map[string]bool{}, map[net.Conn]bool{}
	}
	if cfg := signedBy.FindSubmatch(text); cfg != nil {
		w.keys[string(cfg[1])] = true
	}
	if isCanary.Match(text) {
		w.flying[c] = true
		w.canaries++
		w.most = max(w.most, len(w.flying))
	}
	return nil
}

func (w *signatureMonitor) onAnswer(c net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.flying, c)
}
