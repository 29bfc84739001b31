package e2e

import (
	"slices"
	"strings"
	"testing"
)

// testList lists levels of the corpus, and all of it, without HEADs.
func testList(t *testing.T, server *s3Server, kind serverKind, headcount headcountBinary) {
	for _, c := range []struct {
		prefix, delimiter string
		args              []string
	}{
		{},
		{args: []string{"--list-objects-v1", "--ordered"}},
		{delimiter: "/"},
		{delimiter: "/", args: []string{"--list-objects-v1"}},
		{prefix: "bulk/", delimiter: "/"},
		{prefix: "bulk/2026/11/22/", delimiter: "/"},
		{prefix: "bulk/", delimiter: "2"},
		{prefix: "bulk/", delimiter: "/", args: []string{"--start-after", "bulk/2026/11", "--limit", "100"}},
	} {
		if kind.trimsKeys && c.prefix == "" && c.delimiter != "" {
			continue // the corpus has such keys
		}
		var keys []string
		for _, o := range corpus() {
			if _, deviates := kind.deviations[o.key]; !deviates && strings.HasPrefix(o.key, c.prefix) {
				keys = append(keys, o.key)
			}
		}
		var want []string // a common prefix has a line feed behind it
		for _, key := range keys {
			rest := strings.TrimPrefix(key, c.prefix)
			if before, _, grouped := strings.Cut(rest, c.delimiter); grouped && c.delimiter != "" {
				key = c.prefix + before + c.delimiter + "\n"
			}
			want = append(want, key)
		}
		slices.Sort(want)
		want = slices.Compact(want)
		if i := slices.Index(c.args, "--start-after"); i >= 0 {
			want = slices.DeleteFunc(want, func(key string) bool { return key <= c.args[i+1] })
			want = want[:min(100, len(want))]
		}

		args := c.args
		if c.delimiter != "" {
			args = append(slices.Clone(args), "--delimiter", c.delimiter)
		}
		listed := headcount.read(t, server, "list", corpusBucket, c.prefix, args...)
		var got []string
		for i := range listed.records {
			r := &listed.records[i]
			key := r.key()
			if r.Prefix {
				key += "\n"
			}
			got = append(got, key)
		}
		slices.Sort(got)
		if listed.code != exitComplete || listed.stats.Heads != 0 || !slices.Equal(got, want) {
			t.Errorf("%q by %q %q: exit %d, %d records, want %d: %s\n%s", c.prefix, c.delimiter, c.args, listed.code,
				len(got), len(want), firstDifference(got, want), listed.stderr)
		}
	}
}
