package engines

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"headcount/bench/s3sim"
	"headcount/scan/metrics"
)

// The clients run in a fixed order, whatever the order of their names on the command line.
func TestClients(t *testing.T) {
	var got []string
	for _, w := range (Config{Workers: 64, Pipeline: 8,
		Clients: []string{"sdk-tls", "pipelined-tls", "direct"}}).clients() {
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
	for _, w := range allClients(Config{Workers: 3}) {
		if w.workers < 1 {
			t.Errorf("%s has no connection", w.name)
		}
	}
}

// A scan that did something else than was asked for is an error.
func TestCheckStats(t *testing.T) {
	asked := client{name: "direct", engine: "direct", workers: 64}
	for name, c := range map[string]struct {
		change func(*metrics.Stats)
		want   string // empty: none
	}{
		"as asked":       {func(*metrics.Stats) {}, ""},
		"engine":         {func(s *metrics.Stats) { s.Engine = "sdk" }, `used the engine "sdk" instead of "direct"`},
		"workers":        {func(s *metrics.Stats) { s.Workers = 16 }, "16 workers instead of 64"},
		"not complete":   {func(s *metrics.Stats) { s.Complete = false }, "not complete"},
		"not balanced":   {func(s *metrics.Stats) { s.Emitted-- }, "read 99 objects of 100"},
		"too few":        {func(s *metrics.Stats) { s.Listed--; s.Emitted-- }, "listed 99 objects of 100"},
		"gone":           {func(s *metrics.Stats) { s.Emitted--; s.Gone++ }, "the scan read 99 objects of 100"},
		"nothing at all": {func(s *metrics.Stats) { *s = metrics.Stats{} }, "engine"},
	} {
		stats := metrics.Stats{
			Complete: true, Engine: "direct", Workers: 64,
			Outcomes: metrics.Outcomes{Listed: 100, Emitted: 90, WithoutMetadata: 10},
		}
		c.change(&stats)
		text, err := json.Marshal(stats)
		if err != nil {
			t.Fatal(err)
		}
		err = checkStats(text, asked, 100)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := checkStats([]byte("{"), asked, 100); err == nil {
		t.Error("a truncated file is accepted")
	}
}

func TestSampleObject(t *testing.T) {
	sim, err := s3sim.New(s3sim.Options{Objects: 1000})
	if err != nil {
		t.Fatal(err)
	}
	key, records, err := sampleObject(1000)
	if records < 500 || records > 999 { // most have metadata, and not all
		t.Errorf("%d of 1,000 have metadata", records)
	}
	if _, exists := sim.Keyspace().Index([]byte(key)); err != nil || !exists ||
		sim.Object([]byte(key)).WithoutMetadata() {
		t.Errorf("%q, %v", key, err)
	}
	if _, _, err := sampleObject(-1); err == nil {
		t.Error("a bucket of -1 objects has a key")
	}
}
