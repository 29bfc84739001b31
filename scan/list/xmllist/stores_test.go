package xmllist

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// The answers of stores in testdata/answers were written after the sources of the stores and after
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html.
func TestDecodeReadsTheAnswersOfStores(t *testing.T) {
	const (
		date  = "2026-11-22T01:02:03.004Z"
		empty = "d41d8cd98f00b204e9800998ecf8427e"

		awsToken   = "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM="
		minioToken = "ZC9lW21pbmlvX2NhY2hlOnYyLHJldHVybjpd"
	)
	entry := func(key, etag, modified, class string, size int64) Entry {
		return Entry{Key: key, ETag: etag, LastModified: modified, StorageClass: class, Size: size}
	}
	prefixes := func(keys ...string) (all []Entry) {
		for _, key := range keys {
			all = append(all, Entry{Key: key, Size: -1, CommonPrefix: true})
		}
		return all
	}
	listings := map[string]*Listing{
		"aws.xml": {Prefix: "logs/", KeyCount: 3, Truncated: true, KeysDeclared: true, NextToken: awsToken, Entries: []Entry{
			entry("logs/2026/11/a b+c%.gz", "70ee1738b6b21e2c8a43f3a5ab0eee71", "2026-11-22T01:02:03.000Z", "STANDARD", 434234),
			entry("logs/2026/11/日本.gz", "9c8af9a76df052144598c115ef33e511-42", "2026-11-22T01:02:04.000Z", "GLACIER", 8589934592),
			entry("logs/2026/11/c\x00\n.gz", empty, "2026-11-22T01:02:05.000Z", "STANDARD", 0),
		}},
		"aws-v1.xml": {Prefix: "logs/", KeyCount: -1, Prefixes: prefixes("logs/2025/"), Truncated: true, KeysDeclared: true, NextToken: "logs/2026/11/a b", Entries: []Entry{
			entry("logs/2026/11/a b", "70ee1738b6b21e2c8a43f3a5ab0eee71", "2026-11-22T01:02:03.000Z", "INTELLIGENT_TIERING", 1),
		}},
		// EncodingType follows the keys.
		"minio.xml": {KeyCount: 2, Truncated: true, KeysDeclared: true, NextToken: minioToken, Entries: []Entry{
			entry("d/a+b c", "5d41402abc4b2a76b9719d911017c592", "2026-11-22T01:02:03.456Z", "STANDARD", 5),
			entry("d/e", "00000000000000000000000000000000-1", "2026-11-22T01:02:04.456Z", "REDUCED_REDUNDANCY", 6291456),
		}},
		"versitygw.xml": {KeyCount: 2, Prefixes: prefixes("p/"), Entries: []Entry{
			entry("a+b 100% & <c>", empty, "2026-11-22T01:02:03Z", "STANDARD", 0),
			entry("größe/\uFFFD", "d41d8cd98f00b204e9800998ecf8427f", "2026-11-22T01:02:03Z", "STANDARD", 7),
		}},
		"gofakes3.xml": {KeyCount: 2, Truncated: true, NextToken: "eg==", Entries: []Entry{
			entry("a\nb'", empty, date, "STANDARD", 0),
			entry("z", empty, date, "", 12),
		}},
		"ceph.xml": {KeyCount: 3, Prefixes: prefixes("p/"), Truncated: true, KeysDeclared: true, NextToken: "d", Entries: []Entry{
			entry("a b+c", empty, date, "STANDARD", 0),
			entry("d", empty, date, "COLD", 3),
		}},
		"prefixed.xml": {KeyCount: -1, Entries: []Entry{entry("a&b ]]>", "abc", "2026-11-22T01:02:03.000Z", "", 1)}},
	}
	refusals := map[string]*ErrorDocument{
		"error-aws.xml":  {"NoSuchBucket", "The specified bucket does not exist", "4442587FB7D0A2F9"},
		"error-ceph.xml": {"NoSuchBucket", "", "tx00000f5-00674-1-default"},
	}
	answers := storeAnswers(t)
	if len(answers) != len(listings)+len(refusals) {
		t.Errorf("%d answers, want %d", len(answers), len(listings)+len(refusals))
	}
	for name, body := range answers {
		got, err := new(Decoder).decode(bytes.NewReader(body), Asked{}, BodyBytesMax)
		var document *ErrorDocument
		if errors.As(err, &document) {
			err = nil
		}
		got.forgetSpelling()
		if err != nil || !reflect.DeepEqual(got, listings[name]) || !reflect.DeepEqual(document, refusals[name]) {
			t.Errorf("%s: %+v, %v, %v", name, got, document, err)
		}
		if err := compareWithTwin(body); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// forgetSpelling removes the keys as they were written. compareWithTwin compares them.
func (l *Listing) forgetSpelling() {
	if l == nil {
		return
	}
	for _, entries := range [][]Entry{l.Entries, l.Prefixes} {
		for i := range entries {
			entries[i].Encoded = ""
		}
	}
}
