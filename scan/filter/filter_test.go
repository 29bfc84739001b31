package filter

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/head"
	"headcount/scan/list"
)

// object returns a Record with headers, and with metadata under x-amz-meta-, as "name: value".
func object(entry list.Entry, headers ...string) *scan.Record {
	result := &head.Result{Status: 200}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name, is := strings.CutPrefix(name, "x-amz-meta-"); is {
			result.Metadata = append(result.Metadata, head.Header{Name: []byte(name), Value: []byte(value)})
			continue
		}
		result.Headers = append(result.Headers, head.Header{Name: []byte(name), Value: []byte(value)})
	}
	r := scan.NewRecord(&entry, result, false)
	return &r
}

func testEntry() list.Entry {
	return list.Entry{
		Key: "logs/2024/a.parquet", Size: 5_000_000, ETag: "abc-17", LastModified: "2024-05-06T07:08:09.010Z",
		StorageClass: "GLACIER",
	}
}

func testObject() *scan.Record {
	return object(testEntry(), "content-type: image/png", "x-amz-meta-owner: alice", "x-amz-meta-n: 42",
		"x-amz-meta-raw: gr\xf6\xdfe", "x-amz-meta-x-y: 1", "x-amz-meta-empty: ",
		"x-amz-object-lock-retain-until-date: 2026-01-15T00:00:00Z", "x-amz-tagging-count: 3",
		"x-amz-server-side-encryption-bucket-key-enabled: true")
}

var testNow = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestExpressions(t *testing.T) {
	full, bare := testObject(), object(list.Entry{Key: "k", Size: -1})
	for _, c := range []struct {
		expression string
		full, bare string // the result, or the error
	}{
		{`metadata.owner == "alice" && size > 1e6`, "true", "false"},
		{`"owner" not in metadata`, "false", "true"},
		{`"owner" in metadata`, "true", "false"},
		{`"empty" in metadata && metadata.empty == ""`, "true", "false"},
		{`key endsWith ".parquet"`, "true", "false"},
		{`key startsWith "logs/" and not (key contains "2024")`, "false", "false"},
		{`last_modified < date("2025-01-01")`, "true", "last_modified is not said for this object"},
		{`last_modified == nil || last_modified < date("2025-01-01")`, "true", "true"},
		{`content_type matches "^image/"`, "true", "false"},
		{`object_lock_retain_until < now() + duration("720h")`, "true", "object_lock_retain_until is not said for this object"},
		{`object_lock_retain_until < now() + 10 * duration("24h")`, "false", "object_lock_retain_until is not said for this object"},
		{`object_lock_retain_until != nil && object_lock_retain_until < now() + duration("720h")`, "true", "false"},
		{`now() - last_modified > duration("24h")`, "true", "last_modified is not said for this object"},
		{`last_modified.Year() == 2024`, "true", "last_modified is not said for this object"},
		{`size / 1000 > 4999`, "true", "size is not said for this object"},
		{`size > 4 * 1024 * 1024`, "true", "size is not said for this object"},
		{`size == 5000000 && size != 7 && 7 < size && 5e6 >= size`, "true", "size is not said for this object"},
		{`size != 7`, "true", "size is not said for this object"},
		{`size in [5000000, 2]`, "true", "size is not said for this object"},
		{`(size ?? 0) == 0`, "false", "true"},
		{`size == nil`, "false", "true"},
		{`1 < tag_count < 4`, "true", "tag_count is not said for this object"},
		{`-size < -5`, "true", "size is not said for this object"},
		{`bucket_key_enabled`, "true", "bucket_key_enabled is not said for this object"},
		{`!bucket_key_enabled`, "false", "bucket_key_enabled is not said for this object"},
		{`bucket_key_enabled == true`, "true", "bucket_key_enabled is not said for this object"},
		{`bucket_key_enabled ?? false`, "true", "false"},
		{`bucket_key_enabled != nil`, "true", "false"},
		{`missing_meta > 0`, "false", "false"},
		{`changed or missing_meta == 0`, "true", "true"},
		{`metadata.owner in ["bob", "alice"]`, "true", "false"},
		{`metadata["x-y"] == "1"`, "true", "false"},
		{`"x-y" in metadata`, "true", "false"},
		{`len(metadata) == 0`, "false", "true"},
		{`any(keys(metadata), # startsWith "x-")`, "true", "false"},
		{`keys(metadata) | any(# startsWith "x-")`, "true", "false"},
		{`metadata.raw == "gr\xf6\xdfe"`, "false", "false"}, // the escapes of expr are characters, and not bytes
		{`metadata.raw endsWith "e" && len(metadata.raw) == 5`, "true", "false"},
		{`lower(key) contains "logs" ? metadata.owner == "alice" : true`, "true", "true"},
		{`let n = metadata.n; n != "" && int(n) > 40`, "true", "false"},
		{`let at = last_modified; at < now()`, "true", "last_modified is not said for this object"},
		{`int(metadata.n) > 40`, "true", "int(metadata.n) > 40: invalid operation: int()"},
		{`date(metadata.owner) < now()`, "date(metadata.owner) < now(): invalid date alice", "date(metadata.owner) < now(): invalid date "},
		{`storage_class == "GLACIER" || storage_class == ""`, "true", "true"},
		{`etag matches "-[0-9]+$"`, "true", "false"},
		{`key < "m" && "l" <= key`, "true", "false"},
		{`true`, "true", "true"},
		{`not true || false`, "false", "false"},
		{`metadata.owner == metadata.n`, "false", "true"},
		{`if size > 5 { true } else { false }`, "true", "size is not said for this object"},
		{`split(key, "/")[0] == "logs"`, "true", "false"},
		{`split(key, "/")[1] == "2024"`, "true", `split(key, "/")[1] == "2024": index out of range: 1 (array length is 1)`},
	} {
		f, err := compileAt(c.expression, testNow)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		for _, object := range []struct {
			record *scan.Record
			want   string
		}{{full, c.full}, {bare, c.bare}} {
			passes, err := f.Scan().Whole(object.record)
			got := map[bool]string{true: "true", false: "false"}[passes]
			if err != nil {
				got = err.Error()
			}
			if got != object.want {
				t.Errorf("%s for %s: %s, want %s", c.expression, object.record.Key(), got, object.want)
			}
		}
	}
}

