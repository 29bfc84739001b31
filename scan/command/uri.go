package command

import (
	"fmt"
	"strings"

	"headcount/scan/exit"
	"headcount/scan/store"
)

// URIHint is the hint of an error about a bucket: how to write one.
const URIHint = "write s3://BUCKET or s3://BUCKET/PREFIX"

// ParseURI splits s3://BUCKET[/PREFIX]; the error is a usage error. A prefix is any bytes: %, ? and # have no meaning
// in it, so net/url does not apply. For an access point the bucket is its ARN, which contains a slash itself:
// s3://arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/PREFIX.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
func ParseURI(uri string) (bucket, prefix string, err error) {
	bucket, prefix, err = parseURI(uri)
	if err != nil {
		return "", "", exit.Usagef(uriHint(uri), "%v", err)
	}
	return bucket, prefix, nil
}

// parseURI is ParseURI with an error that has no hint.
func parseURI(uri string) (bucket, prefix string, err error) {
	rest, found := strings.CutPrefix(uri, "s3://")
	if !found {
		return "", "", fmt.Errorf("%q is not the URI of a bucket", store.RedactURL(uri))
	}
	if _, isBucket := bucketOfARN(rest); isBucket {
		return "", "", fmt.Errorf("%q names a bucket by its ARN", uri)
	}
	bucket, prefix, _ = strings.Cut(rest, "/")
	for range arnSegments(bucket) {
		var segment string
		segment, prefix, _ = strings.Cut(prefix, "/")
		bucket += "/" + segment
	}
	switch {
	case bucket == "":
		return "", "", fmt.Errorf("%q names no bucket", store.RedactURL(uri))
	case !strings.HasPrefix(bucket, "arn:") && !isBucketName(bucket):
		return "", "", fmt.Errorf("%q is not the name of a bucket", store.RedactURL(bucket))
	}
	return bucket, prefix, nil
}

// isBucketName reports whether a path can hold bucket as one segment, unescaped. Stores have other names than AWS: a
// bucket of another tenant of Ceph is TENANT:BUCKET (minio/mc#2229). An @ is not taken: before it may be a password.
// https://www.rfc-editor.org/rfc/rfc3986#section-3.3 (pchar)
func isBucketName(bucket string) bool {
	isOther := func(r rune) bool {
		isAlphanumeric := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !isAlphanumeric && !strings.ContainsRune("-._~!$&'()*+,;=:", r)
	}
	return bucket != "." && bucket != ".." && !strings.ContainsFunc(bucket, isOther)
}

// arnSegments returns how many segments after the first slash belong to the bucket, given the text before that slash.
// The ARN of an access point ends in accesspoint/NAME or accesspoint:NAME, and that of one on an outpost in
// outpost/ID/accesspoint/NAME.
func arnSegments(bucket string) int {
	parts := strings.SplitN(bucket, ":", 6)
	if parts[0] != "arn" || len(parts) < 6 {
		return 0
	}
	switch resource := parts[5]; {
	case resource == "outpost":
		return 3
	case strings.Contains(resource, ":"):
		return 0
	}
	return 1
}
