package headtest

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/store"
)

func testMetadata(t *testing.T, open opener) {
	s := newScriptedStore(t, always(okAnswer(
		"x-amz-meta-zulu: last", "X-Amz-Meta-Alpha:  outer blanks \t", "x-amz-meta-empty:", "x-amz-meta-dup: one",
		"x-amz-meta-utf8: Füße ☃", "x-amz-meta-latin1: F\xfc\xdfe", "X-AMZ-META-Dup: two", "x-amz-meta-inner: a  b",
		"x-amz-meta-mime: =?UTF-8?B?w7w=?=", "ETag: \"e\"", "x-amz-metadata: none", "Last-Modified: whenever",
	)))
	r := headKeys(t, open(t, s), "k")[0]
	const want = `alpha="outer blanks" dup="one,two" empty="" inner="a  b" latin1="F\xfc\xdfe" ` +
		`mime="=?UTF-8?B?w7w=?=" utf8="Füße ☃" zulu="last" `
	if got := text(r.Metadata); got != want {
		t.Errorf("metadata\n %s\nwant\n %s", got, want)
	}
	for name, value := range map[string]string{"content-length": "3", "x-amz-metadata": "none", "etag": `"e"`} {
		if string(r.Get(name)) != value {
			t.Errorf("%s: %s, want %s", name, r.Get(name), value)
		}
	}
	if string(r.ETag()) != "e" || r.Get("absent") != nil {
		t.Errorf("headers %s", r.Headers)
	}
	if r.Status != 200 || r.Err != nil || r.Latency <= 0 || r.Received.IsZero() || r.Region != "us-east-1" {
		t.Errorf("%+v", r)
	}
}

// testHeaders: Config.Headers are in every request.
func testHeaders(t *testing.T, newEngine NewEngine, pipeline int) {
	var missing atomic.Int64
	s := newScriptedStore(t, func(r *http.Request, _ int) string {
		for name, value := range map[string]string{"x-amz-checksum-mode": "ENABLED", "x-amz-z": "1"} {
			if r.Header.Get(name) != value {
				missing.Add(1)
			}
		}
		return okAnswer()
	})
	session := OpenSession(t, newEngine, head.Config{Pipeline: pipeline, Headers: []head.RequestHeader{
		{Name: "x-amz-z", Value: "1"}, {Name: "x-amz-checksum-mode", Value: "ENABLED"},
	}}, s.URL)
	headKeys(t, session, "a", "b", "c")
	if n := missing.Load(); n > 0 {
		t.Errorf("%d headers are missing", n)
	}
}

// testMetadataPrefix: headers under Config.MetadataPrefix are metadata too. Of the others, those under the prefix of
// another vendor are reported, by the first such prefix.
func testMetadataPrefix(t *testing.T, newEngine NewEngine, pipeline int) {
	answer := okAnswer(
		"X-Goog-Meta-Zulu: 1", "x-amz-meta-both: amz", "x-oss-meta-owner: x", "x-goog-meta-both: goog", "x-goog-meta-: none",
		"x-goog-meta-alpha: 2", "x-cos-meta-owner: y", "x-goog-meta-zulu: 3", "x-amz-meta-own: 4", "x-goog-generation: 5",
	)
	for prefix, want := range map[string]struct{ metadata, other string }{
		"":             {`both="amz" own="4" `, "x-cos-meta-"},
		"x-goog-meta-": {`alpha="2" both="amz,goog" own="4" zulu="1,3" `, "x-cos-meta-"},
		"x-cos-meta-":  {`both="amz" own="4" owner="y" `, "x-goog-meta-"},
	} {
		t.Run(prefix, func(t *testing.T) {
			s := newScriptedStore(t, func(_ *http.Request, index int) string {
				if index%2 == 1 {
					return okAnswer("x-amz-meta-own: 4")
				}
				return answer
			})
			session := OpenSession(t, newEngine, head.Config{Pipeline: pipeline, MetadataPrefix: prefix}, s.URL)
			for range 2 {
				r := headKeys(t, session, "k")[0]
				if got := text(r.Metadata); got != want.metadata || string(r.OtherPrefix) != want.other {
					t.Errorf("metadata %s, other prefix %q, want %s, %q", got, r.OtherPrefix, want.metadata, want.other)
				}
				if got := string(r.Get("x-goog-generation")); got != "5" {
					t.Errorf("x-goog-generation: %q", got)
				}
				if r := headKeys(t, session, "k")[0]; text(r.Metadata) != `own="4" ` || r.OtherPrefix != nil {
					t.Errorf("metadata %s, other prefix %q", r.Metadata, r.OtherPrefix)
				}
			}
		})
	}
}

