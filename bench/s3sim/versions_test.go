package s3sim

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// versionText is what a client sees of a version in a listing.
func versionText(key, id string, latest, marker bool, modified time.Time, etag string, size int64) string {
	return fmt.Sprintf("%q %s latest=%t marker=%t %s %s %d", key, id, latest, marker, modified, etag, size)
}

// allVersions returns the versions of a bucket as its listing should show them.
func allVersions(s *Server) []string {
	var all []string
	for _, key := range allKeys(s) {
		for n, v := range s.Versions([]byte(key)) {
			etag, size := v.ETag(), v.Size()
			if v.DeleteMarker {
				etag, size = "", 0
			}
			all = append(all, versionText(key, v.ID, n == 0, v.DeleteMarker, v.LastModified(), etag, size))
		}
	}
	return all
}

// listedVersions returns the versions as the SDK lists them. The SDK has versions and delete markers in two lists, so
// the order is lost.
func listedVersions(t *testing.T, s *Server, client *s3.Client, in *s3.ListObjectVersionsInput) (all []string) {
	t.Helper()
	in.Bucket = aws.String("demo")
	in.EncodingType = types.EncodingTypeUrl
	for {
		page, err := client.ListObjectVersions(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, v := range page.Versions {
			texts = append(texts, versionText(unescape(t, *v.Key), *v.VersionId, *v.IsLatest, false,
				*v.LastModified, *v.ETag, *v.Size))
		}
		for _, m := range page.DeleteMarkers {
			texts = append(texts, versionText(unescape(t, *m.Key), *m.VersionId, *m.IsLatest, true,
				*m.LastModified, "", 0))
		}
		if most := in.MaxKeys; most != nil && len(texts) > int(*most) {
			t.Fatalf("a page of %d versions, want at most %d", len(texts), *most)
		}
		if all = append(all, texts...); !*page.IsTruncated {
			return all
		}
		// The SDK's paginator does not decode NextKeyMarker.
		in.KeyMarker, in.VersionIdMarker = aws.String(unescape(t, *page.NextKeyMarker)), page.NextVersionIdMarker
	}
}

// The SDK's client lists every version once, whatever the size of the pages, which end inside keys. Versions are from
// the newest to the oldest, some are delete markers, and some are the null version, in all places.
func TestListVersions(t *testing.T) {
	for _, o := range []Options{
		{Objects: 300, Versions: 2_500},
		{Objects: 300, Versions: 1},
		{Objects: 300},
		{Objects: 300, Shape: Nasty, Versions: 20},
		{Objects: 2_000, Shape: Deep, Versions: 3},
	} {
		s, address := start(t, o)
		client := sdkClient(t, address, Credentials{}, "us-east-1", false)
		want := slices.Sorted(slices.Values(allVersions(s)))
		for _, most := range []int32{1000, 999, 7} {
			got := listedVersions(t, s, client, &s3.ListObjectVersionsInput{MaxKeys: &most})
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Fatalf("%+v, pages of %d: %d versions, want %d", o, most, len(got), len(want))
			}
		}
		prefix := string(s.Keyspace().Key(150)[:3])
		got := listedVersions(t, s, client, &s3.ListObjectVersionsInput{Prefix: &prefix})
		want = slices.DeleteFunc(want, func(text string) bool {
			return !strings.HasPrefix(text, strings.TrimSuffix(fmt.Sprintf("%q", prefix), `"`))
		})
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("%+v, prefix %q: %d versions, want %d", o, prefix, len(got), len(want))
		}
	}
}

// The raw listing is in the order of keys, the newest version of each first, with delete markers among the versions.
func TestVersionsOrder(t *testing.T) {
	s, address := start(t, Options{Objects: 50, Versions: 30})
	_, body := get(t, address, "GET", "/demo?versions")
	at := 0
	for _, key := range allKeys(s) {
		for _, v := range s.Versions([]byte(key)) {
			name := "<Version>"
			if v.DeleteMarker {
				name = "<DeleteMarker>"
			}
			text := name + "<Key>" + key + "</Key><VersionId>" + v.ID + "</VersionId>"
			next := strings.Index(body[at:], text)
			if next < 0 {
				t.Fatalf("no %s after byte %d", text, at)
			}
			at += next
		}
	}
}

