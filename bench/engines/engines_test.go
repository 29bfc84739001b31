package engines

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"headcount/bench/s3sim"
	"headcount/scan/metrics"
)

func TestParseWays(t *testing.T) {
	names, err := ParseWays("sdk,floor-tls", Ways())
	if err != nil || !slices.Equal(names, []string{"sdk", "floor-tls"}) {
		t.Errorf("%q, %v", names, err)
	}
	for text, want := range map[string]string{
		"":              `there is no way ""`,
		"floor,curl":    `there is no way "curl"; there are: floor, direct, pipelined, sdk, gosdk, floor-tls, direct-tls, pipelined-tls, sdk-tls`,
		"floor, sdk":    `there is no way " sdk"`,
		"sdk,floor,sdk": "the way sdk is named twice",
	} {
		if _, err := ParseWays(text, Ways()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// The ways run in an order of their own, whatever the order in which they are named.
func TestWays(t *testing.T) {
	var got []string
	for _, w := range (Config{Workers: 64, Pipeline: 8, Ways: []string{"sdk-tls", "pipelined-tls", "direct"}}).ways() {
		got = append(got, w.name+" "+strings.Join(w.scanFlags(), " "))
	}
	want := []string{
		"direct --engine direct --workers 64",
		"pipelined-tls --engine direct --workers 16 --pipeline 8",
		"sdk-tls --engine sdk --workers 64",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for _, w := range allWays(Config{Workers: 3}) {
		if w.workers < 1 {
			t.Errorf("%s has no connection", w.name)
		}
	}
}

// A scan of something else than what was asked for is no figure.
func TestCheckScan(t *testing.T) {
	asked := way{name: "direct", engine: "direct", workers: 64}
	for name, c := range map[string]struct {
		change func(*metrics.Stats)
		want   string // empty: no error
	}{
		"as asked":       {func(*metrics.Stats) {}, ""},
		"engine":         {func(s *metrics.Stats) { s.Engine = "sdk" }, `by the engine "sdk", and not by "direct"`},
		"workers":        {func(s *metrics.Stats) { s.Workers = 16 }, "16 workers, and not 64"},
		"not complete":   {func(s *metrics.Stats) { s.Complete = false }, "not complete"},
		"not balanced":   {func(s *metrics.Stats) { s.Emitted-- }, "do not add up"},
		"too few":        {func(s *metrics.Stats) { s.Listed--; s.Emitted-- }, "listed 99 objects, and there are 100"},
		"gone":           {func(s *metrics.Stats) { s.Emitted--; s.Gone++ }, "of 100 objects, the scan read 99"},
		"nothing at all": {func(s *metrics.Stats) { *s = metrics.Stats{} }, "engine"},
	} {
		stats := metrics.Stats{
			Complete: true, Engine: "direct", Workers: 64, Outcomes: metrics.Outcomes{Listed: 100, Emitted: 90, WithoutMetadata: 10},
		}
		c.change(&stats)
		text, err := json.Marshal(stats)
		if err != nil {
			t.Fatal(err)
		}
		err = checkScan(text, asked, 100)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := checkScan([]byte("{"), asked, 100); err == nil {
		t.Error("half an account is taken for one")
	}
}

func TestParseStoreURL(t *testing.T) {
	for flags, want := range map[string]string{
		"--no-sign-request --endpoint-url http://127.0.0.1:9 s3://demo\n": "http://127.0.0.1:9",
		"--endpoint-url": "",
		"":               "",
	} {
		if got, err := parseStoreURL(flags); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", flags, got, err)
		}
	}
}

// What configures AWS here is not what is measured; everything else stays.
func TestCleanEnv(t *testing.T) {
	clean := cleanEnv([]string{"HOME=/home/alice", "AWS_PROFILE=alice", "AWS_ACCESS_KEY_ID=hers", "AWS_CA_BUNDLE=/ca.pem", "PATH=/bin"})
	values := map[string]string{}
	for _, pair := range clean {
		name, value, _ := strings.Cut(pair, "=")
		if _, twice := values[name]; twice {
			t.Errorf("%s is set twice", name)
		}
		values[name] = value
	}
	for name, want := range map[string]string{
		"HOME": "/home/alice", "PATH": "/bin", "AWS_PROFILE": "", "AWS_CA_BUNDLE": "",
		"AWS_ACCESS_KEY_ID": accessKey, "AWS_SECRET_ACCESS_KEY": secretKey, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		if values[name] != want {
			t.Errorf("%s=%s", name, values[name])
		}
	}
}

func TestSurvey(t *testing.T) {
	sim, err := s3sim.New(s3sim.Options{Objects: 1000})
	if err != nil {
		t.Fatal(err)
	}
	key, records, err := survey(1000)
	if records < 500 || records > 999 { // most have metadata, and not all
		t.Errorf("%d of 1,000 have metadata", records)
	}
	if _, exists := sim.Keyspace().Index([]byte(key)); err != nil || !exists || sim.Object([]byte(key)).Bare() {
		t.Errorf("%q, %v", key, err)
	}
	if _, _, err := survey(-1); err == nil {
		t.Error("a bucket of -1 objects has a key")
	}
}

func TestParseCPUModel(t *testing.T) {
	for cpuinfo, want := range map[string]string{
		"processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7763\n\nprocessor\t: 1\nmodel name\t: another\n": "AMD EPYC 7763",
		"processor\t: 0\nCPU part\t: 0xd0c\n": "",
	} {
		if got := parseCPUModel(cpuinfo); got != want {
			t.Errorf("%q: %q", cpuinfo, got)
		}
	}
}