// text returns headers in a form to compare.
func text(headers []head.Header) string {
	var b strings.Builder
	for _, f := range headers {
		fmt.Fprintf(&b, "%s=%q ", f.Name, f.Value)
	}
	return b.String()
}

// testAnswers: every status is an answer, and the Engine sends one request for it.
func testAnswers(t *testing.T, open opener) {
	const headers = "Retry-After: 7\r\nLocation: http://127.0.0.1:1/\r\nx-amz-request-id: R\r\n\r\n"
	for _, status := range []int{
		200, 204, 301, 304, 307, 400, 401, 403, 404, 405, 408, 429, 500, 501, 503, 504, 509, 520,
	} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			s := newScriptedStore(t, always(fmt.Sprintf("HTTP/1.1 %d X\r\n%s", status, headers)))
			r := headKeys(t, open(t, s), "k")[0]
			if r.Status != status || r.Err != nil {
				t.Errorf("status %d, error %v", r.Status, r.Err)
			}
			if string(r.Get("retry-after")) != "7" || string(r.Get("x-amz-request-id")) != "R" {
				t.Errorf("headers %s", r.Headers)
			}
			if n := len(s.Paths()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
	t.Run("long header", func(t *testing.T) {
		value := strings.Repeat("v", 60_000)
		s := newScriptedStore(t, always(okAnswer("x-amz-meta-long: "+value)))
		r := headKeys(t, open(t, s), "k")[0]
		if len(r.Metadata) != 1 || string(r.Metadata[0].Value) != value {
			t.Errorf("status %d, error %v, %d metadata", r.Status, r.Err, len(r.Metadata))
		}
	})
}

// testMismatch: an answer is compared with the LIST, as far as both have an ETag and a size. An answer needs an ETag if
// the LIST has one.
func testMismatch(t *testing.T, open opener) {
	for name, c := range map[string]struct {
		etag   string // of the LIST
		size   int64
		answer string
		want   bool
	}{
		"as listed":               {"e", okLength, okAnswer(`ETag: "e"`), false},
		"another ETag":            {"e", okLength, okAnswer(`ETag: "f"`), true},
		"another length":          {"e", okLength + 1, okAnswer(`ETag: "e"`), true},
		"a weak ETag":             {"e", okLength, okAnswer(`ETag: W/"e"`), false},
		"no ETag listed":          {"", okLength, okAnswer(`ETag: "e"`), false},
		"no ETag listed, length":  {"", okLength + 1, okAnswer(`ETag: "e"`), true},
		"no ETag in the answer":   {"e", okLength, okAnswer(), true},
		"an empty ETag":           {"e", okLength, okAnswer(`ETag: ""`), true},
		"no ETag at all":          {"", okLength, okAnswer(), false},
		"no size listed":          {"e", -1, okAnswer(`ETag: "e"`), false},
		"no size listed, ETag":    {"e", -1, okAnswer(`ETag: "f"`), true},
		"an empty object":         {"e", 0, okAnswer(`ETag: "e"`), true},
		"another ETag with a 404": {"e", 7, "HTTP/1.1 404 NF\r\nETag: \"f\"\r\n\r\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			entry := list.Entry{Key: "k", ETag: c.etag, Size: c.size}
			r := Head(t, open(t, newScriptedStore(t, always(c.answer))), []list.Entry{entry})[0]
			if r.Mismatch != c.want || r.Err != nil {
				t.Errorf("mismatch %v, want %v; error %v", r.Mismatch, c.want, r.Err)
			}
		})
	}
}

