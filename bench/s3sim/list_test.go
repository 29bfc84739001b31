package s3sim

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// listInProcess sends one LIST without a network, because the property tests need thousands.
func listInProcess(t rapid.TB, s *Server, query url.Values) listResult {
	t.Helper()
	c := newConn(s, nil, 1)
	if _, err := c.req.parse([]byte("GET /demo?" + query.Encode() + " HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	c.respond(&c.req)
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(c.out)), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 {
		t.Fatalf("LIST %v: %d %v %.300s", query, response.StatusCode, err, body)
	}
	if headLength(c.out)+len(body) != len(c.out) {
		t.Fatalf("Content-Length %d does not fit %d bytes", len(body), len(c.out)-headLength(c.out))
	}
	return decodeList(t, string(body))
}

// naiveList lists all keys at once, by the words of the documentation.
func naiveList(all []string, prefix, delimiter, after string) (keys, prefixes []string) {
	seen := map[string]bool{}
	for _, key := range all {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		if delimiter != "" {
			if before, _, found := strings.Cut(rest, delimiter); found {
				if rolled := prefix + before + delimiter; rolled > after {
					seen[rolled] = true
				}
				continue
			}
		}
		if key > after {
			keys = append(keys, key)
		}
	}
	return keys, slices.Sorted(maps.Keys(seen))
}

// Paging returns the same keys as the naive listing, for any query, any page size and both versions of the operation.
func TestPagingEqualsTheNaiveListing(t *testing.T) {
	servers := map[Shape]*Server{}
	for _, shape := range Shapes() {
		s, err := New(Options{Objects: 150, Shape: shape})
		if err != nil {
			t.Fatal(err)
		}
		servers[shape] = s
	}
	rapid.Check(t, func(r *rapid.T) {
		s := servers[rapid.SampledFrom(Shapes()).Draw(r, "shape")]
		all := allKeys(s)
		piece := func(label string) string { // the start of a key, or text near it
			key := rapid.SampledFrom(all).Draw(r, label)
			text := key[:rapid.IntRange(0, min(len(key), 20)).Draw(r, label+" cut")]
			return text + rapid.SampledFrom([]string{"", "", "", "\xff", "0", "\x00"}).Draw(r, label+" more")
		}
		prefix, after := "", ""
		if rapid.Bool().Draw(r, "with prefix") {
			prefix = piece("prefix")
		}
		if rapid.Bool().Draw(r, "with start") {
			after = piece("start")
		}
		delimiter := rapid.SampledFrom([]string{"", "/", "/", "//", "0", "-", "\xff", "%"}).Draw(r, "delimiter")
		size := rapid.IntRange(1, 200).Draw(r, "max-keys")
		wantKeys, wantPrefixes := naiveList(all, prefix, delimiter, after)
		page := pageV2
		if rapid.Bool().Draw(r, "V1") {
			page = pageV1
		}
		keys, prefixes := page(r, s, prefix, delimiter, after, size)
		if !slices.Equal(keys, wantKeys) {
			r.Fatalf("%d keys %q, want %d %q", len(keys), keys, len(wantKeys), wantKeys)
		}
		if !slices.Equal(prefixes, wantPrefixes) {
			r.Fatalf("prefixes %q, want %q", prefixes, wantPrefixes)
		}
	})
}

func pageQuery(prefix, delimiter string, size int) url.Values {
	return url.Values{
		"prefix": {prefix}, "delimiter": {delimiter}, "max-keys": {strconv.Itoa(size)}, "encoding-type": {"url"},
	}
}

// pageV2 pages by token.
func pageV2(t rapid.TB, s *Server, prefix, delimiter, after string, size int) (keys, prefixes []string) {
	t.Helper()
	query := pageQuery(prefix, delimiter, size)
	query.Set("list-type", "2")
	query.Set("start-after", after)
	for {
		result := listInProcess(t, s, query)
		checkPage(t, result, query, size)
		keys, prefixes = result.collect(keys, prefixes)
		if result.IsTruncated != (result.NextContinuationToken != "") {
			t.Fatalf("truncated %v with token %q", result.IsTruncated, result.NextContinuationToken)
		}
		if result.StartAfter != after || result.ContinuationToken != query.Get("continuation-token") {
			t.Fatalf("echoes %q and %q", result.StartAfter, result.ContinuationToken)
		}
		if !result.IsTruncated {
			return keys, prefixes
		}
		query.Set("continuation-token", result.NextContinuationToken)
	}
}

// pageV1 pages by marker: NextMarker with a delimiter, else the last key.
func pageV1(t rapid.TB, s *Server, prefix, delimiter, after string, size int) (keys, prefixes []string) {
	t.Helper()
	query := pageQuery(prefix, delimiter, size)
	for marker := after; ; {
		query.Set("marker", marker)
		result := listInProcess(t, s, query)
		checkPage(t, result, query, size)
		keys, prefixes = result.collect(keys, prefixes)
		if result.Marker != marker {
			t.Fatalf("echoes %q", result.Marker)
		}
		if !result.IsTruncated {
			return keys, prefixes
		}
		if (result.NextMarker != "") != (delimiter != "") {
			t.Fatalf("delimiter %q, NextMarker %q", delimiter, result.NextMarker)
		}
		if marker = result.NextMarker; delimiter == "" {
			marker = keys[len(keys)-1]
		}
	}
}

func (r listResult) collect(keys, prefixes []string) (allKeys, allPrefixes []string) {
	for _, p := range r.CommonPrefixes {
		prefixes = append(prefixes, p.Prefix)
	}
	return append(keys, r.keys()...), prefixes
}

// checkPage checks what holds for every page.
func checkPage(t rapid.TB, r listResult, query url.Values, size int) {
	t.Helper()
	n := len(r.Contents) + len(r.CommonPrefixes)
	if n > size || r.IsTruncated && n != size || query.Has("list-type") && r.KeyCount != n {
		t.Fatalf("%d entries of %d, truncated %v, KeyCount %d", n, size, r.IsTruncated, r.KeyCount)
	}
	if r.Name != "demo" || r.Prefix != query.Get("prefix") || r.Delimiter != query.Get("delimiter") ||
		r.MaxKeys != size {
		t.Fatalf("echoes %q %q %q %d", r.Name, r.Prefix, r.Delimiter, r.MaxKeys)
	}
}

func TestListMatchesObjects(t *testing.T) {
	for _, shape := range Shapes() {
		s, err := New(Options{Objects: 500, Shape: shape, Rewritten: 1})
		if err != nil {
			t.Fatal(err)
		}
		result := listInProcess(t, s, url.Values{"list-type": {"2"}, "encoding-type": {"url"}})
		if !slices.Equal(result.keys(), allKeys(s)) {
			t.Fatalf("%s: %d keys", shape, len(result.Contents))
		}
		for _, c := range result.Contents {
			o := s.Object([]byte(c.Key))
			if c.ETag != o.ETag() || c.Size != o.Size() || !c.LastModified.Equal(o.LastModified()) ||
				c.StorageClass != o.StorageClass() {
				t.Errorf("%s: LIST %q: %+v", shape, c.Key, c)
			}
		}
	}
}

// Without encoding-type, a LIST keeps the keys that XML can represent and loses the others, as versitygw does.
func TestListWithoutEncoding(t *testing.T) {
	for _, safe := range []bool{false, true} {
		s, err := New(Options{Objects: 500, Shape: Nasty, XMLSafe: safe})
		if err != nil {
			t.Fatal(err)
		}
		result := listInProcess(t, s, url.Values{"list-type": {"2"}})
		lost := 0
		for i, key := range allKeys(s) {
			if result.Contents[i].Key != key {
				lost++
				if xmlRepresentable(key) || !strings.Contains(result.Contents[i].Key, "\ufffd") {
					t.Errorf("%q is listed as %q", key, result.Contents[i].Key)
				}
			}
		}
		if result.EncodingType != "" || safe != (lost == 0) {
			t.Errorf("XMLSafe %v: %d lost, EncodingType %q", safe, lost, result.EncodingType)
		}
	}
}

func TestListDetails(t *testing.T) {
	s, err := New(Options{Objects: 2500})
	if err != nil {
		t.Fatal(err)
	}
	zero := listInProcess(t, s, url.Values{"list-type": {"2"}, "max-keys": {"0"}})
	if len(zero.Contents) != 0 || zero.IsTruncated {
		t.Error("max-keys=0:", len(zero.Contents), zero.IsTruncated)
	}
	many := listInProcess(t, s, url.Values{"list-type": {"2"}, "max-keys": {"5000"}})
	if len(many.Contents) != 1000 || !many.IsTruncated || many.MaxKeys != 1000 {
		t.Error("max-keys=5000:", len(many.Contents), many.IsTruncated, many.MaxKeys)
	}
	both := listInProcess(t, s, url.Values{
		"list-type": {"2"}, "start-after": {"zzz"}, "continuation-token": {many.NextContinuationToken},
	})
	if len(both.Contents) != 1000 || both.Contents[0].Key != "obj-000000001000" {
		t.Error("a token and start-after:", len(both.Contents))
	}
}

func TestTokens(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		want := token{
			epoch: rapid.Uint32().Draw(r, "epoch"), serial: rapid.Uint32().Draw(r, "number"),
			fromStartAfter: rapid.Bool().Draw(r, "flag"), last: rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(r, "last"),
		}
		text := want.append(nil)
		if got, ok := parseToken(text); !ok || !reflect.DeepEqual(got, want) {
			r.Fatalf("%v is parsed as %v", want, got)
		}
		text[rapid.IntRange(0, len(text)-3).Draw(r, "at")] ^= 1
		if got, ok := parseToken(text); ok {
			r.Fatalf("a changed token is parsed as %v", got)
		}
	})
}

func TestRestartVoidsTokens(t *testing.T) {
	s, address := start(t, Options{Objects: 50})
	page := list(t, address, url.Values{"list-type": {"2"}, "max-keys": {"10"}})
	next := url.Values{"list-type": {"2"}, "max-keys": {"10"}, "continuation-token": {page.NextContinuationToken}}
	if page = list(t, address, next); len(page.Contents) != 10 {
		t.Fatal(len(page.Contents))
	}
	s.Restart()
	response, body := get(t, address, "GET", "/demo?"+next.Encode())
	if response.StatusCode != 400 || !strings.Contains(body, "InvalidArgument") {
		t.Errorf("an old token: %d %s", response.StatusCode, body)
	}
}
