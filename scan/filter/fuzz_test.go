package filter

import (
	"testing"

	"headcount/scan/list"
)

// No text, and no object, makes a filter panic. A mistake has a place in the text.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{
		`metadata.owner == "alice" && size > 1e6`, `"owner" not in metadata`, `last_modified < date("2025-01-01")`,
		`object_lock_retain_until < now() + duration("720h")`, `any(keys(metadata), # startsWith "x-")`,
		`let n = metadata.n; n != "" && int(n) > 40`, `last_modified.Year() == 2024`, `key[1:3] == "og" ? changed : !changed`,
		`keys(metadata) | filter(len(#) > 3) | map(upper(#)) | len() > 0`, `{"a": 1}.a == 1 || metadata?.owner == ""`,
		"size >\n\tsise", `fromJSON(metadata.n) ?? 1 == 1`, `split(key, "/")[9] == ""`, `size % 0 == 1`, `- - size ** 9 > 1`,
	} {
		f.Add(seed)
	}
	full, bare := testObject(), object(list.Entry{Key: "k", Size: -1})
	f.Fuzz(func(t *testing.T, expression string) {
		filter, err := Compile(expression)
		if err != nil {
			line, at := err.(*Error).Place()
			_ = line[:at]
			return
		}
		filter.mayPass(full)
		filter.mayPass(bare)
		for range 2 {
			_, _ = filter.passes(full)
			_, _ = filter.passes(bare)
		}
	})
}
