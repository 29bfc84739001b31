package s3sim

import (
	"bytes"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
)

// The attributes have about the shares that an audit looks for, LIST and HEAD agree on the storage class, and a bucket
// without attributes has none.
func TestAttributes(t *testing.T) {
	const objects = 4_000
	with, err := New(Options{Objects: objects, Attributes: true})
	if err != nil {
		t.Fatal(err)
	}
	without, err := New(Options{Objects: objects})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for i := range int64(objects) {
		key := with.Keyspace().Key(i)
		o := with.Object(key)
		header := http.Header{}
		for line := range bytes.Lines(with.appendAttributes(nil, o)) {
			name, value, _ := strings.Cut(strings.TrimSpace(string(line)), ": ")
			header.Add(name, value)
		}
		for name, values := range header {
			counts[strings.ToLower(name)]++
			if len(values) > 1 {
				t.Fatalf("%s has %s %d times", key, name, len(values))
			}
		}
		if class := header.Get(textproto.CanonicalMIMEHeaderKey("x-amz-storage-class")); class != "" || o.StorageClass() != "STANDARD" {
			if class != o.StorageClass() {
				t.Errorf("%s: the HEAD says %q and the LIST %q", key, class, o.StorageClass())
			}
		}
		if class := without.Object(key).StorageClass(); class != "STANDARD" {
			t.Errorf("%s without attributes: %s", key, class)
		}
	}
	for name, oneIn := range map[string]int{
		"cache-control": 2, "x-amz-storage-class": 25, "x-amz-restore": 75, "x-amz-server-side-encryption": 1,
		"x-amz-server-side-encryption-aws-kms-key-id": 3, "x-amz-object-lock-mode": 20,
		"x-amz-object-lock-retain-until-date": 20, "x-amz-tagging-count": 4, "x-amz-expiration": 10,
	} {
		if want := objects / oneIn; counts[name] < want*3/4 || counts[name] > want*5/4 {
			t.Errorf("%d of %d objects have %s, want about %d", counts[name], objects, name, want)
		}
	}
	if _, err := New(Options{Shape: Nasty, Attributes: true}); err == nil {
		t.Error("the shape nasty may have attributes")
	}
}
