package main

import (
	"strings"

	"headcount/scan/exit"
)

// uriHint shows how a bucket is written.
const uriHint = "write s3://BUCKET or s3://BUCKET/PREFIX"

// parseURI splits s3://BUCKET[/PREFIX]. A prefix is bytes, in which %, ? and # mean nothing, so net/url is no help. For
// an access point the bucket is its ARN, which has a slash itself: s3://arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME/PREFIX.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html
func parseURI(uri string) (bucket, prefix string, err error) {
	rest, found := strings.CutPrefix(uri, "s3://")
	if !found {
		return "", "", exit.Usagef(uriHint, "%q is not the URI of a bucket", uri)
	}
	bucket, prefix, _ = strings.Cut(rest, "/")
	for range arnSegments(bucket) {
		var segment string
		segment, prefix, _ = strings.Cut(prefix, "/")
		bucket += "/" + segment
	}
	switch {
	case bucket == "":
		return "", "", exit.Usagef(uriHint, "%q names no bucket", uri)
	case !strings.HasPrefix(bucket, "arn:") && strings.ContainsAny(bucket, " %?#@:\\\"'"):
		return "", "", exit.Usagef(uriHint, "%q is not the name of a bucket", bucket)
	}
	return bucket, prefix, nil
}

// arnSegments is how many more segments belong to a bucket that begins as this one does: an access point's ARN ends in
// accesspoint/NAME or accesspoint:NAME, one on an outpost in outpost/ID/accesspoint/NAME.
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
