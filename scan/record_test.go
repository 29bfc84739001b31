package scan_test

import (
	"testing"

	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/head"
	"headcount/scan/list"
)

// A clone keeps its data when the connection's buffers and the list.Entry of the original are overwritten.
func TestClone(t *testing.T) {
	buffer := []byte("owneralicecontent-typetext/plain")
	entry := list.Entry{Key: "k", Size: 7, ETag: "e", LastModified: "2026-11-22T01:02:03Z", StorageClass: "GLACIER"}
	result := head.Result{
		Status:   200,
		Metadata: []head.Header{{Name: buffer[:5:5], Value: buffer[5:10:10]}},
		Headers:  []head.Header{{Name: buffer[10:22:22], Value: buffer[22:]}},
	}
	r := scan.NewRecord(&entry, &result, true)
	clone := r.Clone()
	clear(buffer)
	entry, result = list.Entry{Size: -1}, head.Result{}

	metadata, known := clone.Metadata()
	owner, other := metadata.Get("owner"), metadata.Get("other")
	if !known || len(metadata) != 1 || string(owner) != "alice" || other != nil {
		t.Errorf("got metadata %q, want owner=alice", metadata)
	}
	if clone.Key() != "k" || !clone.Changed() || string(clone.Header("content-type")) != "text/plain" {
		t.Errorf("got key %q, changed %v, content-type %q; want k, true, text/plain",
			clone.Key(), clone.Changed(), clone.Header("content-type"))
	}
	fields, err := field.Parse("size,etag,storage_class")
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	for i := range fields {
		text, _ = fields[i].AppendText(append(text, ' '), clone)
	}
	if want := " 7 e "; string(text) != want {
		t.Errorf("got %q, want %q", text, want)
	}
}

// The clone of a Record without a HEAD has the key and no metadata.
func TestCloneWithoutHead(t *testing.T) {
	entry := list.Entry{Key: "k", Size: 7, StorageClass: "GLACIER"}
	r := scan.NewRecord(&entry, nil, false)
	clone := r.Clone()
	entry = list.Entry{}
	class, _ := clone.AppendStorageClass(nil)
	if _, known := clone.Metadata(); known || clone.Key() != "k" || string(class) != "GLACIER" {
		t.Errorf("got %+v, want key k in GLACIER without metadata", clone)
	}
}

// Without a HEAD, a header is what the source of the key says. A HEAD is the newer answer, even without that header.
func TestHeaderOfDetails(t *testing.T) {
	const name = "x-amz-replication-status"
	entry := list.Entry{Key: "k", Details: &list.Details{Headers: []list.DetailHeader{{Name: name, Value: "FAILED"}}}}
	listed := scan.NewRecord(&entry, nil, false)
	for _, r := range []*scan.Record{&listed, listed.Clone()} {
		if got := string(r.Header(name)); got != "FAILED" || r.Header("etag") != nil {
			t.Errorf("%q, %q", got, r.Header("etag"))
		}
	}
	asked := scan.NewRecord(&entry, &head.Result{Status: 200}, false)
	if got := asked.Header(name); got != nil {
		t.Errorf("%q after a HEAD without it", got)
	}
}
