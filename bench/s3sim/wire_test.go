package s3sim

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestEscapes(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		text := rapid.SliceOf(rapid.Byte()).Draw(r, "text")
		encoded := appendURLEncoded(nil, text)
		if plain, err := url.QueryUnescape(string(encoded)); err != nil || plain != string(text) {
			r.Fatalf("%q encoded as %q is decoded by net/url as %q, %v", text, encoded, plain, err)
		}
		if plain, ok := appendUnescaped(nil, encoded, true); !ok || string(plain) != string(text) {
			r.Fatalf("%q encoded as %q is decoded as %q", text, encoded, plain)
		}
		path := appendCanonical(nil, text, true)
		if plain, ok := appendUnescaped(nil, path, false); !ok || string(plain) != string(text) {
			r.Fatalf("%q as path %q is decoded as %q", text, path, plain)
		}
		var element struct {
			Text string `xml:",chardata"`
		}
		document := append(appendXML([]byte("<a>"), text), "</a>"...)
		if err := xml.Unmarshal(document, &element); err != nil {
			r.Fatal(err)
		}
		if xmlRepresentable(string(text)) && element.Text != string(text) {
			r.Fatalf("%q is parsed as %q", text, element.Text)
		}
	})
	for text, want := range map[string]string{"a b+c/d*e~%": "a+b%2Bc/d*e~%25", "é\x01": "%C3%A9%01"} {
		if got := string(appendURLEncoded(nil, []byte(text))); got != want {
			t.Errorf("%q is encoded as %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"<&>\"\r": "&lt;&amp;&gt;&quot;&#13;", "a\x01b\xffc\ufffe": "a\ufffdb\ufffdc\ufffd",
	} {
		if got := string(appendXML(nil, []byte(text))); got != want {
			t.Errorf("%q is XML %q, want %q", text, got, want)
		}
	}
	for _, bad := range []string{"%", "%4", "%g1", "a%1"} {
		if _, ok := appendUnescaped(nil, []byte(bad), false); ok {
			t.Errorf("%q is decoded", bad)
		}
	}
	if plain, _ := appendUnescaped(nil, []byte("a+b%2B"), false); string(plain) != "a+b+" {
		t.Errorf("a plus in a path became %q", plain)
	}
}

func TestDigits(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.Int64Range(0, objectsMax-1).Draw(r, "n")
		if got, ok := parseDigits(appendDigits(nil, n, 12)); !ok || got != n {
			r.Fatalf("%d is parsed as %d", n, got)
		}
		h := rapid.Uint64().Draw(r, "h")
		text := string(appendHex64(nil, h))
		naive := ""
		for shift := 60; shift >= 0; shift -= 4 {
			naive += string("0123456789abcdef"[h>>shift&15])
		}
		if text != naive {
			r.Fatalf("%x is %s", h, text)
		}
	})
	// Vectors of http://www.isthe.com/chongo/tech/comp/fnv/
	if ID(nil) != "cbf29ce484222325" || ID([]byte("foobar")) != "85944171f73967e8" {
		t.Error("ID is not FNV-1a")
	}
}

// TestHeadMatchesObject compares the response for every key with its Object, and the parts of the Object with each
// other.
func TestHeadMatchesObject(t *testing.T) {
	for _, shape := range Shapes() {
		s, address := start(t, Options{Objects: 1000, Shape: shape})
		c := dial(t, address)
		withoutMetadata := 0
		ids := map[string]bool{}
		for i := range s.Keyspace().Len() {
			key := s.Keyspace().Key(i)
			c.send("HEAD " + pathOf(key) + " HTTP/1.1\r\nHost: x\r\n\r\n")
			response, _ := c.receive("HEAD")
			o := s.Object(key)
			checkHead(t, key, o, response)
			if o.WithoutMetadata() {
				withoutMetadata++
			}
			ids[response.Header.Get("x-amz-request-id")] = true
		}
		if withoutMetadata < 70 || withoutMetadata > 130 {
			t.Errorf("%s: %d of 1000 objects have no metadata", shape, withoutMetadata)
		}
		if len(ids) != 1000 {
			t.Errorf("%s: %d request ids", shape, len(ids))
		}
	}
}