// testFailures: a HEAD without a usable answer has a Result with an error, and the Session is usable afterwards.
func testFailures(t *testing.T, open opener) {
	for name, c := range map[string]struct {
		answer string
		class  fault.Class
	}{
		"no status":         {"HTTP/1.1 what\r\n\r\n", fault.Malformed},
		"no HTTP":           {"\x16\x03\x01\r\n\r\n", fault.Malformed},
		"closed in header":  {"HTTP/1.1 200 OK\r\nETag: " + hangUp, fault.Closed},
		"too long a header": {okAnswer("x-a: " + strings.Repeat("a", 2*store.HeaderBytesMax)), fault.HeaderTooLarge},
		"endless 1xx":       {strings.Repeat("HTTP/1.1 103 E\r\n\r\n", 8_000) + okAnswer(), fault.HeaderTooLarge},
		"too many fields":   {okAnswer(manyFields(head.FieldsMax)...), fault.HeaderTooLarge},
		"CR in a value":     {okAnswer("x-amz-meta-a: b\rc"), fault.Malformed},
		"invalid name":      {okAnswer("x-amz-meta-\xc3\xa9: b"), fault.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			session := open(t, newScriptedStore(t, firstThenOK(c.answer)))
			r := headKeys(t, session, "k")[0]
			if r.Status != 0 || Class(&r) != c.class {
				t.Errorf("status %d, error %v (%s), want %s", r.Status, r.Err, Class(&r), c.class)
			}
			if r := headKeys(t, session, "k")[0]; r.Status != 200 {
				t.Errorf("afterwards: status %d, error %v", r.Status, r.Err)
			}
		})
	}
}

// manyFields returns n different header fields.
func manyFields(n int) []string {
	fields := make([]string, n)
	for i := range fields {
		fields[i] = fmt.Sprintf("x-%d: v", i)
	}
	return fields
}

// testControls: a control character in a value is kept, or the object fails by one HEAD: the same answer would come
// again.
func testControls(t *testing.T, open opener) {
	for _, value := range []string{"a\x01b", "\x1b[31mred", "a\x7f"} {
		s := newScriptedStore(t, always(okAnswer("x-amz-meta-a: "+value)))
		r := headKeys(t, open(t, s), "k")[0]
		switch {
		case r.Err != nil && Class(&r) == fault.Malformed && fault.FailureOf(r.Err).Final:
		case r.Err == nil && len(r.Metadata) == 1 && string(r.Metadata[0].Value) == value:
		default:
			t.Errorf("%q: status %d, error %v, metadata %s", value, r.Status, r.Err, r.Metadata)
		}
		if n := len(s.Paths()); n != 1 {
			t.Errorf("%q: %d requests", value, n)
		}
	}
}

// testTimeouts: the timeout of a HEAD ends it, whatever part of an answer arrives, and the Session is usable
// afterwards.
func testTimeouts(t *testing.T, newEngine NewEngine, pipeline int) {
	const timeout = 100 * time.Millisecond // the store answers later than that, if at all
	slow := okAnswer("x-amz-meta-a: " + strings.Repeat("b", int(10*timeout/dripInterval)))
	for name, answer := range map[string]string{
		"no answer":     stall,
		"half a header": "HTTP/1.1 200 OK\r\n" + stall,
		"byte by byte":  slow + drip,
		"half a name":   "HTTP/1.1 200 OK\r\nx-amz-meta-a" + stall,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScriptedStore(t, firstThenOK(answer))
			session := OpenSession(t, newEngine, head.Config{Pipeline: pipeline, Timeout: timeout}, s.URL)
			if r := headKeys(t, session, "k")[0]; r.Status != 0 || Class(&r) != fault.Timeout {
				t.Errorf("status %d, error %v (%s)", r.Status, r.Err, Class(&r))
			}
			const attempts = 100 // on a slow machine a good answer may miss the timeout, too
			for range attempts {
				r := headKeys(t, session, "k")[0]
				if r.Status == 200 {
					return
				}
				if Class(&r) != fault.Timeout {
					t.Fatalf("afterwards: status %d, error %v", r.Status, r.Err)
				}
			}
			t.Errorf("afterwards: no answer to %d HEADs", attempts)
		})
	}
}

func firstThenOK(answer string) func(*http.Request, int) string {
	return func(_ *http.Request, index int) string {
		if index == 0 {
			return answer
		}
		return okAnswer()
	}
}

// testPaths: the path has the key's bytes, percent-encoded once and not normalized.
func testPaths(t *testing.T, open opener) {
	keys := map[string]string{
		"plain/AZaz09-._~": "/b/plain/AZaz09-._~",
		"a b+c%d":          "/b/a%20b%2Bc%25d",
		"%41":              "/b/%2541",
		"?q=1#f&g":         "/b/%3Fq%3D1%23f%26g",
		"é☃😀":              "/b/%C3%A9%E2%98%83%F0%9F%98%80",
		"\xff\x01\n":       "/b/%FF%01%0A",
		"a//b/":            "/b/a//b/",
		"/a":               "/b//a",
		"a/../b/./c":       "/b/a/../b/./c",
		"..":               "/b/..",
		"!*'()":            "/b/%21%2A%27%28%29",
	}
	s := newScriptedStore(t, always(okAnswer()))
	session := open(t, s)
	for key, path := range keys {
		headKeys(t, session, key)
		if got := s.Paths()[len(s.Paths())-1]; got != path {
			t.Errorf("key %q: the path is %s, want %s", key, got, path)
		}
	}
}

