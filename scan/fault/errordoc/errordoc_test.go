package errordoc

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestRead(t *testing.T) {
	long := strings.Repeat("m", 10<<20)
	for name, c := range map[string]struct {
		body string
		want Document
	}{
		"S3": {
			`<?xml version="1.0" encoding="UTF-8"?><Error><Code>NoSuchBucket</Code><Message>m &amp; n</Message>` +
				`<Resource>/b</Resource><RequestId>r</RequestId></Error>`,
			Document{Code: "NoSuchBucket", Message: "m & n", RequestID: "r"},
		},
		"a named endpoint": {
			"<Error><Code>PermanentRedirect</Code><Endpoint>s3.example</Endpoint><Region>eu-1</Region></Error>",
			Document{Code: "PermanentRedirect", Endpoint: "s3.example", Region: "eu-1"},
		},
		"another root": {
			"\n<errorResponse>\n<Code>\nNoSuchKey\n</Code></errorResponse>", Document{Code: "NoSuchKey"},
		},
		"nested": {
			"<R xmlns='x'><Errors><Error><Code>A</Code><Message>m</Message></Error><Error><Code>B</Code></Error></Errors>" +
				"<RequestID>r</RequestID></R>", Document{Code: "A", Message: "m", RequestID: "r"},
		},
		"a code that is a class":  {"<Error><Code>timeout</Code></Error>", Document{Message: "timeout"}},
		"a code that is a phrase": {"<Error><Code>No way</Code><Message>m</Message></Error>", Document{Message: "No way: m"}},
		"another charset": {
			`<?xml version="1.0" encoding="ISO-8859-1"?><Error><Code>A</Code></Error>`, Document{Code: "A"},
		},
		"cut short":          {"<Error><Code>A</Code><Message>", Document{Code: "A"}},
		"a message of 10 MB": {"<Error><Code>A</Code><Message>" + long, Document{Code: "A", Message: long[:messageMax] + "…"}},
		"JSON":               {`{"code":"A","message":"m","requestId":"r"}`, Document{Code: "A", Message: "m", RequestID: "r"}},
		"JSON, nested": {
			`{"status":403,"errors":[{"Code":403,"Message":"m"}]}`, Document{Message: "m"},
		},
		"JSON of OAuth": {
			`{"error":"invalid_token","error_description":"m"}`, Document{Message: "invalid_token: m"},
		},
		"JSON without a message": {`{"a":[1,null]}`, Document{Message: `{"a":[1,null]}`}},
		"HTML": {
			"<!DOCTYPE html><html><head><Title lang='en'>Sign\n in &lt;</title></head><code>A</code></html>",
			Document{Message: "Sign in <"},
		},
		"HTML without a title": {"<html><body><h1>403</h1><p>no&nbsp;way</html>", Document{Message: "403 no way"}},
		"text":                 {"no\x1b[2J\r\nway\u202e!", Document{Message: "no [2J way !"}},
		"gzip":                 {"\x1f\x8b\x08abc", Document{}},
		"a binary format":      {"abc\x00def", Document{}},
		"long text":            {strings.Repeat("ab ", 1000), Document{Message: strings.Repeat("ab ", 66) + "ab…"}},
		"an echoed token":      {"token " + strings.Repeat("x", 400), Document{Message: "token " + strings.Repeat("x", wordMax) + "…"}},
		"not UTF-8":            {"caf\xe9", Document{Message: "caf\xe9"}},
		"a listing":            {"<ListBucketResult><Contents/></ListBucketResult>", Document{}},
		"nothing":              {"", Document{}},
	} {
		got := Read(strings.NewReader(c.body))
		if name == "not UTF-8" { // any text that says as much
			got.Message = strings.ReplaceAll(got.Message, "\ufffd", "\xe9")
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

// A connection that breaks within the body leaves what was read.
func TestReadKeepsWhatItHas(t *testing.T) {
	cut := io.MultiReader(strings.NewReader("<Error><Code>A</Code><Message>mes"), iotest.ErrReader(errors.New("reset")))
	if got, want := Read(cut), (Document{Code: "A", Message: "mes"}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// No body is too strange, and no text is long.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"<Error><Code>A</Code>", `{"message":["m"]}`, "<title>t</title", "İ<title>x</title>", "<a><b>"} {
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, isCut bool) {
		d := parse(body, isCut)
		for _, text := range []string{d.Code, d.Message, d.RequestID, d.Endpoint, d.Region} {
			if utf8.RuneCountInString(text) > messageMax+1 {
				t.Errorf("%d characters", utf8.RuneCountInString(text))
			}
		}
	})
}
