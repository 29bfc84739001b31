package command

import (
	"testing"

	"headcount/scan/exit"
)

func TestParseURI(t *testing.T) {
	for uri, want := range map[string][2]string{
		"s3://b":                {"b", ""},
		"s3://b/":               {"b", ""},
		"s3://b/p/q":            {"b", "p/q"},
		"s3://b//p":             {"b", "/p"},
		"s3://b/100%?#":         {"b", "100%?#"},
		"s3://b/a b+c/é":        {"b", "a b+c/é"},
		"s3://acme:reports/p:q": {"acme:reports", "p:q"},
		"s3://My_b.1~c/":        {"My_b.1~c", ""},
		"s3://arn:aws:s3:us-east-1:123456789012:accesspoint/ap":                           {"arn:aws:s3:us-east-1:123456789012:accesspoint/ap", ""},
		"s3://arn:aws:s3:us-east-1:123456789012:accesspoint/ap/p/q":                       {"arn:aws:s3:us-east-1:123456789012:accesspoint/ap", "p/q"},
		"s3://arn:aws:s3:us-east-1:123456789012:accesspoint:ap/p":                         {"arn:aws:s3:us-east-1:123456789012:accesspoint:ap", "p"},
		"s3://arn:aws:s3-outposts:us-east-1:123456789012:outpost/op-1/accesspoint/ap/p/q": {"arn:aws:s3-outposts:us-east-1:123456789012:outpost/op-1/accesspoint/ap", "p/q"},
		"s3://arn:aws:s3-object-lambda:us-east-1:123456789012:accesspoint/my-olap/":       {"arn:aws:s3-object-lambda:us-east-1:123456789012:accesspoint/my-olap", ""},
	} {
		bucket, prefix, err := ParseURI(uri)
		if err != nil || bucket != want[0] || prefix != want[1] {
			t.Errorf("%s: %q, %q, %v", uri, bucket, prefix, err)
		}
	}
	for _, uri := range []string{
		"", "b", "s3:/b", "s3://", "s3:///p", "http://b/", "s3://b?x", "s3://b c/", "S3://b", "s3://b#", "s3://a%3Ab",
		"s3://b\\c", "s3://b\nc", "s3://..", "s3://.", "s3://\"b\"", "s3://é", "s3://u:p@b",
	} {
		if bucket, prefix, err := ParseURI(uri); err == nil {
			t.Errorf("%q was taken for %q, %q", uri, bucket, prefix)
		}
	}
}

// A URI as another tool has it leads to the way to write it, and none repeats a password.
func TestURIHint(t *testing.T) {
	for uri, want := range map[string]string{
		"S3://b/logs/":                     "s3://b/logs/",
		"s3a://b/logs":                     "s3://b/logs",
		"s3n://b":                          "s3://b",
		"b/logs":                           "s3://b/logs",
		"arn:aws:s3:::b":                   "s3://b",
		"arn:aws-cn:s3:::b/logs/*":         "s3://b/logs/*",
		"s3://arn:aws:s3:::b/logs/":        "s3://b/logs/",
		"https://b.s3.amazonaws.com/logs/": "s3://b/logs/",
		"https://a.b.s3.eu-west-1.amazonaws.com/l%20s":        "s3://a.b/l s",
		"https://b.s3-us-west-2.amazonaws.com":                "s3://b/",
		"https://b.s3.dualstack.us-west-2.amazonaws.com/x":    "s3://b/x",
		"https://s3.eu-west-1.amazonaws.com/b/logs/":          "s3://b/logs/",
		"https://s3.console.aws.amazon.com/s3/buckets/b":      "s3://b",
		"https://b.s3.amazonaws.com/k?X-Amz-Signature=secret": "s3://b/k",
		"https://minio.example:9000/b/logs/":                  "--endpoint-url https://minio.example:9000 s3://b/logs/",
		"gs://b/logs/":                                        "--endpoint-url https://storage.googleapis.com s3://b/logs/",
		"https://minio.example:9000/":                         "",
		"https://me:secret@minio.example/b":                   "",
		"s3://me:secret@b/p":                                  "",
		"oss://b":                                             "",
		"s3:b":                                                "",
		"s3:///p":                                             "",
		"arn:aws:s3:::":                                       "",
		"s3://arn:aws:s3:::arn:aws:s3:::b":                    "",
		"":                                                    "",
	} {
		_, _, err := ParseURI(uri)
		if want = URIHint + ": " + want; want == URIHint+": " {
			want = URIHint
		}
		if err == nil || exit.Hint(err) != want {
			t.Errorf("%s: %v\nhint %s, want %s", uri, err, exit.Hint(err), want)
		}
	}
}