func checkHead(t *testing.T, key []byte, o Object, response *http.Response) {
	t.Helper()
	h := response.Header
	at, err := time.Parse(http.TimeFormat, h.Get("Last-Modified"))
	if response.StatusCode != 200 || err != nil || !at.Equal(o.LastModified()) || h.Get("ETag") != o.ETag() ||
		response.ContentLength != o.Size() || h.Get("Content-Type") != o.ContentType() {
		t.Errorf("HEAD %q: %d %v", key, response.StatusCode, h)
	}
	if date, err := time.Parse(http.TimeFormat, h.Get("Date")); err != nil || time.Since(date).Abs() > time.Minute {
		t.Errorf("HEAD %q: Date %q", key, h.Get("Date"))
	}
	class, missing := h.Get("x-amz-storage-class"), h.Get("x-amz-missing-meta")
	if (class == "") != (o.StorageClass() == "STANDARD") || class != "" && class != o.StorageClass() ||
		(missing == "2") != (o.MissingMeta() == 2) || h.Get("x-amz-version-id") != o.VersionID() {
		t.Errorf("HEAD %q: %v", key, h)
	}
	metadata := map[string]string{}
	for name, values := range h {
		if meta, ok := strings.CutPrefix(strings.ToLower(name), metaPrefix); ok {
			metadata[meta] = strings.Join(values, ",")
		}
	}
	want := o.Metadata()
	if o.WithoutMetadata() != (len(want) == 0) || !o.WithoutMetadata() && want["id"] != ID(key) {
		t.Errorf("%q: WithoutMetadata %v, Metadata %v", key, o.WithoutMetadata(), want)
	}
	if len(metadata) != len(want) {
		t.Errorf("HEAD %q: %q, want %q", key, metadata, want)
	}
	for name, value := range want {
		if metadata[name] != value {
			t.Errorf("HEAD %q: %s is %q, want %q", key, name, metadata[name], value)
		}
	}
}

func TestNastyMetadataOccurs(t *testing.T) {
	s, err := New(Options{Objects: 3000, Shape: Nasty})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, key := range allKeys(s) {
		o := s.Object([]byte(key))
		for name, value := range o.Metadata() {
			seen[name] = value
		}
		seen["class "+o.StorageClass()], seen["version "+o.VersionID()] = "", ""
		if o.MissingMeta() > 0 {
			seen["missing"] = ""
		}
	}
	for name, want := range map[string]string{
		"empty": "", "utf8": "größe 日本語 😀", "dup": "first,second", "mixedcase": "Kept As It Is",
	} {
		if got, ok := seen[name]; !ok || got != want {
			t.Errorf("%s: %q, %v, want %q", name, got, ok, want)
		}
	}
	for _, name := range []string{
		"class STANDARD_IA", "class STANDARD", "version null", "version ", "missing", "latin1", "project",
	} {
		if _, ok := seen[name]; !ok {
			t.Errorf("%s does not occur", name)
		}
	}
}

