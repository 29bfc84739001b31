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

// The day ends in the middle of a scan, in UTC: the date, the scope and the key of a signature change together.
func TestMidnight(t *testing.T) {
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "alice", "AWS_SECRET_ACCESS_KEY": "wonderland", "AWS_SESSION_TOKEN": "token",
		"AWS_PROFILE": "", "AWS_REGION": "", "AWS_ENDPOINT_URL": "", "AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none",
	} {
		t.Setenv(name, value)
	}
	for name, by := range engines() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testMidnight(t, by)
		})
	}
}

func testMidnight(t *testing.T, by scan.Config) {
	const before = 2 * time.Second // of the scan's three
	now := time.Now().UTC()
	midnight := now.Truncate(24 * time.Hour).Add(24 * time.Hour)
	days := dayWatch{requests: map[string]int{}}
	server, url := tapped(t, s3sim.Options{
		Objects: 3_000, Latency: 10 * time.Millisecond, ClockAhead: midnight.Sub(now) - before,
		Credentials: s3sim.Credentials{AccessKey: "alice", SecretKey: "wonderland", SessionToken: "token"},
	}, tap{heard: days.heard})
	s, err := store.Open(t.Context(), store.Config{Bucket: "demo", Endpoints: []string{url}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	by.Workers = max(1, 8/max(1, by.Pipeline))
	r := run(t.Context(), t, s, by)
	if r.err != nil || r.stats.Failed != 0 || r.stats.Gone != 0 {
		t.Fatalf("%v, %+v", r.err, r.stats)
	}
	expect(t, server, r.lines)
	days.mu.Lock()
	defer days.mu.Unlock()
	for _, day := range []string{midnight.AddDate(0, 0, -1).Format("20060102"), midnight.Format("20060102")} {
		if days.requests[day] == 0 {
			t.Errorf("nothing was signed on %s: %v", day, days.requests)
		}
	}
	if refused := r.stats.Requests["head"]["403"]; refused != 0 {
		t.Errorf("%d HEADs were refused", refused)
	}
}

// dayWatch counts HEADs by the day of their signatures' scope.
type dayWatch struct {
	mu       sync.Mutex
	requests map[string]int
}

var signedOn = regexp.MustCompile(`(?s)HEAD .*?Credential=[^/]+/([0-9]{8})/`)

func (w *dayWatch) heard(_ net.Conn, text []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, found := range signedOn.FindAllSubmatch(text, -1) {
		w.requests[string(found[1])]++
	}
	return nil
}
