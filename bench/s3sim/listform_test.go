package s3sim

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// listBody returns the body of one LIST.
func listBody(t *testing.T, s *Server, query string) string {
	t.Helper()
	c := newConn(s, nil, 1)
	if _, err := c.req.parse([]byte("GET /demo?" + query + " HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	c.respond(&c.req)
	response, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(c.out)), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestListForms(t *testing.T) {
	const (
		object = "Key LastModified ETag ChecksumAlgorithm ChecksumType Size StorageClass" // of ListAWS
		aws    = "Name Prefix NextContinuationToken KeyCount MaxKeys EncodingType IsTruncated"
		minio  = "Name Prefix NextContinuationToken KeyCount MaxKeys IsTruncated"
	)
	want := map[ListForm]struct{ page, object, quote string }{
		"":      {aws + " Contents", object, "&quot;"},
		ListAWS: {aws + " Contents", object, "&quot;"},
		ListMinIO: {minio + " Contents EncodingType",
			"Key LastModified ETag Size Owner StorageClass", "&#34;"},
		ListVersitygw: {"Contents MaxKeys IsTruncated NextContinuationToken KeyCount Name Prefix",
			"ETag Key LastModified Size StorageClass", "&#34;"},
		ListCeph: {"EncodingType Name Prefix MaxKeys IsTruncated Contents NextContinuationToken KeyCount",
			"Key LastModified ETag Size StorageClass Owner Type", "&quot;"},
	}
	if len(want) != len(ListForms())+1 {
		t.Errorf("%d forms", len(ListForms()))
	}
	for form, want := range want {
		s, err := New(Options{Objects: 2, ListForm: form})
		if err != nil {
			t.Fatal(err)
		}
		body := listBody(t, s, "list-type=2&encoding-type=url&max-keys=1")
		_, body, _ = strings.Cut(body, "/doc/2006-03-01/\">")
		before, rest, _ := strings.Cut(body, "<Contents>")
		object, after, _ := strings.Cut(rest, "</Contents>")
		if got := elements(before + "<Contents></Contents>" + after); got != want.page {
			t.Errorf("a page of %q has %s, want %s", form, got, want.page)
		}
		if got := elements(object); got != want.object || !strings.Contains(object, "<ETag>"+want.quote) {
			t.Errorf("an object of %q has %s, want %s: %s", form, got, want.object, object)
		}
	}
}

// elements returns the names of consecutive elements at the start of body.
func elements(body string) string {
	element := regexp.MustCompile(`^<([A-Za-z]+)>`)
	var names []string
	for {
		m := element.FindStringSubmatch(body)
		if m == nil {
			return strings.Join(names, " ")
		}
		names = append(names, m[1])
		_, body, _ = strings.Cut(body, "</"+m[1]+">")
	}
}

// All forms list the same objects.
func TestListFormsMatchObjects(t *testing.T) {
	for _, form := range ListForms() {
		s, err := New(Options{Objects: 300, Shape: Nasty, XMLSafe: true, ListForm: form})
		if err != nil {
			t.Fatal(err)
		}
		all, result := allKeys(s), listInProcess(t, s, url.Values{"list-type": {"2"}, "encoding-type": {"url"}})
		if len(result.Contents) != len(all) || (result.EncodingType == "url") != form.honoursEncodingType() {
			t.Fatalf("%s: %d of %d keys, EncodingType %q", form, len(result.Contents), len(all), result.EncodingType)
		}
		for i, c := range result.Contents {
			o := s.Object([]byte(all[i]))
			if c.Key != all[i] || c.ETag != o.ETag() || c.Size != o.Size() || !c.LastModified.Equal(o.LastModified()) ||
				c.StorageClass != o.StorageClass() {
				t.Errorf("%s: %q is listed as %+v", form, all[i], c)
			}
		}
	}
	_, err := New(Options{ListForm: "xml"})
	if err == nil || !strings.Contains(err.Error(), "aws, minio, versitygw, ceph") {
		t.Errorf("an unknown form: %v", err)
	}
}
