package scan_test

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan"
	"headcount/scan/metrics"
)

// levelOf returns one level of the keys of a sim: each key without the delimiter, and each common prefix once.
func levelOf(server *s3sim.Server, delimiter string) (names []string) {
	keys := server.Keyspace()
	for i := range keys.Len() {
		name := string(keys.Key(i))
		if before, _, grouped := strings.Cut(name, delimiter); grouped && delimiter != "" {
			name = before + delimiter
		}
		if len(names) == 0 || names[len(names)-1] != name {
			names = append(names, name)
		}
	}
	return names
}

func keysOf(t *testing.T, lines []string) (keys []string) {
	t.Helper()
	for _, line := range lines {
		keys = append(keys, lineKey(t, line))
	}
	return keys
}

// A run without HEADs prints each object once, also in several runs, in order, and with a delimiter.
func TestNoHeads(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]scan.Config{
		"parallel":             {Listers: scan.ListersAuto},
		"ordered":              {Listers: scan.ListersAuto, Ordered: true},
		"delimiter":            {Delimiter: "-"},
		"delimiter, V1":        {Delimiter: "-", ListV1: true},
		"longer delimiter":     {Delimiter: "/event-"},
		"delimiter of no key":  {Delimiter: "~"},
		"delimiter, and limit": {Delimiter: "-", Limit: 1_234},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, url := simtest.Start(t, s3sim.Options{Objects: 4_000, Shape: s3sim.Dated})
			cfg.NoHeads = true
			r := runWithKills(t, open(t, url), cfg, nil, rand.New(rand.NewPCG(1, 2)))
			if r.err != nil || !r.stats.Complete || r.stats.Engine != metrics.EngineNone || server.Counts().Heads != 0 {
				t.Fatalf("%+v, %v; %d HEADs", r.stats, r.err, server.Counts().Heads)
			}
			got, want := keysOf(t, r.lines), levelOf(server, cfg.Delimiter)
			if cfg.Delimiter != "" && r.stats.Listers != 1 {
				t.Errorf("%d listers of one level", r.stats.Listers)
			}
			if cfg.Limit > 0 {
				want = want[:cfg.Limit]
			}
			if !cfg.Ordered && cfg.Delimiter == "" {
				slices.Sort(got)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%d keys, want %d", len(got), len(want))
			}
		})
	}
}

// The limit counts listed objects, however few of them a page has, and whether or not they pass the filter.
func TestLimitOfShortPages(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]scan.Config{
		"HEADs":     {All: true},
		"V1":        {All: true, ListV1: true},
		"NoHeads":   {NoHeads: true},
		"delimiter": {NoHeads: true, Delimiter: "-"},
		"filter": {NoHeads: true, Filter: &scan.Filter{Whole: func(r *scan.Record) (bool, error) {
			return strings.Contains(r.Key(), "/00/"), nil
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, url := startWithHandler(t, s3sim.Options{Objects: 500, Shape: s3sim.Dated},
				func(_ http.ResponseWriter, r *http.Request) bool {
					if q := r.URL.Query(); q.Has("max-keys") {
						q.Set("max-keys", "7")
						r.URL.RawQuery = q.Encode()
					}
					return false
				})
			cfg.Limit = 100
			r := runWithKills(t, open(t, url), cfg, nil, rand.New(rand.NewPCG(3, 4)))
			want := levelOf(server, cfg.Delimiter)[:cfg.Limit]
			if cfg.Filter != nil {
				want = slices.DeleteFunc(want, func(key string) bool { return !strings.Contains(key, "/00/") })
			}
			got := keysOf(t, r.lines)
			slices.Sort(got)
			if r.err != nil || r.stats.Listed != cfg.Limit || !r.stats.LimitReached || !slices.Equal(got, want) {
				t.Errorf("%+v, %v; %d keys, want %d", r.stats.Outcomes, r.err, len(got), len(want))
			}
		})
	}
}
