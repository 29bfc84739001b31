package filter

import (
	"testing"

	"headcount/scan"
)

// The cost of a filter for one object, and of its listed half. Every comparison with a constant takes part; the last
// two expressions need the virtual machine.
func BenchmarkFilter(b *testing.B) {
	for _, c := range []struct{ name, expression string }{
		{"metadata", `metadata.owner == "alice"`},
		{"typical", `key endsWith ".parquet" && size > 1e6 && metadata.owner == "alice"`},
		{"times", `last_modified < date("2025-01-01") && object_lock_retain_until != nil && object_lock_retain_until < now() + duration("720h")`},
		{"matches", `content_type matches "^image/" && "owner" in metadata`},
		{"list", `key startsWith "logs/" && size > 1e6 && storage_class == "GLACIER"`},
		{"machine", `size / 1024 > 4000 && lower(metadata.owner) == "alice"`},
		{"keys", `any(keys(metadata), # startsWith "x-")`},
	} {
		f, err := Compile(c.expression)
		if err != nil {
			b.Fatal(err)
		}
		full, entry := testObject(), testEntry()
		listed := scan.NewRecord(&entry, nil, false)
		b.Run(c.name+"/whole", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if passes, err := f.passes(full); err != nil || !passes {
					b.Fatal(passes, err)
				}
			}
		})
		if f.Scan().Listed == nil {
			continue
		}
		b.Run(c.name+"/listed", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !f.mayPass(&listed) {
					b.Fatal("filtered")
				}
			}
		})
	}
}

// A comparison with a constant allocates nothing.
func TestDirectAllocatesNothing(t *testing.T) {
	for _, expression := range []string{
		`metadata.owner == "alice" && "owner" in metadata && metadata.owner in ["x", "alice"]`,
		`key endsWith ".parquet" && key matches "^logs/" && key < "z" && etag contains "-"`,
		`size > 1e6 && 1 < size && size != 7 && tag_count == 3 && tag_count != nil`,
		`last_modified < date("2025-01-01") && object_lock_retain_until > now() - duration("1h")`,
		`bucket_key_enabled && not changed && missing_meta == 0`,
	} {
		f, err := compileAt(expression, testNow)
		if err != nil {
			t.Fatal(err)
		}
		e := newEvaluation()
		e.record = testObject()
		if passes, err := f.whole.passes(e); !passes || err != nil {
			t.Errorf("%s: %v, %v", expression, passes, err)
		}
		if n := testing.AllocsPerRun(100, func() { _, _ = f.whole.passes(e) }); n > 0 {
			t.Errorf("%s: %v allocations", expression, n)
		}
	}
}
