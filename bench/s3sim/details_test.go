package s3sim

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// restoreText returns a RestoreStatus as a HEAD says it.
func restoreText(s *types.RestoreStatus) string {
	switch {
	case s == nil:
		return ""
	case s.RestoreExpiryDate == nil:
		return fmt.Sprintf("ongoing-request=%q", fmt.Sprint(*s.IsRestoreInProgress))
	}
	return fmt.Sprintf("ongoing-request=%q, expiry-date=%q", fmt.Sprint(*s.IsRestoreInProgress),
		s.RestoreExpiryDate.UTC().Format(http.TimeFormat))
}

// LIST and HEAD agree on the class, the restore, the ETag and the kind of the checksum, and every kind of each occurs.
// A LIST says the owner and the restore only where it is asked for.
func TestListAndHeadDetails(t *testing.T) {
	_, address := start(t, Options{Objects: 1_000, AllAttributes: true, Versions: 2})
	client := sdkClient(t, address, Credentials{}, "us-east-1", false)
	seen := map[string]int{}
	bare, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String("demo")})
	if err != nil {
		t.Fatal(err)
	}
	page, err := client.ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{
		Bucket: aws.String("demo"), FetchOwner: aws.Bool(true),
		OptionalObjectAttributes: []types.OptionalObjectAttributes{types.OptionalObjectAttributesRestoreStatus},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range page.Contents {
		if b := bare.Contents[i]; b.Owner != nil || b.RestoreStatus != nil || *b.ETag != *o.ETag {
			t.Fatalf("%s: %+v", *o.Key, b)
		}
		seen["owner "+*o.Owner.ID]++
		head, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{
			Bucket: aws.String("demo"), Key: o.Key, ChecksumMode: types.ChecksumModeEnabled,
		})
		if err != nil {
			t.Fatal(err)
		}
		class := string(head.StorageClass)
		if class == "" {
			class = "STANDARD"
		}
		if string(o.StorageClass) != class || *head.ETag != *o.ETag || head.ChecksumType != o.ChecksumType ||
			restoreText(o.RestoreStatus) != aws.ToString(head.Restore) {
			t.Fatalf("LIST %+v\nHEAD %+v", o, head)
		}
		var sums []string
		for _, sum := range []struct {
			name  string
			value *string
		}{
			{"CRC32", head.ChecksumCRC32}, {"CRC32C", head.ChecksumCRC32C}, {"CRC64NVME", head.ChecksumCRC64NVME},
			{"MD5", head.ChecksumMD5}, {"SHA1", head.ChecksumSHA1}, {"SHA256", head.ChecksumSHA256},
			{"SHA512", head.ChecksumSHA512}, {"XXHASH3", head.ChecksumXXHASH3}, {"XXHASH64", head.ChecksumXXHASH64},
			{"XXHASH128", head.ChecksumXXHASH128},
		} {
			if sum.value != nil {
				sums = append(sums, sum.name)
				_, parts, composite := strings.Cut(*sum.value, "-")
				if composite != (head.ChecksumType == "COMPOSITE") || composite && !strings.Contains(*o.ETag, "-"+parts+`"`) {
					t.Errorf("%s: %s of %s is %s", *o.Key, head.ChecksumType, *o.ETag, *sum.value)
				}
			}
		}
		if got := fmt.Sprint(o.ChecksumAlgorithm); got != fmt.Sprint(sums) {
			t.Fatalf("%s: the LIST says %s and the HEAD %s", *o.Key, got, sums)
		}
		seen["checksum "+fmt.Sprint(sums)]++
		seen["restore "+aws.ToString(head.Restore)]++
		seen["class "+class]++
		seen["event hold "+string(head.ObjectLockEventHold)]++
		seen["encryption "+string(head.ServerSideEncryption)]++
	}
	for kind, want := range map[string]int{"owner": 2, "checksum": 11, "restore": 3, "class": 4, "event": 3, "encryption": 4} {
		got := 0
		for name := range seen {
			if strings.HasPrefix(name, kind+" ") {
				got++
			}
		}
		if got != want {
			t.Errorf("%d kinds of %s, want %d: %v", got, kind, want, seen)
		}
	}
	versions, err := client.ListObjectVersions(t.Context(), &s3.ListObjectVersionsInput{
		Bucket:                   aws.String("demo"),
		OptionalObjectAttributes: []types.OptionalObjectAttributes{types.OptionalObjectAttributesRestoreStatus},
	})
	if err != nil {
		t.Fatal(err)
	}
	restored := 0
	for _, v := range versions.Versions {
		if v.Owner == nil {
			t.Fatalf("no owner: %+v", v)
		}
		if v.RestoreStatus != nil {
			restored++
		}
	}
	if restored == 0 {
		t.Error("no version is restored")
	}
}

