package e2e

import (
	"slices"
	"strings"
	"testing"
)

// filters are expressions with what they mean for the objects of the corpus. listed is what the LIST decides of them.
func filters() map[string]struct{ passes, listed func(object) bool } {
	all := func(object) bool { return true }
	has := func(o object, name string) bool { _, has := o.metadata[name]; return has }
	return map[string]struct{ passes, listed func(object) bool }{
		`metadata.owner == "alice" && size > 14`: {
			func(o object) bool { return o.metadata["owner"] == "alice" && len(o.body) > 14 },
			func(o object) bool { return len(o.body) > 14 },
		},
		`"owner" not in metadata or metadata["cost-center"] matches "^47"`: {
			func(o object) bool {
				return !has(o, "owner") && !has(o, "OWNER") || strings.HasPrefix(o.metadata["cost-center"], "47")
			},
			all,
		},
		`key startsWith "bulk/" && not (key contains "日" || content_type != "text/plain; charset=utf-8")`: {
			func(o object) bool { return strings.HasPrefix(o.key, "bulk/") && !strings.Contains(o.key, "日") },
			func(o object) bool { return strings.HasPrefix(o.key, "bulk/") && !strings.Contains(o.key, "日") },
		},
		`any(values(metadata), len(#) > 1000) || "empty" in metadata && last_modified < now() + duration("1h")`: {
			func(o object) bool {
				for _, value := range o.metadata {
					if len(value) > 1000 {
						return true
					}
				}
				return has(o, "empty")
			},
			all,
		},
	}
}

// testFilters scans the corpus with filters. HEADs are sent for the objects that the LIST does not decide.
func testFilters(t *testing.T, server *s3Server, kind serverKind, headcount headcountBinary) {
	for expression, meaning := range filters() {
		var want, got []string
		heads, unsure := 0, 0
		for _, o := range corpus() {
			if _, deviates := kind.deviations[o.key]; deviates {
				continue
			}
			switch {
			case meaning.listed(o):
				heads++
			case strings.HasPrefix(expression, "key ") && strings.ContainsAny(o.key, "%+\n\uFFFD"):
				unsure++ // these servers do not declare that they encode keys: a HEAD tells the name
			}
			if meaning.passes(o) {
				want = append(want, o.key)
			}
		}
		scanned := headcount.scan(t, server, corpusBucket, "", "--filter", expression)
		for i := range scanned.records {
			got = append(got, scanned.records[i].key())
		}
		slices.Sort(want)
		slices.Sort(got)
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("%s: %d objects, want %d: %s", expression, len(got), len(want), firstDifference(got, want))
		}
		if s := scanned.stats; scanned.code != exitComplete || s.Heads < heads || s.Heads > heads+unsure || s.Filtered != s.Listed-len(want) {
			t.Errorf("%s: exit %d, %+v; want %d to %d HEADs\n%s", expression, scanned.code, s, heads,
				heads+unsure, scanned.stderr)
		}
	}
}
