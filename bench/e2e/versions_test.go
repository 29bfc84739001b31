package e2e

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"headcount/bench/pinned"
)

// TestVersions scans all versions of a bucket, and compares each record with the SDK's listing and HEAD of the version.
// versitygw lists delete markers before the versions. A key has more versions than a page. gofakes3 is left out: the
// SDK's listing of its versions did not end.
func TestVersions(t *testing.T) {
	headcount := headcountBinary(filepath.Join(t.TempDir(), "headcount"+pinned.ExeSuffix()))
	goBuild(t, root, string(headcount), ".")
	t.Setenv("VGW_VERSIONING_DIR", t.TempDir()) // it has no versions without one
	server := startVersitygw("--keep-alive")(t)
	const bucket = "versioned"
	putVersions(t, server, bucket)
	want := versionsBySDK(t, server, bucket)
	for _, args := range [][]string{
		{"--all", "--ordered"}, {"--all", "--engine", "sdk", "--listers", "4"}, {"--all", "--pipeline", "4"},
	} {
		got := headcount.scan(t, server, bucket, "", append(args, "--all-versions")...)
		if got.code != exitComplete || len(got.records) != len(want) {
			t.Fatalf("%q: exit %d, %d records, want %d\n%s", args, got.code, len(got.records), len(want), got.stderr)
		}
		for _, r := range got.records {
			v, exists := want[r.key()+"@"+aws.ToString(r.VersionID)]
			if !exists || v.isLatest != aws.ToBool(r.IsLatest) || v.isMarker != r.DeleteMarker ||
				v.isMarker != (r.Metadata == nil) || !maps.Equal(v.metadata, r.Metadata) {
				t.Errorf("%q: %s@%s is %+v, want %+v", args, r.key(), aws.ToString(r.VersionID), r, v)
			}
		}
	}
}

// putVersions makes a bucket of keys with one version, some, and more than a page has.
func putVersions(t *testing.T, server *s3Server, bucket string) {
	t.Helper()
	server.createBucket(t, bucket)
	_, err := server.client.PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket:                  aws.String(bucket),
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, count := range map[string]int{"a": 1, "b c+d%/é": 4, "e": 3, "f/many": 1003, "g": 2, "z": 1} {
		for n := range count {
			_, err := server.client.PutObject(t.Context(), &s3.PutObjectInput{
				Bucket: aws.String(bucket), Key: aws.String(key), Body: strings.NewReader(strings.Repeat("x", n)),
				Metadata: map[string]string{"n": fmt.Sprint(n)},
			})
			if err == nil && count > 1 && n == count/2 { // then older versions follow the delete marker, and newer come before
				_, err = server.client.DeleteObject(t.Context(), &s3.DeleteObjectInput{
					Bucket: aws.String(bucket), Key: aws.String(key),
				})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
}

// versionBySDK is what the SDK says of a version.
type versionBySDK struct {
	isLatest, isMarker bool
	metadata           map[string]string
}

func versionsBySDK(t *testing.T, server *s3Server, bucket string) map[string]versionBySDK {
	t.Helper()
	all := map[string]versionBySDK{}
	pages := s3.NewListObjectVersionsPaginator(server.client, &s3.ListObjectVersionsInput{Bucket: aws.String(bucket)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range page.Versions {
			object, err := server.client.HeadObject(t.Context(), &s3.HeadObjectInput{
				Bucket: aws.String(bucket), Key: v.Key, VersionId: v.VersionId,
			})
			if err != nil {
				t.Fatal(err)
			}
			all[*v.Key+"@"+*v.VersionId] = versionBySDK{aws.ToBool(v.IsLatest), false, object.Metadata}
		}
		for _, v := range page.DeleteMarkers {
			all[*v.Key+"@"+*v.VersionId] = versionBySDK{isLatest: aws.ToBool(v.IsLatest), isMarker: true}
		}
	}
	if len(all) < 1000 {
		t.Fatalf("the SDK lists %d versions", len(all))
	}
	return all
}
