package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// testTags compares the tags of every record with those that its object was given. Objects are tagged as they are put,
// or later, or not at all; gofakes3 knows the first way alone, and answers a request for tags with the object.
func testTags(t *testing.T, server *s3Server, kind serverKind, headcount headcountBinary) {
	const bucket = "tagged"
	server.createBucket(t, bucket)
	want := map[string]map[string]string{}
	for i := range 40 {
		key := fmt.Sprintf("logs/ü %d+%%.txt", i)
		want[key] = map[string]string{}
		put := &s3.PutObjectInput{
			Bucket: aws.String(bucket), Key: aws.String(key), Body: strings.NewReader(key), Metadata: map[string]string{"n": "1"},
		}
		if i%4 == 1 || kind.tagsInHead {
			put.Tagging = aws.String("env=prod&cost+center=a%2B%3D" + fmt.Sprint(i))
			want[key] = map[string]string{"env": "prod", "cost center": "a+=" + fmt.Sprint(i)}
		}
		if _, err := server.client.PutObject(t.Context(), put); err != nil {
			t.Fatal(err)
		}
		if i%4 != 2 || kind.tagsInHead {
			continue
		}
		_, err := server.client.PutObjectTagging(t.Context(), &s3.PutObjectTaggingInput{
			Bucket: aws.String(bucket), Key: aws.String(key),
			Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("env"), Value: aws.String("dev ü")}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		want[key] = map[string]string{"env": "dev ü"}
	}
	for _, args := range [][]string{{"--tags"}, {"--fields", "key,tags", "--engine", "sdk", "--filter", `tags.env == "prod"`}} {
		got := headcount.scan(t, server, bucket, "", args...)
		expected := maps.Clone(want)
		if slices.Contains(args, "--filter") {
			maps.DeleteFunc(expected, func(_ string, tags map[string]string) bool { return tags["env"] != "prod" })
		}
		if got.code != exitComplete || len(got.records) != len(expected) {
			t.Fatalf("%q: exit %d, %d records\n%s", args, got.code, len(got.records), got.stderr)
		}
		for _, r := range got.records {
			if tags, has := expected[r.key()]; !has || r.Tags == nil || !maps.Equal(r.Tags, tags) {
				t.Errorf("%q: %q has the tags %v, want %v", args, r.key(), r.Tags, tags)
			}
		}
		if sent := got.stats.Requests["tags"]["200"]; kind.tagsInHead != (sent == 0) {
			t.Errorf("%q: requests %v", args, got.stats.Requests)
		}
	}
	// Neither server has annotations: both answer as if they were asked for the object.
	got := headcount.scan(t, server, bucket, "", "--annotations")
	if got.code != exitFatal || !strings.Contains(got.stderr, "the store does not support annotations") {
		t.Errorf("exit %d\n%s", got.code, got.stderr)
	}
}