func TestHalves(t *testing.T) {
	for _, c := range []struct{ expression, whole, listed, fields string }{
		{`metadata.owner == "alice" && size > 1e6`, `metadata.owner == "alice" && size > 1e+06`, `size > 1e+06`, "metadata size"},
		{`metadata.owner == "alice" || size > 1`, ``, `true`, "metadata size"},
		{`!(metadata.owner == "alice" || size > 1)`, ``, `size <= 1`, "metadata size"},
		{`not (key in ["a", "b"] or content_type == "")`, ``, `key not in ["a", "b"]`, "key content_type"},
		{`key endsWith ".x" && (size > 1 || etag == "e" && restore != "")`, ``, `key endsWith ".x" && (size > 1 || etag == "e")`, "key size etag restore"},
		{`key endsWith ".x" && (size > 1 || restore != "")`, ``, `key endsWith ".x"`, "key size restore"},
		{`not (key endsWith ".x") && not (last_modified < date("2025-01-01"))`, ``, `not (key endsWith ".x") && last_modified >= date("2025-01-01")`, "key last_modified"},
		{`(size > 1 ? key == "a" : key == "b") && len(metadata) > 0`, ``, `(size > 1 ? key == "a" : key == "b")`, "key metadata size"},
		{`false && metadata.a == ""`, ``, `false`, "metadata"},
		{`changed`, ``, `true`, "changed"},
		{`size in [1, 2] and now() > last_modified`, ``, `size in [1, 2] && now() > last_modified`, "size last_modified"},
	} {
		f, err := Compile(c.expression)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		if c.whole != "" && f.Whole() != c.whole {
			t.Errorf("%s: whole %s, want %s", c.expression, f.Whole(), c.whole)
		}
		if got := strings.Join(field.Names(f.Fields()), " "); f.Listed() != c.listed || got != c.fields {
			t.Errorf("%s: %s by %s, want %s by %s", c.expression, f.Listed(), got, c.listed, c.fields)
		}
		if hasHalf := f.Scan().Listed != nil; hasHalf != (c.listed != "true") {
			t.Errorf("%s: has a half: %v", c.expression, hasHalf)
		}
		if _, err := Compile(f.Listed()); err != nil {
			t.Errorf("the half of %s: %v", c.expression, err)
		}
		if _, err := Compile(f.Whole()); err != nil {
			t.Errorf("the spelling of %s: %v", c.expression, err)
		}
	}
}

// One filter is for all workers.
func TestConcurrentUse(t *testing.T) {
	f, err := Compile(`lower(metadata.owner) == "alice" && key matches "logs" && size / 2 > 1 && any(keys(metadata), # == "n")`)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			passing, other := testObject(), object(testEntry(), "x-amz-meta-owner: bob")
			for range 100 {
				if passes, err := f.Scan().Whole(passing); !passes || err != nil {
					t.Error(passes, err)
				}
				if passes, err := f.Scan().Whole(other); passes || err != nil {
					t.Error(passes, err)
				}
			}
		})
	}
	wg.Wait()
}

// A map has no order: keys and values are sorted, so that a filter gives one answer.
func TestKeysAreSorted(t *testing.T) {
	entry := testEntry()
	result := &head.Result{Status: 200}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		result.Metadata = append(result.Metadata, head.Header{Name: []byte(name), Value: []byte("of " + name)})
	}
	r := scan.NewRecord(&entry, result, false)
	for _, expression := range []string{
		`first(keys(metadata)) == "a" && last(keys(metadata)) == "f"`, `values(metadata)[1] == "of b"`,
	} {
		f, err := Compile(expression)
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			if passes, err := f.passes(&r); !passes || err != nil {
				t.Fatalf("%s: %v, %v", expression, passes, err)
			}
		}
	}
}

