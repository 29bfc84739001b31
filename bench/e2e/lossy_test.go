package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// lossyBucketObjects is the number of intact objects among the lossy ones: more than a page.
const lossyBucketObjects = 1200

// testLossyKeys scans objects whose listed key belongs to no object. Each is a failure, and every other object has its
// record.
func testLossyKeys(t *testing.T, server *s3Server, kind serverKind, headcount headcountBinary) {
	const bucket = "lossy"
	server.createBucket(t, bucket)
	var (
		puts, whole []object
		lost        []string
	)
	for _, o := range corpus() {
		deviation, deviates := kind.deviations[o.key]
		if listed := lossyName(o.key); deviates && deviation == lossy(listed) {
			puts, lost = append(puts, o), append(lost, listed)
		} else if !deviates && strings.HasPrefix(o.key, "bulk/") && len(whole) < lossyBucketObjects {
			puts, whole = append(puts, o), append(whole, o)
		}
	}
	slices.Sort(lost)
	server.put(t, bucket, puts)
	for name, args := range listVersions() {
		t.Run(name, func(t *testing.T) {
			got := headcount.scan(t, server, bucket, "", append(args, "--all")...)
			got.wantRecords(t, whole, true, false, time.Time{})
			got.wantLost(t, len(puts), lost)
		})
	}
}

// listVersions returns the flags for both versions of LIST, or with -short for one.
func listVersions() map[string][]string {
	if testing.Short() {
		return map[string][]string{"ListObjectsV2": nil}
	}
	return map[string][]string{"ListObjectsV2": nil, "ListObjects": {"--list-objects-v1"}}
}

// testLossyPlaces has lossy keys at page boundaries, where a listing continues from a key, and pairs of keys that are
// listed as the same key. The scan must find all other objects.
func testLossyPlaces(t *testing.T, server *s3Server, headcount headcountBinary) {
	tests := []struct {
		name  string
		ahead int      // objects before keys; with 999, the first of keys is the last of a page
		keys  []string // in bytewise order
		lost  []string // as they are listed
	}{
		{name: "last of the bucket", ahead: 10, keys: []string{"b\x01"}, lost: []string{"b\ufffd"}},
		{name: "ordered otherwise", ahead: 10, keys: []string{"b\x01", "bz", "c"}, lost: []string{"b\ufffd"}},
		{name: "last of a page", ahead: 999, keys: []string{"b\x01", "bz", "c"}, lost: []string{"b\ufffd"}},
		{
			name: "last two of a page", ahead: 998,
			keys: []string{"b\x01", "b\x02x", "bz", "c"}, lost: []string{"b\ufffd", "b\ufffdx"},
		},
		{name: "first of a page", ahead: 1000, keys: []string{"b\x01", "bz", "c"}, lost: []string{"b\ufffd"}},
		{name: "twins", ahead: 10, keys: []string{"b\x01", "b\x02", "c"}, lost: []string{"b\ufffd", "b\ufffd"}},
		{
			name: "twins on two pages", ahead: 999,
			keys: []string{"b\x01", "b\x02", "c"}, lost: []string{"b\ufffd", "b\ufffd"},
		},
	}
	for i, test := range tests {
		var whole, puts []object
		for n := range test.ahead {
			whole = append(whole, object{key: fmt.Sprintf("a%04d", n), metadata: map[string]string{"n": fmt.Sprint(n)}})
		}
		for n, key := range test.keys {
			o := object{key: key, metadata: map[string]string{"n": key[:1]}, body: fmt.Sprint("body ", n)}
			if puts = append(puts, o); lossyName(key) == key {
				whole = append(whole, o)
			}
		}
		puts = append(puts, whole...)
		bucket := fmt.Sprintf("lossy-place-%d", i)
		server.createBucket(t, bucket)
		server.put(t, bucket, puts)
		for name, args := range listVersions() {
			t.Run(test.name+" by "+name, func(t *testing.T) {
				got := headcount.scan(t, server, bucket, "", args...)
				got.wantRecords(t, whole, true, false, time.Time{})
				got.wantLost(t, len(whole)+len(test.lost), test.lost)
			})
		}
	}
}

// testLossyTwin has two keys that are listed as the same key, which is the true key of one of them. A scan cannot tell
// which entry of the listing belongs to which object, but it must notice that there are two.
func testLossyTwin(t *testing.T, server *s3Server, headcount headcountBinary) {
	const bucket = "lossy-twin"
	server.createBucket(t, bucket)
	intact := object{key: "b\ufffd", metadata: map[string]string{"true": "yes"}, body: "one"}
	beside := object{key: "c", metadata: map[string]string{"true": "yes"}}
	twin := object{key: "b\x01", metadata: map[string]string{"true": "no"}, body: "another"}
	server.put(t, bucket, []object{intact, twin, beside})
	got := headcount.scan(t, server, bucket, "")
	if got.code != exitFailures || got.stats.Listed != 3 || got.stats.Failed == 0 || !got.stats.balanced() {
		t.Errorf("exit %d, %+v\n%s", got.code, got.stats, got.stderr)
	}
	for _, record := range got.records {
		if record.Metadata["true"] != "yes" {
			t.Errorf("%q has the metadata %q of another object", record.key(), record.Metadata)
		}
	}
}

// lossyName returns key as encoding/xml writes it.
func lossyName(key string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == '\ufffe' || r == '\uffff' {
			return utf8.RuneError
		}
		return r
	}, key)
}