// The versions of a bucket have all cases that a client must get right.
func TestVersionsShares(t *testing.T) {
	s, err := New(Options{Objects: 10_000, Versions: 3_000})
	if err != nil {
		t.Fatal(err)
	}
	counts, ids := map[string]int{}, map[string]bool{}
	for i := range int64(10_000) {
		versions := s.Versions(s.Keyspace().Key(i))
		switch n := len(versions); {
		case n == 1:
			counts["one version"]++
		case n <= fewVersionsMax:
			counts["few versions"]++
		case n >= 1_500 && n <= 3_000:
			counts["many versions"]++
		}
		for n, v := range versions {
			if n > 0 && v.LastModified().After(versions[n-1].LastModified()) {
				t.Fatalf("key %d: version %d is newer than the version before it", i, n)
			}
			if id := v.ID; id != nullVersion && ids[id] {
				t.Fatalf("key %d: version %d has the ID of another one", i, n)
			} else if ids[id] = true; id == nullVersion {
				counts["null"]++
				counts[fmt.Sprintf("null newest=%t oldest=%t", n == 0, n == len(versions)-1)]++
				counts[fmt.Sprintf("null marker=%t", v.DeleteMarker)]++
			}
			if v.DeleteMarker {
				counts[fmt.Sprintf("marker newest=%t oldest=%t", n == 0, n == len(versions)-1)]++
			}
		}
	}
	for name, want := range map[string]int{
		"one version": 5_000, "few versions": 5_000, "many versions": 10, "null": 10_000 * 5 / 16,
	} {
		if got := counts[name]; got < want*9/10 || got > want*11/10 {
			t.Errorf("%s: %d, want about %d", name, got, want)
		}
	}
	for _, name := range []string{
		"null newest=true oldest=true", "null newest=true oldest=false", "null newest=false oldest=true",
		"null newest=false oldest=false", "null marker=true", "null marker=false",
		"marker newest=true oldest=true", "marker newest=true oldest=false", "marker newest=false oldest=true",
		"marker newest=false oldest=false",
	} {
		if counts[name] < 10 {
			t.Errorf("%s: %d, want at least 10", name, counts[name])
		}
	}
}

// A HEAD of a version returns that version, of a delete marker 405, of another ID 404, of a malformed one 400. A HEAD
// without a version returns the newest, or 404 with x-amz-delete-marker.
func TestHeadVersion(t *testing.T) {
	s, address := start(t, Options{Objects: 60, Versions: 30})
	client := sdkClient(t, address, Credentials{}, "us-east-1", false)
	head := func(key string, version *string) (*s3.HeadObjectOutput, int, http.Header) {
		t.Helper()
		out, err := client.HeadObject(context.Background(),
			&s3.HeadObjectInput{Bucket: aws.String("demo"), Key: &key, VersionId: version})
		if err == nil {
			return out, 200, nil
		}
		var response *awshttp.ResponseError
		if !errors.As(err, &response) {
			t.Fatal(err)
		}
		return nil, response.HTTPStatusCode(), response.Response.Header
	}
	for _, key := range allKeys(s) {
		for n, v := range s.Versions([]byte(key)) {
			id := v.ID
			for _, version := range []*string{&id, nil} {
				out, status, header := head(key, version)
				switch {
				case version == nil && n > 0:
				case v.DeleteMarker:
					want := 405
					if version == nil {
						want = 404
					}
					if status != want || header.Get("x-amz-delete-marker") != "true" ||
						header.Get("x-amz-version-id") != id || (header.Get("Last-Modified") == "") != (version == nil) {
						t.Fatalf("%s %s: %d %v", key, id, status, header)
					}
				case status != 200 || *out.VersionId != id || *out.ETag != v.ETag() || *out.ContentLength != v.Size() ||
					!out.LastModified.Equal(v.LastModified()) || out.Metadata["id"] != v.Metadata()["id"]:
					t.Fatalf("%s %s: %d %+v", key, id, status, out)
				}
			}
		}
	}
	key, other := allKeys(s)[0], s.Versions(s.Keyspace().Key(1))[0].ID
	for version, want := range map[string]int{other: 404, "x": 400, "nUll": 400} {
		if _, status, _ := head(key, &version); status != want {
			t.Errorf("version %q: %d, want %d", version, status, want)
		}
	}
}

// A listing without versions omits the keys whose newest version is a delete marker, and shows the same objects as in a
// bucket without versions.
func TestPlainListingOfVersions(t *testing.T) {
	s, address := start(t, Options{Objects: 2_500, Versions: 9})
	plain, _ := start(t, Options{Objects: 2_500})
	var want, got []string
	for _, key := range allKeys(s) {
		if v := s.Versions([]byte(key))[0]; !v.DeleteMarker {
			want = append(want, key)
			if v.ETag() != plain.Object([]byte(key)).ETag() {
				t.Errorf("%s: the ETag depends on versions", key)
			}
		}
	}
	token := ""
	for {
		query := map[string][]string{"list-type": {"2"}}
		if token != "" {
			query["continuation-token"] = []string{token}
		}
		page := list(t, address, query)
		got, token = append(got, page.keys()...), page.NextContinuationToken
		if !page.IsTruncated {
			break
		}
	}
	if !slices.Equal(got, want) || len(got) == 2_500 {
		t.Errorf("%d keys, want %d", len(got), len(want))
	}
}

