package command

import (
	"net/url"
	"strings"

	"headcount/scan/store"
)

// uriHint returns URIHint and, where another tool would understand uri, the way to write it for headcount.
func uriHint(uri string) string {
	if store.RedactURL(uri) != uri && strings.Contains(uri, "@") { // it may hold a password
		return URIHint
	}
	if better := suggestURI(uri); better != "" {
		return URIHint + ": " + better
	}
	return URIHint
}

// suggestURI returns the arguments that mean the same as uri; empty: they are not known.
func suggestURI(uri string) string {
	scheme, rest, found := strings.Cut(uri, "://")
	scheme = strings.ToLower(scheme)
	arn := uri
	if found && scheme == "s3" {
		arn = rest
	}
	if bucket, ok := bucketOfARN(arn); ok {
		return validURI(bucket)
	}
	switch {
	case !found && !strings.Contains(uri, ":"):
		return validURI(uri)
	case !found:
		return ""
	case scheme == "s3", scheme == "s3a", scheme == "s3n":
		return validURI(rest)
	case scheme == "gs":
		return withEndpoint("https://storage.googleapis.com", rest)
	case scheme == "http", scheme == "https":
		return suggestForWeb(uri)
	}
	return ""
}

// bucketOfARN returns BUCKET[/PREFIX] of the ARN of a bucket or an object; ok is false for other ARNs.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html (Resource types)
func bucketOfARN(text string) (bucket string, ok bool) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[2] != "s3" || parts[3] != "" || parts[4] != "" {
		return "", false
	}
	return parts[5], true
}

// suggestForWeb is for the URL of a bucket or an object, as browsers and presigned requests have it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
func suggestForWeb(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return ""
	}
	path, host := strings.TrimPrefix(u.Path, "/"), strings.ToLower(u.Host)
	isAWS := strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".amazonaws.com.cn")
	if buckets, found := strings.CutPrefix(path, "s3/buckets/"); found && strings.HasSuffix(host, "aws.amazon.com") {
		return validURI(buckets) // of the console
	}
	if !isAWS {
		return withEndpoint(u.Scheme+"://"+u.Host, path)
	}
	for _, mark := range []string{".s3.", ".s3-"} {
		if at := strings.LastIndex(host, mark); at > 0 {
			return validURI(host[:at] + "/" + path)
		}
	}
	return validURI(path)
}

// withEndpoint returns the arguments for BUCKET[/PREFIX] of another store than AWS.
func withEndpoint(endpoint, path string) string {
	if uri := validURI(path); uri != "" {
		return "--endpoint-url " + endpoint + " " + uri
	}
	return ""
}

// validURI returns s3://BUCKET[/PREFIX]; empty: it would be refused too.
func validURI(path string) string {
	uri := "s3://" + path
	if _, isARN := bucketOfARN(path); isARN {
		return ""
	}
	if _, _, err := parseURI(uri); err != nil {
		return ""
	}
	return uri
}
