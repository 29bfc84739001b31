package lookup

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"headcount/scan/fault"
	"headcount/scan/list"
	"headcount/scan/store"
)

// send sends one request to a server that answers with a status and a body.
func send(t *testing.T, k Kind, e *list.Entry, answer func(http.ResponseWriter, *http.Request)) (Answer, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(answer))
	defer server.Close()
	s, err := store.Open(t.Context(), store.Config{
		Bucket: "b", Endpoints: []string{server.URL}, Isolated: true, AccessKey: "key", SecretKey: "a secret of some length",
		RequestPayer: true, Connections: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	sender := Sender{Store: s, Timeout: 10 * time.Second}
	return sender.Send(t.Context(), k, e, "")
}

func texts(a Answer) string {
	var b strings.Builder
	for _, h := range a.Texts {
		fmt.Fprintf(&b, "%s=%s;", h.Name, h.Value)
	}
	return b.String() + a.Next
}

// What stores answer, and what it means.
func TestAnswers(t *testing.T) {
	const (
		missing, unsupported, denied = 1, 2, 4
		noClass                      = fault.Class("")
	)
	big := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		name    string
		kind    Kind
		status  int
		headers string
		body    string
		want    string
		class   fault.Class
		is      int
	}{
		{"tags", Tags, 200, "", `<?xml version="1.0"?>` + "\n" + `<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>` +
			`<Tag><Key>a b</Key><Value>&lt;&amp; ü </Value></Tag><Tag><Value></Value><Key>z</Key></Tag></TagSet></Tagging>`,
			"a b=<& ü ;z=;", noClass, 0},
		{"no tags", Tags, 200, "", `<Tagging><TagSet/></Tagging>`, "", noClass, 0},
		{"no set", Tags, 404, "", `<Error><Code>NoSuchTagSet</Code></Error>`, "", noClass, 0},
		{"no set, versitygw", Tags, 404, "", `<Error><Code>NoSuchTagSetError</Code></Error>`, "", noClass, 0},
		{"a page", Annotations, 200, "", `<ListObjectAnnotationsResult><NextContinuationToken>n</NextContinuationToken><Annotations>` +
			`<AnnotationEntry><Size>12</Size><AnnotationName>a</AnnotationName></AnnotationEntry></Annotations>` +
			`</ListObjectAnnotationsResult>`, "a=12;n", noClass, 0},
		{"no object", Tags, 404, "", `<Error><Code>NoSuchKey</Code><Message>m</Message></Error>`, "NoSuchKey: m", "NoSuchKey", missing},
		{"no version", Tags, 404, "", `<Error><Code>NoSuchVersion</Code></Error>`, "NoSuchVersion", "NoSuchVersion", missing},
		{"no bucket", Tags, 404, "", `<Error><Code>NoSuchBucket</Code></Error>`, "NoSuchBucket", "NoSuchBucket", 0},
		{"a marker", Tags, 405, "x-amz-delete-marker: true", `<Error><Code>MethodNotAllowed</Code></Error>`, "MethodNotAllowed",
			"MethodNotAllowed", missing},
		{"405", Tags, 405, "", `<Error><Code>MethodNotAllowed</Code></Error>`, "MethodNotAllowed", "MethodNotAllowed", unsupported},
		{"501", Annotations, 501, "", `<Error><Code>NotImplemented</Code></Error>`, "NotImplemented", "NotImplemented", unsupported},
		{"400", Annotations, 400, "", `<Error><Code>NotImplemented</Code></Error>`, "NotImplemented", "NotImplemented", unsupported},
		{"denied", Tags, 403, "", `<Error><Code>AccessDenied</Code><Message>no</Message></Error>`, "AccessDenied: no", "AccessDenied",
			denied},
		{"the object", Tags, 200, `ETag: "e"`, big, "the answer is no list of tags", fault.WrongDocument, unsupported},
		{"a page of a proxy", Tags, 200, "", "<html>Log in</html>", "the answer is no list of tags", fault.WrongDocument, 0},
		{"an error in a 200", Tags, 200, "", `<Error><Code>InternalError</Code></Error>`, "InternalError", "InternalError", 0},
		{"cut short", Tags, 200, "", `<Tagging><TagSet><Tag><Key>a</Key>`,
			"the answer is no list of tags: XML syntax error on line 1: unexpected EOF", fault.WrongDocument, 0},
		{"slow down", Tags, 503, "Retry-After: 7", `<Error><Code>SlowDown</Code></Error>`, "SlowDown", "SlowDown", 0},
		{"a secret", Tags, 403, "", `<Error><Code>AccessDenied</Code><Message>a secret of some length</Message></Error>`,
			"AccessDenied: " + store.Masked, "AccessDenied", denied},
	} {
		a, err := send(t, c.kind, &list.Entry{Key: "k"}, func(w http.ResponseWriter, _ *http.Request) {
			if name, value, found := strings.Cut(c.headers, ": "); found {
				w.Header().Set(name, value)
			}
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(c.body))
		})
		if c.class == noClass {
			if err != nil || texts(a) != c.want {
				t.Errorf("%s: %q, %v", c.name, texts(a), err)
			}
			continue
		}
		is := 0
		for n, holds := range map[int]func(error) bool{missing: IsMissing, unsupported: IsUnsupported, denied: IsDenied} {
			if holds(err) {
				is |= n
			}
		}
		failure := fault.FailureOf(err)
		if err == nil || err.Error() != c.want || failure.Class != c.class || failure.Status != c.status || is != c.is ||
			(failure.RetryAfter > 0) != (c.headers == "Retry-After: 7") {
			t.Errorf("%s: %v, %+v, is %d", c.name, err, failure, is)
		}
	}
}

// A request names the version that the Entry has, and who pays.
func TestRequests(t *testing.T) {
	for _, c := range []struct {
		kind    Kind
		details *list.Details
		want    string
	}{
		{Tags, nil, "tagging="},
		{Tags, &list.Details{VersionID: "null"}, "tagging=&versionId=null"},
		{Annotations, &list.Details{VersionID: "v"}, "annotation=&versionId=v&x-id=ListObjectAnnotations"},
	} {
		var path, query, payer string
		_, _ = send(t, c.kind, &list.Entry{Key: "a/ü +", Details: c.details}, func(_ http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			if c.kind == Tags {
				q.Del("x-id")
			}
			path, query, payer = r.URL.EscapedPath(), q.Encode(), r.Header.Get("x-amz-request-payer")
		})
		if path != "/b/a/%C3%BC%20%2B" || query != c.want || payer != "requester" {
			t.Errorf("%s %s %s", path, query, payer)
		}
	}
}

func TestParseTags(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "a=1": "a=1;", "a=1&b+c=%26%3D&d=&e": "a=1;b c=&=;d=;e=;", "a=%zz": "error", "=x": "error", "&a=1&": "a=1;",
	} {
		tags, err := ParseTags([]byte(value))
		got := texts(Answer{Texts: tags})
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", value, got, want)
		}
	}
}

// No body makes the reader fail in another way than by an error.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>`), true)
	f.Add([]byte(`<ListObjectAnnotationsResult><Annotations><AnnotationEntry/></Annotations></ListObjectAnnotationsResult>`), false)
	f.Fuzz(func(t *testing.T, body []byte, tags bool) {
		kind := Annotations
		if tags {
			kind = Tags
		}
		recorder := httptest.NewRecorder()
		_, _ = recorder.Write(body)
		if a, err := readAnswer(kind, recorder.Result()); err == nil && len(a.Texts) > len(body) {
			t.Errorf("%d texts", len(a.Texts))
		}
	})
}
