package field_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/head"
	"headcount/scan/list"
)

// object returns a Record with headers as "name: value".
func object(entry list.Entry, headers ...string) *scan.Record {
	result := &head.Result{Status: 200}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		result.Headers = append(result.Headers, head.Header{Name: []byte(name), Value: []byte(value)})
	}
	r := scan.NewRecord(&entry, result, false)
	return &r
}

// value returns what the accessor of the Field's Type says.
func value(f *field.Field, r *scan.Record) string {
	var value any
	ok := false
	switch f.Type {
	case field.Int:
		value, ok = f.Int(r)
	case field.Bool:
		value, ok = f.Bool(r)
	case field.Time:
		var at time.Time
		at, ok = f.Time(r)
		value = at.Format(time.RFC3339Nano)
	case field.Map:
		var texts scan.Map
		texts, ok = f.Map(r)
		pairs := []string{}
		for _, m := range texts {
			pairs = append(pairs, fmt.Sprintf("{%s %s}", m.Name, m.Value))
		}
		value = pairs
	default:
		var text []byte
		text, ok = f.AppendText([]byte("> "), r)
		value = string(text)
	}
	if !ok {
		return "-"
	}
	return fmt.Sprint(value)
}

// A version is known from the listing of versions. A listing without them says nothing about versions.
func TestVersions(t *testing.T) {
	marker := list.Entry{Key: "k", Size: -1, Details: &list.Details{VersionID: "v1", IsLatest: true, DeleteMarker: true}}
	version := list.Entry{Key: "k", Size: 1, Details: &list.Details{VersionID: "null"}}
	for _, c := range []struct {
		record *scan.Record
		want   string
	}{
		{object(list.Entry{Key: "k"}, "x-amz-version-id: v2"), "> v2 - -"},
		{object(list.Entry{Key: "k", Details: new(list.Details)}), "- - -"},
		{object(version, "x-amz-version-id: null"), "> null false false"},
		{object(version), "> null false false"},
		{object(marker), "> v1 true true"},
	} {
		fields, err := field.Parse("version_id,is_latest,delete_marker")
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range fields {
			got = append(got, value(&fields[i], c.record))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// etagOfParts is the ETag of a multipart upload without the number of its parts.
const etagOfParts = "0123456789abcdef0123456789abcdef"

func TestAccessors(t *testing.T) {
	entry := list.Entry{Key: "k", Size: 7, LastModified: "2026-11-22T01:02:03.004Z"}
	for _, c := range []struct {
		field, value, text string
		record             *scan.Record
	}{
		{"key", "> k", "k", object(entry)},
		{"metadata", "[]", "-", object(entry)},
		{"size", "7", "7", object(entry)},
		{"size", "9", "9", object(entry, "content-length: 9")},
		{"size", "-", "-", object(list.Entry{Key: "k", Size: -1})},
		{"etag", "-", "-", object(entry)},
		{"content_type", "-", "-", object(entry)},
		{"content_type", "> ", "", object(entry, "content-type: ")},
		{"last_modified", "2026-11-22T01:02:03.004Z", "2026-11-22T01:02:03.004Z", object(entry)},
		{"last_modified", "-", "yesterday", object(list.Entry{LastModified: "yesterday"})},
		{"last_modified", "2026-11-22T05:00:00Z", "2026-11-22T05:00:00Z",
			object(list.Entry{}, "last-modified: Sun, 22 Nov 2026 05:00:00 GMT")},
		{"object_lock_retain_until", "2027-01-01T00:00:00.5Z", "2027-01-01T02:00:00.500+02:00",
			object(entry, "x-amz-object-lock-retain-until-date: 2027-01-01T02:00:00.500+02:00")},
		{"tag_count", "2", "2", object(entry, "x-amz-tagging-count: 2")},
		{"tag_count", "-", "-", object(entry)},
		{"parts_count", "-", "-", object(entry, "x-amz-mp-parts-count: many")},
		{"bucket_key_enabled", "false", "false",
			object(entry, "x-amz-server-side-encryption-bucket-key-enabled: false")},
		{"encryption_status", "> NOT-SSE", "NOT-SSE", object(entry)},
		{"encryption_status", "> SSE-S3", "SSE-S3", object(entry, "x-amz-server-side-encryption: AES256")},
		{"encryption_status", "> SSE-KMS", "SSE-KMS", object(entry, "x-amz-server-side-encryption: aws:kms")},
		{"encryption_status", "> DSSE-KMS", "DSSE-KMS", object(entry, "x-amz-server-side-encryption: aws:kms:dsse")},
		{"encryption_status", "> aws:fsx", "aws:fsx", object(entry, "x-amz-server-side-encryption: aws:fsx")},
		{"encryption_status", "> SSE-C", "SSE-C",
			object(entry, "x-amz-server-side-encryption-customer-algorithm: AES256")},
		{"parts_count", "17", "17", object(list.Entry{ETag: etagOfParts + "-17"})},
		{"parts_count", "3", "3", object(list.Entry{ETag: etagOfParts + "-17"}, "x-amz-mp-parts-count: 3")},
		{"parts_count", "-", "-", object(list.Entry{ETag: etagOfParts})},
		{"parts_count", "-", "-", object(list.Entry{ETag: etagOfParts + "-0"})},
		{"parts_count", "-", "-", object(list.Entry{ETag: "2024-17"})},
		{"restore_expiry", "2012-12-21T00:00:00Z", "2012-12-21T00:00:00Z", object(entry,
			`x-amz-restore: ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`)},
		{"restore_expiry", "-", "-", object(entry, `x-amz-restore: ongoing-request="true"`)},
		{"object_lock_event_hold_days", "30", "30", object(entry, "x-amz-object-lock-event-hold-duration-days: 30")},
		{"checksums", "[{crc32 a==} {sha256 b==}]", "-",
			object(entry, "x-amz-checksum-sha256: b==", "x-amz-checksum-type: COMPOSITE", "x-amz-checksum-crc32: a==")},
		{"checksums", "-", "-", object(entry, "x-amz-checksum-type: COMPOSITE")},
		{"headers", "[{a 1,3} {b 2}]", "-", object(entry, "a: 1", "b: 2", "a: 3", "connection: close")},
		{"bucket_key_enabled", "-", "-", object(entry)},
	} {
		fields, err := field.Parse(c.field)
		if err != nil {
			t.Fatal(err)
		}
		f := &fields[0]
		text, ok := f.AppendText([]byte("> "), c.record)
		if !ok {
			text = []byte("> -")
		}
		if got := value(f, c.record); got != c.value || string(text) != "> "+c.text {
			t.Errorf("%s of %s: %q and %q, want %q and %q", c.field, c.record.Key(), got, text, c.value, "> "+c.text)
		}
	}
}

// Values that are encoded words or percent-encoded are decoded. All others stay out of metadata_decoded.
func TestDecodedMetadata(t *testing.T) {
	result := &head.Result{}
	for _, m := range [][2]string{
		{"a", "=?UTF-8?B?5pel5pys?="}, {"b", "=?utf-8?Q?=C3=A9t=C3=A9?="}, {"c", "%E6%97%A5%20x"}, {"d", "plain"},
		{"e", "100%"}, {"f", "%ff"}, {"g", "=?x-unknown?Q?a?="}, {"h", "a+b"},
	} {
		result.Metadata = append(result.Metadata, head.Header{Name: []byte(m[0]), Value: []byte(m[1])})
	}
	r := scan.NewRecord(&list.Entry{Key: "k"}, result, false)
	fields, err := field.Parse("metadata_decoded")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := value(&fields[0], &r), "[{a 日本} {b été} {c 日 x}]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// --header chooses by the names of headers, in any case.
func TestHeaders(t *testing.T) {
	f := field.Headers([]string{"X-Custom", "absent"})
	if got := value(&f, object(list.Entry{}, "x-custom: 1", "date: 2")); got != "[{x-custom 1}]" {
		t.Errorf("%s", got)
	}
}

// A Record without a HEAD has what the LIST ok. Its metadata is not ok, which is not the same as none.
func TestWithoutHead(t *testing.T) {
	entry := list.Entry{Key: "k", Size: 7, ETag: "e", LastModified: "2026-11-22T01:02:03Z", StorageClass: "GLACIER"}
	r := scan.NewRecord(&entry, nil, false)
	var ok []string
	for _, f := range field.Every() {
		if value(&f, &r) != "-" {
			ok = append(ok, f.Name)
			if f.Origin != field.FromList {
				t.Errorf("%s is from the %v", f.Name, f.Origin)
			}
		}
	}
	if want := []string{"key", "size", "etag", "last_modified", "storage_class"}; !slices.Equal(ok, want) {
		t.Errorf("%v, want %v", ok, want)
	}
}

func TestAccessorsDoNotAllocate(t *testing.T) {
	full := object(list.Entry{Key: "k", Size: 7, ETag: "e", LastModified: "2026-11-22T01:02:03.004Z"},
		"content-length: 7", "content-type: text/plain", "x-amz-tagging-count: 2",
		"x-amz-server-side-encryption-bucket-key-enabled: true",
		"x-amz-object-lock-retain-until-date: 2027-01-01T00:00:00Z")
	unlisted := object(list.Entry{Key: "k", Size: -1}, "last-modified: Sun, 22 Nov 2026 05:00:00 GMT")
	fields := slices.Concat(field.All(), field.Always()) // of Further, Maps are made of several values
	text := make([]byte, 0, 100)
	for i := range fields {
		f := &fields[i]
		for _, r := range []*scan.Record{full, unlisted} {
			allocs := testing.AllocsPerRun(10, func() {
				switch f.Type {
				case field.Int:
					f.Int(r)
				case field.Bool:
					f.Bool(r)
				case field.Time:
					f.Time(r)
				case field.Map:
					f.Map(r)
				}
				f.AppendText(text, r)
			})
			if allocs > 0 {
				t.Errorf("%s: %v allocations", f.Name, allocs)
			}
		}
	}
}

func TestParse(t *testing.T) {
	all, err := field.Parse("all")
	if err != nil || len(all) != len(field.All())-3 || slices.Contains(field.Names(all), field.Prefix) {
		t.Errorf("%d fields, %v", len(all), err)
	}
	some, err := field.Parse("size, key")
	if err != nil || !slices.Equal(field.Names(some), []string{"size", "key"}) {
		t.Errorf("%v, %v", field.Names(some), err)
	}
	for _, wrong := range []string{"", "key,", "Key", "key,key", "all,key", "key;size", "changed"} {
		if _, err := field.Parse(wrong); err == nil {
			t.Errorf("%q was accepted", wrong)
		}
	}
}

func TestNamesAreDistinct(t *testing.T) {
	names := field.Names(field.Every())
	slices.Sort(names)
	if distinct := slices.Compact(slices.Clone(names)); len(distinct) != len(names) {
		t.Errorf("some names come twice: %q", names)
	}
}

func TestNeedHead(t *testing.T) {
	fields, err := field.Parse("key,size,etag,last_modified,storage_class,prefix,is_latest,delete_marker,parts_count")
	if err != nil {
		t.Fatal(err)
	}
	if left := field.NeedHead(fields); len(left) > 0 {
		t.Errorf("a LIST gives %v", field.Names(left))
	}
	if left := field.NeedHead(field.All()); len(left) != len(field.All())-len(fields) {
		t.Errorf("%v", field.Names(left))
	}
}

// The page has a row for each Field, as the table has it.
func TestREADME(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	const header = "| field | type | from | meaning |\n| --- | --- | --- | --- |\n"
	_, got, hasTable := strings.Cut(string(page), header)
	if !hasTable {
		t.Fatalf("the page has no table\n%s", header)
	}
	got, _, _ = strings.Cut(got, "\n\n")
	var want strings.Builder
	for _, f := range field.Every() {
		about := f.About
		if f.Permission != "" {
			about += "; needs " + f.Permission
		}
		fmt.Fprintf(&want, "| `%s` | %v | %v | %s |\n", f.Name, f.Type, f.Origin, about)
	}
	if got+"\n" != want.String() {
		t.Errorf("the page's table is\n%s\n\nand the fields are\n%s", got, want.String())
	}
}

// A value that is not of its Field's type is not said, and is not counted as said.
func TestHasNoMalformedValue(t *testing.T) {
	malformed := object(list.Entry{Key: "k", Size: -1}, "x-amz-tagging-count: many", "x-amz-mp-parts-count: ",
		"x-amz-server-side-encryption-bucket-key-enabled: perhaps", "x-amz-missing-meta: -")
	proper := object(list.Entry{Key: "k", Size: -1}, "x-amz-tagging-count: 3", "x-amz-mp-parts-count: 2",
		"x-amz-server-side-encryption-bucket-key-enabled: false", "x-amz-missing-meta: 1")
	for _, f := range slices.Concat(field.All(), field.Always()) {
		switch f.Name {
		case "tag_count", "parts_count", "bucket_key_enabled", "missing_meta":
			if f.Has(malformed) || !f.Has(proper) {
				t.Errorf("%s is counted as said: %v where it is malformed, and %v where it is not", f.Name, f.Has(malformed), f.Has(proper))
			}
		}
	}
}
