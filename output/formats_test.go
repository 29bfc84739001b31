package output

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/head"
	"headcount/scan/list"
)

// Every Format that can be read gives back each value of each Record that it was to write, in their order, whatever
// bytes the values are.
func TestReadBack(t *testing.T) {
	for _, f := range Formats() {
		if f.Name == "parquet" {
			f.Read = readParquet
		}
		if f.Read == nil {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) { checkReadBackOf(t, &f) })
		})
	}
}

func checkReadBackOf(t *rapid.T, f *Format) {
	o := drawOptions(t, f)
	fields, err := f.Fields(o)
	if err != nil {
		t.Fatal(err)
	}
	if !isHandOff(f) {
		fields = slices.Concat(fields, field.Always())
	}
	records := rapid.SliceOfN(rapid.Custom(drawRecord), 0, 4).Draw(t, "records")
	if f.Name == "keys" {
		records = slices.DeleteFunc(records, func(r scan.Record) bool {
			return strings.ContainsAny(r.Key(), "\x00\r\n") // they are refused
		})
	}
	var out bytes.Buffer
	writeAll(t, f, o, &out, records)
	var got, want []string
	for i := range records {
		want = append(want, describe(f, fields, o, &records[i]))
	}
	err = f.Read(bytes.NewReader(out.Bytes()), o, func(r *scan.Record) error {
		got = append(got, describe(f, fields, o, r))
		return nil
	})
	if f.Name == "s3-batch" { // without a version is version null
		for i := range want {
			want[i] = strings.NewReplacer(versionID+" -", versionID+` "null"`, versionID+` ""`, versionID+` "null"`).
				Replace(want[i])
		}
	}
	if err != nil || !slices.Equal(got, want) {
		t.Fatalf("%v\n got %q\nwant %q\nfrom %q", err, got, want, out.String())
	}
}

