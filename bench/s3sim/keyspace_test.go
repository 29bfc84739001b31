package s3sim

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func keyspaceOf(t testing.TB, o Options) *Keyspace {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s.Keyspace()
}

// TestKeysAreInOrder draws neighbouring keys of buckets of every shape and size.
func TestKeysAreInOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		o := Options{
			Shape:   rapid.SampledFrom(Shapes()).Draw(r, "shape"),
			Objects: rapid.OneOf(rapid.Int64Range(1, 2000), rapid.Int64Range(1, objectsMax)).Draw(r, "objects"),
			XMLSafe: rapid.Bool().Draw(r, "xmlSafe"),
		}
		keys := keyspaceOf(t, o)
		i := rapid.Int64Range(0, o.Objects-1).Draw(r, "i")
		key := keys.Key(i)
		if len(key) == 0 || len(key) > keyBytesMax {
			r.Fatalf("key %d has %d bytes", i, len(key))
		}
		if i+1 < o.Objects && bytes.Compare(key, keys.Key(i+1)) >= 0 {
			r.Fatalf("key %d %q is not below %q", i, key, keys.Key(i+1))
		}
		if got, ok := keys.Index(key); !ok || got != i {
			r.Fatalf("Index(%q) = %d, %v, want %d", key, got, ok, i)
		}
		if got := keys.Rank(key); got != i {
			r.Fatalf("Rank(%q) = %d, want %d", key, got, i)
		}
		if got := keys.Rank(append(key, 0)); got != i+1 {
			r.Fatalf("Rank(%q) = %d, want %d", append(key, 0), got, i+1)
		}
		if string(keys.Append([]byte("before "), i)) != "before "+string(key) {
			r.Fatal("Append changes what is before")
		}
	})
}

// TestSmallKeyspaces compares a Keyspace with the naive implementation: all keys in a slice.
func TestSmallKeyspaces(t *testing.T) {
	for _, shape := range Shapes() {
		for _, objects := range []int64{0, 1, 2, 53, 54, 107, 1000} {
			keys := keyspaceOf(t, Options{Shape: shape, Objects: objects})
			var all []string
			for i := range keys.Len() {
				all = append(all, string(keys.Key(i)))
			}
			distinct := len(slices.Compact(slices.Clone(all)))
			if int64(len(all)) != objects || !slices.IsSorted(all) || distinct != len(all) {
				t.Fatalf("%s, %d objects: %d keys, not sorted or not distinct", shape, objects, len(all))
			}
			if objects > 0 {
				beyond := keys.shape.append(nil, objects)
				if i, ok := keys.Index(beyond); ok {
					t.Errorf("%s, %d objects: %q exists as %d", shape, objects, beyond, i)
				}
			}
			checkAgainst(t, keys, all)
		}
	}
}

// checkAgainst asks for keys that exist and for changed keys, most of which do not.
func checkAgainst(t *testing.T, keys *Keyspace, all []string) {
	rapid.Check(t, func(r *rapid.T) {
		probe := rapid.SliceOf(rapid.Byte()).Draw(r, "bytes")
		if len(all) > 0 && rapid.Bool().Draw(r, "near") {
			probe = []byte(rapid.SampledFrom(all).Draw(r, "key"))
			probe[rapid.IntRange(0, len(probe)-1).Draw(r, "at")] += byte(rapid.IntRange(-1, 1).Draw(r, "by"))
			probe = probe[:rapid.IntRange(0, len(probe)).Draw(r, "cut")]
		}
		at, exists := slices.BinarySearch(all, string(probe))
		if got := keys.Rank(probe); got != int64(at) {
			r.Fatalf("Rank(%q) = %d, want %d", probe, got, at)
		}
		if got, ok := keys.Index(probe); ok != exists || exists && got != int64(at) {
			r.Fatalf("Index(%q) = %d, %v, want %d, %v", probe, got, ok, at, exists)
		}
		beyond := 0
		for _, key := range all {
			if key < string(probe) || strings.HasPrefix(key, string(probe)) {
				beyond++
			}
		}
		if got := keys.rankAfterPrefix(probe, nil); got != int64(beyond) {
			r.Fatalf("rankBeyond(%q) = %d, want %d", probe, got, beyond)
		}
	})
}

// TestShapeExamples checks the examples in the comments of shapes.go.
func TestShapeExamples(t *testing.T) {
	for _, test := range []struct {
		shape   Shape
		objects int64
		i       int64
		want    string
	}{
		{Flat, 1000, 123, "obj-000000000123"},
		{Deep, 10_000, 9_999, "001/001/004/001/004/obj-003"},
		{Dated, 100_000, 0, "2022/01/01/00/event-000000000000.json"},
		{Dated, 100_000, 99_999, "2024/11/07/15/event-000000000003.json"},
		{Skewed, 1000, 500, "logs/000000000440"},
		{UUID, 800, 450, "9040e565-b76a-f158-bfc4-f5fbe13fb413"},
		{Long, 1000, 123, strings.Repeat("long/", 180) + "000000000123"},
		{Unicode, 800, 450, "हिन्दी/000000000050"},
	} {
		key := keyspaceOf(t, Options{Shape: test.shape, Objects: test.objects}).Key(test.i)
		if string(key) != test.want {
			t.Errorf("%s: key %d of %d is %q, want %q", test.shape, test.i, test.objects, key, test.want)
		}
	}
	first := map[byte]int{}
	keys := keyspaceOf(t, Options{Shape: Hashed, Objects: 16_000})
	for i := range keys.Len() {
		first[keys.Key(i)[0]]++
	}
	for digit, n := range first {
		if len(first) != 16 || n < 990 || n > 1010 {
			t.Errorf("hashed: %d keys begin with %c", n, digit)
		}
	}
}

// TestGroupsAreSortedWithTheirCounter has a prefix that begins other prefixes. Their next byte is below the digits, or
// above them.
func TestGroupsAreSortedWithTheirCounter(t *testing.T) {
	keys := &Keyspace{objects: 30, shape: newGroupedKeys([]keyGroup{
		{prefix: "a", keys: 10}, {prefix: "a/", keys: 10}, {prefix: "a:", keys: 10},
	})}
	var all []string
	for i := range keys.Len() {
		all = append(all, string(keys.Key(i)))
	}
	if !slices.IsSorted(all) {
		t.Errorf("%q", all)
	}
	checkAgainst(t, keys, all)
}

func TestNastyHasAllAffixes(t *testing.T) {
	forms := nastyAffixes()
	keys := keyspaceOf(t, Options{Shape: Nasty, Objects: int64(len(forms))})
	var all []string
	longest := 0
	for i := range keys.Len() {
		all = append(all, string(keys.Key(i)))
		longest = max(longest, len(all[i]))
	}
	for _, form := range forms {
		if !slices.Contains(all, form.prefix+strings.Repeat("0", counterWidth)+form.suffix) {
			t.Errorf("no key of %q", form)
		}
	}
	if longest != 1000 {
		t.Errorf("the longest key has %d bytes, want 1000", longest)
	}
	safe := keyspaceOf(t, Options{Shape: Nasty, Objects: 1000, XMLSafe: true})
	for i := range safe.Len() {
		if key := safe.Key(i); !xmlRepresentable(string(key)) {
			t.Errorf("XMLSafe has %q", key)
		}
	}
}
