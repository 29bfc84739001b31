package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// lossyBucketObjects is how many whole objects lie among the lossy ones: more than a page.
const lossyBucketObjects = 1200

// testLossyKeys scans objects whose listing names keys that no object has: each is a failure, and every other object
// has its record.
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

// listVersions are the flags for both; with -short there is one.
func listVersions() map[string][]string {
	if testing.Short() {
		return map[string][]string{"ListObjectsV2": nil}
	}
	return map[string][]string{"ListObjectsV2": nil, "ListObjects": {"--list-objects-v1"}}
}

// testLossyPlaces has lossy keys where the listing goes on from a key, and where two keys become one: no other object
// may be lost over that.
func testLossyPlaces(t *testing.T, server *s3Server, headcount headcountBinary) {
	tests := []struct {
		name  string
		ahead int      // objects before these: 999 make the first of these the last of a page
		keys  []string // in the order of their bytes
		lost  []string // as they are listed
	}{
		{name: "last of the bucket", ahead: 10, keys: []string{"b\x01"}, lost: []string{"b\ufffd"}},
		{name: "ordered otherwise", ahead: 10, keys: []string{"b\x01", "bz", "c"}, lost: []string{"b\ufffd"}},
		{name: "last of a page", ahead: 999, keys: []string{"b\x01", "bz", "c"}, lost: []string{"b\ufffd"}},
		{name: "last two of a page", ahead: 998, keys: []string{"b\x01", "b\x02x", "bz", "c"}, lost: []string{"b\ufffd", "b\ufffdx"}},
		{name: "first of a page", ahead: 1000, keys: []string{"b\x01", "bz", "c"}, lost: []string{"b\ufffd"}},
		{name: "twins", ahead: 10, keys: []string{"b\x01", "b\x02", "c"}, lost: []string{"b\ufffd", "b\ufffd"}},
		{name: "twins on two pages", ahead: 999, keys: []string{"b\x01", "b\x02", "c"}, lost: []string{"b\ufffd", "b\ufffd"}},
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

// testLossyTwin has one key that is listed as it is, and another that is listed as the same. Which of them the listing
// means cannot be told, but that there are two can.
func testLossyTwin(t *testing.T, server *s3Server, headcount headcountBinary) {
	const bucket = "lossy-twin"
	server.createBucket(t, bucket)
	whole := object{key: "b\ufffd", metadata: map[string]string{"true": "yes"}, body: "one"}
	beside := object{key: "c", metadata: map[string]string{"true": "yes"}}
	server.put(t, bucket, []object{whole, {key: "b\x01", metadata: map[string]string{"true": "no"}, body: "another"}, beside})
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

// lossyName is key as encoding/xml writes it.
func lossyName(key string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == '\ufffe' || r == '\uffff' {
			return utf8.RuneError
		}
		return r
	}, key)
}