// writeAll writes Records as two pages, each of two Chunks.
func writeAll(t *rapid.T, f *Format, o *Options, out *bytes.Buffer, records []scan.Record) {
	sink, err := f.New(Stream(t.Context(), out), o)
	if err == nil {
		err = sink.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	half := len(records) / 2
	for _, page := range [][]scan.Record{records[:half], records[half:]} {
		chunks := []scan.Chunk{sink.NewChunk(), sink.NewChunk()}
		for i := range page {
			chunks[2*i/len(page)].Add(&page[i])
		}
		if err := sink.Commit(&list.Page{}, chunks); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := sink.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := sink.Close(); err != nil {
		t.Fatal(err)
	}
}

// isHandOff reports whether a Format has the keys for another program, and not what field.Always says about the object.
func isHandOff(f *Format) bool { return f.Name == "keys" || f.Name == "s3-batch" }

// describe returns what a Record has of some Fields and of Options.Columns.
func describe(format *Format, fields []field.Field, o *Options, r *scan.Record) string {
	var text strings.Builder
	for _, f := range fields {
		if f.Type != field.Map {
			value, ok := f.AppendText(nil, r)
			if f.Type == field.Time && format.Name == "parquet" { // it has times, and not their texts
				var at time.Time
				at, ok = f.Time(r)
				value = at.AppendFormat(nil, time.RFC3339Nano)
			}
			text.WriteString(" " + f.Name + " " + quoteIf(ok, value))
			continue
		}
		texts, ok := f.Map(r)
		for _, name := range columnsOf(o, &f) {
			value := texts.Get(name)
			text.WriteString(" metadata." + name + " " + quoteIf(value != nil, value))
		}
		if len(columnsOf(o, &f)) == 0 {
			text.WriteString(fmt.Sprintf(" %s %v", f.Name, ok))
			for _, m := range texts {
				text.WriteString(fmt.Sprintf(" %q:%q", m.Name, m.Value))
			}
		}
	}
	return text.String()
}

// columnsOf returns the texts of a Map that are columns.
func columnsOf(o *Options, f *field.Field) []string {
	if f.Name != field.Metadata {
		return nil
	}
	return o.Columns
}

func quoteIf(ok bool, value []byte) string {
	if !ok {
		return "-"
	}
	return strconv.Quote(string(value))
}

// drawOptions draws Options that a Format takes.
func drawOptions(t *rapid.T, f *Format) *Options {
	takes := func(flag string) bool { return slices.Contains(f.Flags, flag) && rapid.Bool().Draw(t, flag) }
	o := &Options{Bucket: "b", Null: takes("null"), Safe: takes("csv-safe")}
	if takes("columns") {
		o.Columns = []string{"a", "+", "mode"}
	}
	names := append(field.Names(field.All()), "checksums", "checksum_type", "tags", "annotations")
	names = rapid.Permutation(names).Draw(t, "fields")[:rapid.IntRange(1, len(names)).Draw(t, "count")]
	if isHandOff(f) {
		names = rapid.SampledFrom([][]string{{"key"}, {"key", versionID}}).Draw(t, "fields")
		if f.Name == "keys" {
			names = names[:1]
		}
	}
	var err error
	if o.Fields, err = field.Parse(strings.Join(names, ",")); err != nil {
		t.Fatal(err)
	}
	return o
}

// drawRecord draws a Record with any bytes in any of its values.
func drawRecord(t *rapid.T) scan.Record {
	anyBytes := rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 9), func(b []byte) string { return string(b) })
	anyText := rapid.OneOf(rapid.String(), anyBytes, rapid.SampledFrom([]string{
		"", "a/b.txt", " ", "#", `"`, `""`, "\r", "\n", "a,b", `{"a":"b"}`, "=1+1", "'=1", " '＝1", "''", "\xff", "\\.", "null", "\x00",
		strings.Repeat("long ", 2000),
	}))
	value := rapid.OneOf(anyText, rapid.SampledFrom([]string{
		"7", "-7", "true", "false", "Sun, 22 Nov 2026 05:00:00 GMT", "2027-01-01T00:00:00Z", "AES256", "aws:kms", "NOT-SSE",
		`ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`,
	}))
	entry := &list.Entry{
		Key: anyText.Draw(t, "key"), Size: rapid.Int64Range(-1, 9).Draw(t, "size"), ETag: anyText.Draw(t, "etag"),
		LastModified: rapid.SampledFrom([]string{"", "2026-11-22T01:02:03.004Z"}).Draw(t, "modified"),
		StorageClass: anyText.Draw(t, "class"),
	}
	if rapid.IntRange(0, 3).Draw(t, "a version") == 0 {
		entry.Details = &list.Details{
			VersionID: rapid.SampledFrom([]string{"null", "3/L4,kqt.J", `"`}).Draw(t, "version ID"),
			IsLatest:  rapid.Bool().Draw(t, "is latest"), DeleteMarker: rapid.Bool().Draw(t, "marker"),
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "without a HEAD") == 0 {
		return scan.NewRecord(entry, nil, false)
	}
	result := &head.Result{Status: http.StatusOK}
	for _, f := range slices.Concat(field.All(), field.Always()) {
		if f.Header != "" && rapid.Bool().Draw(t, "has "+f.Header) {
			result.Headers = append(result.Headers, head.Header{
				Name: []byte(f.Header), Value: []byte(value.Draw(t, f.Header)),
			})
		}
	}
	for _, name := range []string{"sha256", "crc32", "type"} {
		if rapid.Bool().Draw(t, "has checksum "+name) {
			result.Headers = append(result.Headers, head.Header{
				Name: []byte("x-amz-checksum-" + name), Value: []byte(value.Draw(t, name)),
			})
		}
	}
	for _, name := range []string{"a", "base64", "mode", "x-%"} {
		if rapid.Bool().Draw(t, "has "+name) {
			result.Metadata = append(result.Metadata, head.Header{
				Name: []byte(name), Value: []byte(value.Draw(t, name)),
			})
		}
	}
	r := scan.NewRecord(entry, result, rapid.Bool().Draw(t, "changed"))
	drawFurther(t, &r, anyText)
	return r
}

// drawFurther gives a Record tags, annotations or neither.
func drawFurther(t *rapid.T, r *scan.Record, value *rapid.Generator[string]) {
	further := &scan.Further{}
	for _, texts := range []*scan.Map{&further.Tags, &further.Annotations} {
		if rapid.Bool().Draw(t, "was asked for") {
			*texts = scan.Map{}
			for _, each := range []string{"Env", "a b", "ü"}[rapid.IntRange(0, 3).Draw(t, "from"):] {
				*texts = append(*texts, head.Header{Name: []byte(each), Value: []byte(value.Draw(t, each))})
			}
		}
	}
	if rapid.Bool().Draw(t, "has further requests") {
		r.SetFurther(further)
	}
}

func BenchmarkFormats(b *testing.B) {
	fields, err := field.Parse("key,size,last_modified,etag,metadata")
	if err != nil {
		b.Fatal(err)
	}
	r := record("2026/11/22/event-000000000042.json", "meta-id: 15e9f6d77a0732ca", "meta-owner: alice",
		"meta-project: apollo", "content-type: text/plain", "content-length: 7")
	for _, f := range Formats() {
		o := &Options{Fields: fields, Bucket: "b"}
		if isHandOff(&f) {
			o.Fields = fields[:1]
		}
		b.Run(f.Name, func(b *testing.B) { benchmarkFormat(b, &f, o, r) })
	}
}

// benchmarkFormat measures a Record of a page of 1,000, with its part of the Commit.
func benchmarkFormat(b *testing.B, f *Format, o *Options, r *scan.Record) {
	sink, err := f.New(Stream(b.Context(), io.Discard), o)
	if err == nil {
		err = sink.Start()
	}
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	chunk := sink.NewChunk()
	for n := 1; b.Loop(); n++ {
		if chunk.Add(r); n%1000 > 0 {
			continue
		}
		if err := sink.Commit(&list.Page{}, []scan.Chunk{chunk}); err != nil {
			b.Fatal(err)
		}
		chunk = sink.NewChunk()
	}
}
