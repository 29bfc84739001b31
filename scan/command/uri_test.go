package command

import "testing"

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
