package scan_test

import (
	"net"
	"regexp"
	"sync"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/store"
)

// A scan runs across midnight UTC. From then on each signature has the new date, credential scope and signing key: the
// store refuses no HEAD.
func TestSignaturesAcrossMidnight(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "alice", "AWS_SECRET_ACCESS_KEY": "wonderland", "AWS_SESSION_TOKEN": "token",
		"AWS_PROFILE": "", "AWS_REGION": "", "AWS_ENDPOINT_URL": "",
		"AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none",
	} {
		t.Setenv(name, value)
	}
	for name, cfg := range engineConfigs() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testSignaturesAcrossMidnight(t, cfg)
		})
	}
}

func testSignaturesAcrossMidnight(t *testing.T, cfg scan.Config) {
	// A slow machine may sign no HEAD before midnight: then the next scan begins earlier.
	for before := 2 * time.Second; before < time.Minute; before *= 2 {
		if scanAtMidnight(t, cfg, before) {
			return
		}
	}
	t.Error("got no HEAD signed before midnight, want at least 1")
}

// scanAtMidnight starts a scan when the store's clock is before midnight by the given time. The scan takes at least one
// second longer than that. The result is false if no HEAD was signed before midnight.
func scanAtMidnight(t *testing.T, cfg scan.Config, before time.Duration) (signedBefore bool) {
	cfg.Workers = max(1, 8/max(1, cfg.Pipeline))
	perSecond := int64(100 * cfg.Workers * max(1, cfg.Pipeline)) // at most, since each HEAD takes 10 ms
	now := time.Now().UTC()
	// The store's clock is so far ahead that it refuses a signature with the time of this machine. The client then signs
	// with the store's time, and crosses midnight with it.
	midnight := now.Add(time.Hour).Truncate(24 * time.Hour).Add(24 * time.Hour)
	days := dayCounter{requests: map[string]int{}}
	server, url := startBehindProxy(t, s3sim.Options{
		Objects: int64(before.Seconds()+1) * perSecond, Latency: 10 * time.Millisecond,
		ClockAhead:  midnight.Sub(now) - before,
		Credentials: s3sim.Credentials{AccessKey: "alice", SecretKey: "wonderland", SessionToken: "token"},
	}, proxy{onRequest: days.onRequest})
	s, err := store.Open(t.Context(), store.Config{Bucket: "demo", Endpoints: []string{url}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	r := run(t.Context(), t, s, cfg)
	if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
		t.Fatalf("got error %v, %+v; want no failed or gone object", r.err, r.stats)
	}
	expectAllPrinted(t, server, r.lines)
	days.mu.Lock()
	defer days.mu.Unlock()
	if days.requests[midnight.Format("20060102")] == 0 {
		t.Errorf("got no HEAD signed after midnight, want at least 1; HEADs by date: %v", days.requests)
	}
	if refused := r.stats.Requests["head"]["403"]; refused != 0 {
		t.Errorf("got %d refused HEADs, want 0", refused)
	}
	return days.requests[midnight.AddDate(0, 0, -1).Format("20060102")] > 0
}

// dayCounter counts HEADs by the date in the credential scope of their signatures.
type dayCounter struct {
	mu       sync.Mutex
	requests map[string]int
}

var signedOn = regexp.MustCompile(`(?s)HEAD .*?Credential=[^/]+/([0-9]{8})/`)

func (w *dayCounter) onRequest(_ net.Conn, text []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, found := range signedOn.FindAllSubmatch(text, -1) {
		w.requests[string(found[1])]++
	}
	return nil
}