// testVersions: the HEAD of a version asks for it, and an answer about another one is unlike the LIST, whatever else is
// equal.
func testVersions(t *testing.T, open opener) {
	s := newScriptedStore(t, func(r *http.Request, _ int) string {
		switch version := r.URL.Query().Get("versionId"); version {
		case "silent":
			return okAnswer(`ETag: "e"`)
		case "other":
			return okAnswer(`ETag: "e"`, "x-amz-version-id: newest")
		default:
			return okAnswer(`ETag: "e"`, "x-amz-version-id: "+version)
		}
	})
	session := open(t, s)
	for _, c := range []struct{ version, query string }{
		{"", ""}, {"null", "?versionId=null"}, {"silent", "?versionId=silent"}, {"other", "?versionId=other"},
		{"a/b+c=&~", "?versionId=a%2Fb%2Bc%3D%26~"},
	} {
		e := list.Entry{Key: "a/k", ETag: "e", Size: okLength, Details: &list.Details{VersionID: c.version}}
		r := Head(t, session, []list.Entry{e})[0]
		isOther := c.version == "other"
		if r.Status != 200 || r.Mismatch != isOther || (r.Different&head.Version != 0) != isOther {
			t.Errorf("version %q: status %d, error %v, mismatch %v: %v", c.version, r.Status, r.Err, r.Mismatch, r.Different)
		}
		if path := s.Paths()[len(s.Paths())-1]; path != "/b/a/k"+c.query {
			t.Errorf("version %q: the path is %s", c.version, path)
		}
	}
}

// testOrder: onResult is called once for every entry, in order, with the entry's own answer.
func testOrder(t *testing.T, open opener) {
	s := newScriptedStore(t, func(r *http.Request, _ int) string { return okAnswer("x-amz-meta-key: " + r.RequestURI) })
	session := open(t, s)
	err := session.Head(t.Context(), new(head.Batch), func(*head.Result) { t.Error("a Result of an empty batch") })
	if err != nil {
		t.Error(err)
	}
	keys := Keys(200)
	for i, r := range headKeys(t, session, keys...) {
		if got, want := string(r.Metadata[0].Value), "/b/"+keys[i]; got != want {
			t.Fatalf("result %d is of %s, want %s", i, got, want)
		}
	}
	if n := s.Connections(); n != 1 {
		t.Errorf("%d connections for one session", n)
	}
}

// testFraming: the answer to a HEAD has no body, whatever its header announces. An HTTP/1.1 client must accept each
// of these answers.
func testFraming(t *testing.T, open opener) {
	cases := map[string]string{
		"length without body":  "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nx-amz-meta-a: b\r\n\r\n",
		"chunked without body": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx-amz-meta-a: b\r\n\r\n",
		"103 before":           "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + okAnswer("x-amz-meta-a: b"),
		"100 before":           "HTTP/1.1 100 Continue\r\n\r\n" + okAnswer("x-amz-meta-a: b"),
		"HTTP/1.0":             "HTTP/1.0 200 OK\r\nx-amz-meta-a: b\r\n\r\n" + hangUp,
		"close":                "HTTP/1.1 200 OK\r\nConnection: close\r\nx-amz-meta-a: b\r\n\r\n" + hangUp,
		"no reason":            "HTTP/1.1 200\r\nx-amz-meta-a: b\r\n\r\n",
		"continuation line":    "HTTP/1.1 200 OK\r\nx-amz-meta-a:\r\n b\r\n\r\n", // RFC 9112 §5.2, obs-fold
		"empty continuation":   "HTTP/1.1 200 OK\r\nx-amz-meta-a: b\r\n \r\n\r\n",
	}
	for name, answer := range cases {
		t.Run(name, func(t *testing.T) {
			session := open(t, newScriptedStore(t, always(answer)))
			for range 3 {
				r := headKeys(t, session, "k")[0]
				if r.Status != 200 || len(r.Metadata) != 1 || string(r.Metadata[0].Value) != "b" {
					t.Fatalf("status %d, error %v, metadata %s", r.Status, r.Err, r.Metadata)
				}
			}
		})
	}
}