func TestTexts(t *testing.T) {
	for expression, want := range map[string]string{
		`metadata["a b"] == "" || "b" in metadata || metadata.owner != metadata.a || len(metadata) > 3 && tags.Env == "x"`: "metadata.a metadata.a b metadata.b metadata.owner tags.Env",
		`size > 1`: "",
	} {
		f, err := Compile(expression)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, text := range f.Texts() {
			names = append(names, text.String())
		}
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %q, want %q", expression, got, want)
		}
	}
}

// A source other than a LIST has some Fields without a HEAD, and lacks others that a LIST has. Where its Record has no
// value of its Fields, no HEAD is needed to know that.
func TestReadFrom(t *testing.T) {
	status := func(value string) *list.Details {
		return &list.Details{Headers: []list.DetailHeader{{Name: "x-amz-replication-status", Value: value}}}
	}
	for _, c := range []struct {
		expression, listed string
		details            *list.Details
		mayPass            bool
	}{
		{`replication_status == "FAILED" && metadata.owner == "x"`, `replication_status == "FAILED"`, status("FAILED"), true},
		{`replication_status == "FAILED" && metadata.owner == "x"`, `replication_status == "FAILED"`, nil, false},
		{`replication_status == "" && size > 5`, `replication_status == ""`, nil, true},
		{`replication_status == "" && size > 5`, `replication_status == ""`, status("FAILED"), false},
		{`len(replication_status) > 2 && size > 5`, `len(replication_status) > 2`, nil, false},
		{`object_lock_retain_until != nil`, `object_lock_retain_until != nil`, nil, false},
		{`object_lock_retain_until < now()`, `object_lock_retain_until < now()`, nil, true}, // its error is for the whole
		{`size > 5`, `true`, nil, true},
	} {
		f, err := Compile(c.expression)
		if err != nil {
			t.Fatal(err)
		}
		f.ReadFrom([]string{"key", "replication_status", "object_lock_retain_until"})
		r := scan.NewRecord(&list.Entry{Key: "k", Size: 7, Details: c.details}, nil, false)
		if f.Listed() != c.listed || f.mayPass(&r) != c.mayPass {
			t.Errorf("%s: %q, may pass: %v", c.expression, f.Listed(), f.mayPass(&r))
		}
	}
}

// The half of the HEAD decides before a further request is sent. What the HEAD does not say, it will not say later. An
// object that the half refuses has no error, whether the request was sent or not.
func TestHeaded(t *testing.T) {
	with := func(tags scan.Map, headers ...string) *scan.Record {
		r := object(list.Entry{Key: "k", Size: 7}, headers...)
		if tags != nil {
			r.SetFurther(&scan.Further{Tags: tags})
		}
		return r
	}
	prod := scan.Map{{Name: []byte("Env"), Value: []byte("prod")}}
	for _, c := range []struct {
		expression, headed string
		r                  *scan.Record
		mayPass            bool
		passes             string
	}{
		{`tags.Env == "prod" && size > 5`, "size > 5", with(prod), true, "true"},
		{`tags.Env == "prod" && size > 9`, "size > 9", with(nil), false, "false"},
		{`tags.env == "prod"`, "true", with(prod), true, "false"},
		{`tags["Env"] in ["prod", "dev"] && "a b" not in tags`, "true", with(prod), true, "true"},
		{`"Env" in tags && content_type == "text/plain"`, `content_type == "text/plain"`, with(nil), false, "false"},
		{`"Env" in tags && content_type == "text/plain"`, `content_type == "text/plain"`,
			with(prod, "content-type: text/plain"), true, "true"},
		{`len(tags) == 0 || tag_count > 3`, "true", with(nil), true, "error"},
		{`len(tags) == 0 && tag_count == nil`, "tag_count == nil", with(nil, "x-amz-tagging-count: 2"), false, "false"},
		{`any(values(tags), # startsWith "pr") && object_lock_mode != ""`, `object_lock_mode != ""`, with(prod), false, "false"},
		{`not (tags.Env != "prod" or metadata.owner == "x")`, `metadata.owner != "x"`, with(prod), true, "true"},
		{`annotations.a == "1" && size > 9`, "size > 9", with(prod), false, "false"},
		{`annotations.a == "1" && size > 5`, "size > 5", with(prod), true, "error"}, // not asked for
	} {
		f, err := Compile(c.expression)
		if err != nil {
			t.Fatal(err)
		}
		s := f.Scan()
		value, err := s.Whole(c.r)
		passes := strconv.FormatBool(value)
		if err != nil {
			passes = "error"
		}
		mayPass := s.Headed == nil || s.Headed(c.r)
		if f.Headed() != c.headed || mayPass != c.mayPass || passes != c.passes {
			t.Errorf("%s: %q, may pass: %v, passes: %s %v", c.expression, f.Headed(), mayPass, passes, err)
		}
	}
}
