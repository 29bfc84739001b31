package s3sim

import (
	"context"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// The tags of GetObjectTagging are as many as a HEAD says, for each version, and those of x-amz-tagging.
func TestTags(t *testing.T) {
	s, address := start(t, Options{Objects: 60, Versions: 4, Attributes: true})
	client := sdkClient(t, address, Credentials{}, "us-east-1", false)
	tagged := 0
	for _, key := range allKeys(s) {
		for n, v := range s.Versions([]byte(key)) {
			in := s3.GetObjectTaggingInput{Bucket: aws.String("demo"), Key: &key, VersionId: &v.ID}
			if n == 0 {
				in.VersionId = nil
			}
			out, err := client.GetObjectTagging(t.Context(), &in)
			if v.DeleteMarker {
				want := "MethodNotAllowed"
				if n == 0 {
					want = "NoSuchKey"
				}
				if code(err) != want {
					t.Errorf("%s %s, a delete marker: %v", key, v.ID, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			var tags []Tag
			for _, tag := range out.TagSet {
				tags = append(tags, Tag{*tag.Key, *tag.Value})
			}
			if !slices.Equal(tags, v.Tags()) || *out.VersionId != v.ID {
				t.Fatalf("%s %s: %q, want %q", key, v.ID, tags, v.Tags())
			}
			head, err := client.HeadObject(t.Context(),
				&s3.HeadObjectInput{Bucket: aws.String("demo"), Key: &key, VersionId: &v.ID})
			if err != nil {
				t.Fatal(err)
			}
			if got := int(aws.ToInt32(head.TagCount)); got != len(tags) {
				t.Errorf("%s %s: the HEAD says %d tags, want %d", key, v.ID, got, len(tags))
			}
			tagged += min(len(tags), 1)
		}
	}
	if tagged == 0 {
		t.Error("no object has tags")
	}
	if counts := s.Counts(); counts.Tags == 0 || counts.Others > 0 {
		t.Errorf("%+v", counts)
	}
}

func TestTagging(t *testing.T) {
	for tagging, want := range map[Tagging]string{
		"": "", TagsUncounted: "", TagsInHead: "", TagsDenied: "AccessDenied", TagsNotImplemented: "NotImplemented",
	} {
		s, address := start(t, Options{Objects: 30, Attributes: true, Tagging: tagging})
		client := sdkClient(t, address, Credentials{}, "us-east-1", false)
		for _, key := range allKeys(s) {
			_, err := client.GetObjectTagging(context.Background(),
				&s3.GetObjectTaggingInput{Bucket: aws.String("demo"), Key: &key})
			if (err == nil) != (want == "") || code(err) != want {
				t.Fatalf("%q: %v", tagging, err)
			}
			response, _ := get(t, address, "HEAD", pathOf([]byte(key)))
			tags := s.Object([]byte(key)).Tags()
			if counted := response.Header.Get("x-amz-tagging-count") != ""; counted != (tagging == "" && len(tags) > 0) {
				t.Fatalf("%q: counted %t", tagging, counted)
			}
			given, err := url.ParseQuery(response.Header.Get("x-amz-tagging"))
			if err != nil || len(given) > 0 != (tagging == TagsInHead && len(tags) > 0) {
				t.Fatalf("%q: %v %v", tagging, given, err)
			}
			for i := range given {
				if !slices.Contains(tags, Tag{i, given.Get(i)}) {
					t.Fatalf("%q: %v, want %v", tagging, given, tags)
				}
			}
		}
	}
	if _, err := New(Options{Tagging: "x"}); err == nil {
		t.Error("New accepts the tagging x")
	}
}

// Every annotation is on one page, by prefix too. A store without annotations says NotImplemented.
func TestAnnotations(t *testing.T) {
	s, address := start(t, Options{Objects: 30, Annotations: 40})
	client := sdkClient(t, address, Credentials{}, "us-east-1", false)
	annotated := 0
	for _, key := range allKeys(s) {
		for _, prefix := range []string{"", "note-001"} {
			var want []Annotation
			for _, a := range s.Annotations(s.Object([]byte(key))) {
				if prefix == "" || a.Name >= prefix && a.Name < "note-002" {
					want = append(want, a)
				}
			}
			in := s3.ListObjectAnnotationsInput{
				Bucket: aws.String("demo"), Key: &key, AnnotationPrefix: &prefix, MaxAnnotationResults: aws.Int32(7),
			}
			var got []Annotation
			for pages := s3.NewListObjectAnnotationsPaginator(client, &in); pages.HasMorePages(); {
				page, err := pages.NextPage(t.Context())
				if err != nil || len(page.Annotations) > 7 || *page.Key != key {
					t.Fatalf("%v %+v", err, page)
				}
				for _, a := range page.Annotations {
					got = append(got, Annotation{*a.AnnotationName, *a.ETag, *a.Size, a.LastModified.UTC()})
				}
			}
			if !slices.EqualFunc(got, want, func(a, b Annotation) bool {
				return a.Name == b.Name && a.ETag == b.ETag && a.Size == b.Size &&
					a.LastModified.Truncate(time.Second).Equal(b.LastModified)
			}) {
				t.Fatalf("%s %q: %d annotations, want %d", key, prefix, len(got), len(want))
			}
			annotated += len(got)
		}
	}
	if annotated < 100 || s.Counts().Annotations == 0 {
		t.Errorf("%d annotations", annotated)
	}
	_, address = start(t, Options{Objects: 1})
	_, err := sdkClient(t, address, Credentials{}, "us-east-1", false).ListObjectAnnotations(t.Context(),
		&s3.ListObjectAnnotationsInput{Bucket: aws.String("demo"), Key: aws.String("obj-000000000000")})
	if code(err) != "NotImplemented" {
		t.Errorf("without annotations: %v", err)
	}
	if _, err := New(Options{Annotations: annotationsMax + 1}); err == nil {
		t.Error("New accepts too many annotations")
	}
}