func TestHeadStates(t *testing.T) {
	s, address := start(t, Options{
		Objects: 2000, Gone: 0.1, DeleteMarked: 0.1, Denied: 0.1, Rewritten: 0.1, Unlike: 0.1, WebPage: 0.1,
		Broken500: 0.1,
	})
	count := map[HeadState]int{}
	c := dial(t, address)
	for _, key := range allKeys(s) {
		c.send("HEAD " + pathOf([]byte(key)) + " HTTP/1.1\r\nHost: x\r\n\r\n")
		response, _ := c.receive("HEAD")
		state := s.HeadState([]byte(key))
		count[state]++
		want := map[HeadState]int{
			HeadOK: 200, HeadRewritten: 200, HeadUnlike: 200, HeadWebPage: 200,
			HeadGone: 404, HeadDeleteMarked: 405, HeadDenied: 403, HeadBroken500: 500,
		}[state]
		if response.StatusCode != want {
			t.Errorf("%s: %d, want %d", state, response.StatusCode, want)
		}
		if marked := response.Header.Get("x-amz-delete-marker") == "true"; marked != (state == HeadDeleteMarked) {
			t.Errorf("%s: x-amz-delete-marker %v", state, marked)
		}
		o := s.Object([]byte(key))
		same := response.Header.Get("ETag") == o.ETag() && response.ContentLength == o.Size()
		if want == 200 && same != (state == HeadOK) {
			t.Errorf("%s: ETag %s, length %d", state, response.Header.Get("ETag"), response.ContentLength)
		}
	}
	for state, n := range count {
		if state != HeadOK && (n < 140 || n > 260) {
			t.Errorf("%s: %d of 2000", state, n)
		}
	}
	if len(count) != 8 || s.Counts().HeadStatus[405] != int64(count[HeadDeleteMarked]) {
		t.Errorf("%v, counted %v", count, s.Counts().HeadStatus)
	}
}