func TestVersionMarkers(t *testing.T) {
	s, address := start(t, Options{Objects: 20, Versions: 30})
	key := string(s.Keyspace().Key(manyVersionsFirst))
	versions := s.Versions([]byte(key))
	id := versions[2].ID
	for query, want := range map[string]string{
		"key-marker=" + key + "&version-id-marker=" + id: versions[3].ID,
		"key-marker=" + key + "&version-id-marker=" +
			versions[len(versions)-1].ID: s.Versions(s.Keyspace().Key(manyVersionsFirst + 1))[0].ID,
		"key-marker=" + key: s.Versions(s.Keyspace().Key(manyVersionsFirst + 1))[0].ID,
		"delimiter=-":       "<Prefix>obj-</Prefix></CommonPrefixes>",
		"delimiter=-&key-marker=obj-&version-id-marker=" + id: "<MaxKeys>1000</MaxKeys><Delimiter>-</Delimiter>" +
			"<IsTruncated>false</IsTruncated></ListVersionsResult>",
	} {
		response, body := get(t, address, "GET", "/demo?versions&"+query)
		first := strings.Index(body, "<VersionId>") + len("<VersionId>")
		if response.StatusCode != 200 || !strings.HasPrefix(body[first:], want) && !strings.Contains(body, want) ||
			strings.Contains(want, "<") && first > len("<VersionId>") {
			t.Errorf("%s: %d %.400s", query, response.StatusCode, body)
		}
	}
	for _, query := range []string{
		"version-id-marker=" + id, "key-marker=" + key + "&version-id-marker=",
		"key-marker=" + key + "&version-id-marker=short",
	} {
		if response, _ := get(t, address, "GET", "/demo?versions&"+query); response.StatusCode != 400 {
			t.Errorf("%s: %d", query, response.StatusCode)
		}
	}
	for _, o := range []Options{{Versions: -1}, {Versions: versionsMax + 1}, {Versions: 2, Quirk: NoOrder}} {
		if _, err := New(o); err == nil {
			t.Errorf("New accepts %+v", o)
		}
	}
}

func TestNoVersions(t *testing.T) {
	_, address := start(t, Options{Objects: 3, NoVersions: true})
	if response, _ := get(t, address, "GET", "/demo?versions"); response.StatusCode != 501 {
		t.Errorf("ListObjectVersions: %d", response.StatusCode)
	}
	if _, err := New(Options{NoVersions: true, Versions: 2}); err == nil {
		t.Error("New accepts versions that cannot be listed")
	}
}

// A version that a HEAD found gone is not listed any more, and the other versions of its key are.
func TestGoneVersions(t *testing.T) {
	s, address := start(t, Options{Objects: 40, Versions: 20, Gone: 0.3})
	_, before := get(t, address, "GET", "/demo?versions")
	gone := map[string]bool{}
	for _, key := range allKeys(s) {
		for _, v := range s.Versions([]byte(key)) {
			response, _ := get(t, address, "HEAD", pathOf([]byte(key))+"?versionId="+v.ID)
			gone[key+v.ID] = response.StatusCode == 404
		}
	}
	_, after := get(t, address, "GET", "/demo?versions")
	s.RestoreGone()
	_, restored := get(t, address, "GET", "/demo?versions")
	listed := 0
	for _, key := range allKeys(s) {
		for _, v := range s.Versions([]byte(key)) {
			text := "<Key>" + key + "</Key><VersionId>" + v.ID + "<"
			if !strings.Contains(before, text) || strings.Contains(after, text) == gone[key+v.ID] {
				t.Fatalf("%s %s: gone %t", key, v.ID, gone[key+v.ID])
			}
			if !gone[key+v.ID] {
				listed++
			}
		}
	}
	if listed == 0 || listed == len(gone) || restored != before {
		t.Errorf("%d of %d versions are listed", listed, len(gone))
	}
}

// A client that repeats requests gets past the faults of every page of one key, and of every version.
func TestVersionFaults(t *testing.T) {
	s, address := start(t, Options{Objects: 10, Versions: 3_000, Faults: []Fault{{Fault503Empty, 0.5}}})
	key := s.Keyspace().Key(manyVersionsFirst)
	versions := s.Versions(key)
	repeat := func(method, target string) (failed int) {
		for {
			response, body := get(t, address, method, target)
			switch {
			case response.StatusCode == 503:
				failed++
			case response.StatusCode == 405, response.StatusCode == 200 && len(body) > 0 != (method == "HEAD"):
				return failed
			default:
				t.Fatalf("%s: %d", target, response.StatusCode)
			}
		}
	}
	for _, request := range []struct{ method, path, parameter string }{
		{"GET", "/demo", "versions&max-keys=1&key-marker=" + string(key) + "&version-id-marker="},
		{"HEAD", pathOf(key), "versionId="},
	} {
		failed := map[int]int{}
		for _, v := range versions[:30] {
			failed[repeat(request.method, request.path+"?"+request.parameter+v.ID)]++
		}
		if failed[0] < 5 || failed[0] > 25 {
			t.Errorf("%s: %v", request.method, failed)
		}
	}
}
