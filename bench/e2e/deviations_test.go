package e2e

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
)

// deviation is the result of putting an object, in the words of observe, and the reason.
type deviation struct{ observed, why string }

// lossy is the deviation of a server that writes U+FFFD into its XML for characters that XML cannot represent: the
// listing contains a key that the object does not have.
func lossy(listed string) deviation {
	return deviation{listedAs(listed), "its LIST ignores encoding-type=url, and XML cannot represent the character"}
}

// lossyDeviations returns the deviations of every server that uses Go's encoding/xml.
func lossyDeviations() map[string]deviation {
	return map[string]deviation{
		"control/\x01soh":       lossy("control/\ufffdsoh"),
		"control/bel\a":         lossy("control/bel\ufffd"),
		"control/esc\x1b[0m":    lossy("control/esc\ufffd[0m"),
		"control/us\x1f":        lossy("control/us\ufffd"),
		"noncharacter/\ufffe":   lossy("noncharacter/\ufffd"),
		"not-utf8/\xff":         lossy("not-utf8/\ufffd"),
		"not-utf8/Latin\xe9":    lossy("not-utf8/Latin\ufffd"),
		"not-utf8/half\xe6\x97": lossy("not-utf8/half\ufffd\ufffd"),
		"not-utf8/\xed\xa0\x80": lossy("not-utf8/\ufffd\ufffd\ufffd"),
	}
}

func gofakes3Deviations() map[string]deviation {
	deviations := map[string]deviation{
		strings.Repeat("k", 1025):  {"refused: KeyTooLongError", "the limit of S3 is 1,024 bytes"},
		"metadata/2 KB and a half": {"refused: MetadataTooLarge", "the limit of S3 is 2 KB"},
		"control/nul\x00":          lossy("control/nul\ufffd"),
	}
	maps.Copy(deviations, lossyDeviations())
	return deviations
}

func versitygwDeviations() map[string]deviation {
	const (
		nameMax  = "it stores a segment of a key as a file name, which has at most 255 bytes"
		cleaned  = "it stores a key as a path, and cleans the path"
		isFolder = "it stores a key that ends with / as a folder, which has no content"
	)
	deviations := map[string]deviation{
		strings.Repeat("k", 256):   {"refused: KeyTooLongError", nameMax},
		strings.Repeat("k", 1000):  {"refused: KeyTooLongError", nameMax},
		strings.Repeat("k", 1024):  {"refused: KeyTooLongError", nameMax},
		strings.Repeat("k", 1025):  {"refused: KeyTooLongError", nameMax},
		strings.Repeat("%", 300):   {"refused: KeyTooLongError", nameMax},
		"control/nul\x00":          {"refused: InternalError", "a path ends at a NUL"},
		"/leading":                 {listedAs("leading"), cleaned},
		"//leading-twice":          {listedAs("leading-twice"), cleaned},
		"double//slash":            {listedAs("double/slash"), cleaned},
		"s3://other/key":           {listedAs("s3:/other/key"), cleaned},
		"dots/./one":               {listedAs("dots/one"), cleaned},
		"./dot":                    {listedAs("dot"), cleaned},
		"dots/../two":              {listedAs("two"), cleaned},
		"dots/end/.":               {listedAs("dots/end"), cleaned},
		"../dots":                  {"refused: 400", "it would be a file outside the bucket"},
		"dots/end/..":              {listedAs("dots"), cleaned},
		"..":                       {"refused: 400", "it would be a file outside the bucket"},
		".":                        {"refused: 400", "it would be the bucket's own folder"},
		"/":                        {"refused: 400", "it would be the bucket's own folder"},
		"trailing/content/":        {"refused: DirectoryObjectContainsData", isFolder},
		"trailing/twice//":         {listedAs("trailing/twice/"), cleaned},
		"file/below":               {"refused: ObjectParentIsFile", "file is a file and cannot also be a folder"},
		"metadata/latin-1":         {`metadata map["city":"Z` + "\ufffd" + `rich"]`, "it stores metadata as UTF-8"},
		"metadata/2 KB and a half": {"refused: MetadataTooLarge", "the limit of S3 is 2 KB"},
	}
	maps.Copy(deviations, lossyDeviations())
	return deviations
}

// testDeviations puts every object of the table alone into a bucket, and checks that the server still deviates so.
func testDeviations(t *testing.T, server *s3Server, kind serverKind) {
	all := map[string]object{}
	for _, o := range corpus() {
		all[o.key] = o
	}
	number := 0
	for key, deviation := range kind.deviations {
		number++
		bucket := fmt.Sprintf("deviation-%02d", number)
		o, known := all[key]
		if !known {
			t.Errorf("%q has a deviation and is not in the corpus", key)
			continue
		}
		server.createBucket(t, bucket)
		if key == "file/below" {
			server.put(t, bucket, []object{all["file"]})
		}
		switch observed := server.observe(t, bucket, o); observed {
		case deviation.observed:
		case "":
			t.Errorf("%q is now stored unchanged: remove it from the table (%s)", key, deviation.why)
		default:
			t.Errorf("%q: %s, want %s (%s)", key, observed, deviation.observed, deviation.why)
		}
	}
}

// observe puts an object alone into a bucket and describes how the server changed or refused it. It returns "" if the
// server stored it unchanged.
func (s *s3Server) observe(t *testing.T, bucket string, o object) string {
	if err := s.putOne(t.Context(), bucket, o); err != nil {
		var refused smithy.APIError
		if !errors.As(err, &refused) {
			t.Fatal(err)
		}
		return "refused: " + refused.ErrorCode()
	}
	listing, err := s.client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(bucket)})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, entry := range listing.Contents {
		keys = append(keys, *entry.Key)
	}
	if !slices.Equal(keys, []string{o.key}) {
		return listedAs(keys...)
	}
	input := &s3.HeadObjectInput{Bucket: aws.String(bucket), Key: aws.String(o.key)}
	head, err := s.client.HeadObject(t.Context(), input)
	if err != nil {
		return err.Error()
	}
	if !maps.Equal(head.Metadata, normalized(o.metadata)) {
		return fmt.Sprintf("metadata %q", head.Metadata)
	}
	return ""
}

func listedAs(keys ...string) string { return fmt.Sprintf("listed as %q", keys) }