// TestRequests is a table of requests, their responses and the state of the connection afterwards.
func TestRequests(t *testing.T) {
	_, address := start(t, Options{Objects: 10})
	const (
		end  = " HTTP/1.1\r\nHost: x\r\n\r\n"
		head = "HEAD /demo/obj-000000000003" + end
	)
	for _, test := range []struct {
		name, request, method string
		status                int
		body                  string // part of it
		keepsOpen             bool   // the connection is still open afterwards
	}{
		{"head", head, "HEAD", 200, "", true},
		{"blank lines before", "\r\n\r\n" + head, "HEAD", 200, "", true},
		{"no such key", "HEAD /demo/nope" + end, "HEAD", 404, "", true},
		{"key beyond the last", "HEAD /demo/obj-000000000010" + end, "HEAD", 404, "", true},
		{"other bucket", "HEAD /other/obj-000000000003" + end, "HEAD", 404, "", true},
		{
			"virtual-hosted", "HEAD /obj-000000000003 HTTP/1.1\r\nHost: demo.s3.example:80\r\n\r\n",
			"HEAD", 200, "", true,
		},
		{
			"virtual-hosted list", "GET /?list-type=2&max-keys=1 HTTP/1.1\r\nhost: demo.s3\r\n\r\n",
			"GET", 200, "obj-000000000000", true,
		},
		{"absolute form", "HEAD http://s3/demo/obj-000000000003" + end, "HEAD", 200, "", true},
		{"no cleaning", "HEAD /demo//obj-000000000003" + end, "HEAD", 404, "", true},
		{"no dot segments", "HEAD /demo/x/../obj-000000000003" + end, "HEAD", 404, "", true},
		{"escaped", "HEAD /demo/%6fbj-00000000000%33" + end, "HEAD", 200, "", true},
		{"bad escape", "HEAD /demo/%zz" + end, "HEAD", 400, "", true},
		{"head bucket", "HEAD /demo" + end, "HEAD", 200, "", true},
		{"head other bucket", "HEAD /other/" + end, "HEAD", 404, "", true},
		{"list other bucket", "GET /other?list-type=2" + end, "GET", 404, "<Code>NoSuchBucket</Code>", true},
		{"get object", "GET /demo/obj-000000000003" + end, "GET", 501, "<Code>NotImplemented</Code>", true},
		{"part", "HEAD /demo/obj-000000000003?partNumber=3" + end, "HEAD", 501, "", true},
		{"subresource", "GET /demo?acl" + end, "GET", 501, "NotImplemented", true},
		{"all buckets", "GET /" + end, "GET", 404, "NoSuchBucket", true},
		{
			"put", "PUT /demo/k HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody",
			"PUT", 501, "NotImplemented", false,
		},
		{
			"chunked put", "PUT /demo/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
			"PUT", 501, "NotImplemented", false,
		},
		{
			"body on a get", "GET /demo?list-type=2 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nHEAD",
			"GET", 200, "obj-", true,
		},
		{
			"body on a head", "HEAD /demo/obj-000000000003 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nHEAD",
			"HEAD", 200, "", true,
		},
		{"close", "HEAD /demo HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", "HEAD", 200, "", false},
		{"http/1.0", "HEAD /demo HTTP/1.0\r\n\r\n", "HEAD", 200, "", false},
		{"http/1.0 keep-alive", "HEAD /demo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "HEAD", 200, "", true},
		{"bad list-type", "GET /demo?list-type=3" + end, "GET", 400, "InvalidArgument", true},
		{"bad max-keys", "GET /demo?max-keys=-1" + end, "GET", 400, "InvalidArgument", true},
		{"bad token", "GET /demo?list-type=2&continuation-token=x" + end, "GET", 400, "InvalidArgument", true},
		{"bad encoding", "GET /demo?encoding-type=base64" + end, "GET", 400, "InvalidArgument", true},
		{"no host", "HEAD /demo HTTP/1.1\r\n\r\n", "", 400, "BadRequest", false},
		{"no version", "HEAD /demo\r\nHost: x\r\n\r\n", "", 400, "BadRequest", false},
		{"http/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", 400, "BadRequest", false},
		{"garbage", "\x16\x03\x01 hello\r\n\r\n", "", 400, "BadRequest", false},
		{"folded header", "HEAD /demo HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", "", 400, "BadRequest", false},
		{"blank before colon", "HEAD /demo HTTP/1.1\r\nHost: x\r\nX : y\r\n\r\n", "", 400, "BadRequest", false},
		{"no colon", "HEAD /demo HTTP/1.1\r\nHost\r\n\r\n", "", 400, "BadRequest", false},
		{"withoutMetadata newlines", "HEAD /demo HTTP/1.1\nHost: x\n\n", "", 400, "BadRequest", false},
		{"bad length", "GET /demo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "", 400, "BadRequest", false},
		{
			"large head", "HEAD /demo HTTP/1.1\r\nHost: x\r\nX: " + strings.Repeat("x", requestHeadBytesMax),
			"", 400, "RequestHeaderSectionTooLarge", false,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := dial(t, address).send(test.request)
			response, body := c.receive(test.method)
			if response.StatusCode != test.status || !strings.Contains(body, test.body) {
				t.Fatalf("%d %s", response.StatusCode, body)
			}
			if response.Header.Get("x-amz-request-id") == "" {
				t.Error("no request id")
			}
			if test.keepsOpen {
				c.send(head)
				if response, _ := c.receive("HEAD"); response.StatusCode != 200 {
					t.Errorf("the next request: %d", response.StatusCode)
				}
				return
			}
			if _, err := c.r.ReadByte(); !errors.Is(err, io.EOF) {
				t.Errorf("the connection stays open: %v", err)
			}
		})
	}
}

// TestRequestsInPieces sends pipelined requests, cut at every byte.
func TestRequestsInPieces(t *testing.T) {
	s, err := New(Options{Objects: 10})
	if err != nil {
		t.Fatal(err)
	}
	const requests = "HEAD /demo/obj-000000000001 HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc" +
		"GET /demo?list-type=2 HTTP/1.1\r\nHost: x\r\n\r\n\r\nHEAD /demo/obj-000000000002 HTTP/1.1\r\nHost: x\r\n\r\n"
	responses := func(cut int) string {
		c := newConn(s, nil, 1)
		used, _ := c.respondAll([]byte(requests[:cut]))
		if n, open := c.respondAll([]byte(requests[used:])); used+n != len(requests) || !open {
			t.Errorf("cut at %d: %d and %d bytes used, open %v", cut, used, n, open)
		}
		return string(c.out)
	}
	whole := responses(len(requests))
	if strings.Count(whole, "HTTP/1.1 200 OK") != 3 {
		t.Fatal(whole)
	}
	for cut := range len(requests) {
		if got := responses(cut); got != whole {
			t.Fatalf("cut at %d: %s", cut, got)
		}
	}
}