// Without checksum mode a HEAD has no checksum. With it, an object of KMS needs the right to decrypt.
func TestChecksumMode(t *testing.T) {
	s, address := start(t, Options{Objects: 100, Attributes: true, KMSDenied: true})
	client := sdkClient(t, address, Credentials{}, "us-east-1", false)
	denied := 0
	for _, key := range allKeys(s) {
		in := s3.HeadObjectInput{Bucket: aws.String("demo"), Key: &key}
		plain, err := client.HeadObject(t.Context(), &in)
		if err != nil || plain.ChecksumType != "" || plain.ChecksumCRC64NVME != nil {
			t.Fatalf("%v %+v", err, plain)
		}
		in.ChecksumMode = types.ChecksumModeEnabled
		_, err = client.HeadObject(t.Context(), &in)
		if plain.ServerSideEncryption == types.ServerSideEncryptionAwsKms {
			denied++
			if status(err) != 403 {
				t.Fatalf("%s: %v", key, err)
			}
		} else if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
	}
	if denied == 0 || denied == 100 {
		t.Errorf("%d of 100 objects are denied", denied)
	}
}

// The HEAD of an object that a customer's key encrypts needs that key, and that of another object must not have one.
func TestCustomerKeys(t *testing.T) {
	s, address := start(t, Options{Objects: 100, Attributes: true, CustomerKeys: 0.3, Annotations: 5})
	client := sdkClient(t, address, Credentials{}, "us-east-1", false)
	encode := base64.StdEncoding.EncodeToString
	encrypted := 0
	for _, key := range allKeys(s) {
		head := func(secret string) (*s3.HeadObjectOutput, int) {
			in := s3.HeadObjectInput{Bucket: aws.String("demo"), Key: &key}
			if secret != "" {
				sum := md5.Sum([]byte(secret))
				in.SSECustomerAlgorithm, in.SSECustomerKey = aws.String("AES256"), aws.String(encode([]byte(secret)))
				in.SSECustomerKeyMD5 = aws.String(encode(sum[:]))
			}
			out, err := client.HeadObject(t.Context(), &in)
			if err != nil {
				return nil, status(err)
			}
			return out, 200
		}
		_, without := head("")
		out, with := head(CustomerKey)
		_, other := head(strings.Repeat("x", len(CustomerKey)))
		switch got := [3]int{without, with, other}; got {
		case [3]int{400, 200, 403}:
			encrypted++
			if *out.SSECustomerAlgorithm != "AES256" || out.ServerSideEncryption != "" ||
				s.Annotations(s.Object([]byte(key))) != nil {
				t.Errorf("%s: %+v", key, out)
			}
		case [3]int{200, 400, 400}:
		default:
			t.Errorf("%s: %v", key, got)
		}
	}
	if encrypted < 15 || encrypted > 45 {
		t.Errorf("%d of 100 objects are encrypted, want about 30", encrypted)
	}
	if _, err := New(Options{CustomerKeys: 1.5}); err == nil {
		t.Error("New accepts a fraction above 1")
	}
}

func TestNoRestoreStatus(t *testing.T) {
	_, address := start(t, Options{Objects: 1, NoRestoreStatus: true})
	client := sdkClient(t, address, Credentials{}, "us-east-1", false)
	in := s3.ListObjectsV2Input{Bucket: aws.String("demo")}
	if _, err := client.ListObjectsV2(t.Context(), &in); err != nil {
		t.Error(err)
	}
	in.OptionalObjectAttributes = []types.OptionalObjectAttributes{types.OptionalObjectAttributesRestoreStatus}
	if _, err := client.ListObjectsV2(t.Context(), &in); code(err) != "NotImplemented" {
		t.Error(err)
	}
}

// The expiry of a restore is the same time in both forms.
func TestRestoreExpiry(t *testing.T) {
	iso, err1 := time.Parse(time.RFC3339, restoreExpiry)
	text, err2 := http.ParseTime(restoreExpiryHTTP)
	if err1 != nil || err2 != nil || !iso.Equal(text) {
		t.Error(iso, err1, text, err2)
	}
}
