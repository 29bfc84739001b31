package cli

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headcount/bench/inventory"
	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan/field"
	sources "headcount/scan/list/inventory"
)

// versionsOf returns what an Inventory says of the versions that a bucket lists.
func versionsOf(t *testing.T, url string) (objects []inventory.Object) {
	t.Helper()
	code, out, stderr := runs(t, "list", "--all-versions", "--endpoint-url", url, "--no-sign-request", "--quiet",
		"--fields", "key,version_id,is_latest,delete_marker,size,last_modified,etag,storage_class", "s3://demo")
	if code != 0 {
		t.Fatal(stderr)
	}
	for line := range strings.Lines(out) {
		var v struct {
			Key          string
			VersionID    string `json:"version_id"`
			IsLatest     bool   `json:"is_latest"`
			DeleteMarker bool   `json:"delete_marker"`
			Size         int64
			LastModified time.Time `json:"last_modified"`
			ETag         string
			StorageClass string `json:"storage_class"`
		}
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		if v.VersionID == "null" {
			v.VersionID = ""
		}
		objects = append(objects, inventory.Object{
			Key: v.Key, VersionID: v.VersionID, Old: !v.IsLatest, DeleteMarker: v.DeleteMarker, Size: v.Size,
			LastModified: v.LastModified, ETag: v.ETag, StorageClass: v.StorageClass,
		})
	}
	return objects
}

// The scan of all versions from an Inventory has the records of that of the bucket, and sends no HEAD for delete
// markers. Without --all-versions, both have the newest versions.
func TestInventoryOfVersions(t *testing.T) {
	server, url := simtest.Start(t, s3sim.Options{Objects: 400, Shape: s3sim.Dated, Versions: 9})
	objects := versionsOf(t, url)
	markers := int64(0)
	for _, o := range objects {
		if o.DeleteMarker {
			markers++
		}
	}
	if markers == 0 || len(objects) < 500 {
		t.Fatalf("%d versions, %d delete markers", len(objects), markers)
	}
	for _, flags := range [][]string{{}, {"--all-versions"}} {
		flags = append(flags, "--endpoint-url", url, "--no-sign-request", "--quiet", "--all", "--fields", "all", "s3://demo")
		_, bucket, _ := runs(t, append([]string{"scan"}, flags...)...)
		want := sortedLines(bucket)
		for _, format := range []string{"CSV", "Parquet"} {
			_, manifest := writeInventory(t, inventory.Config{Format: format, Files: 2, Versions: true}, objects)
			stats := filepath.Join(t.TempDir(), "stats.json")
			before := server.Counts()
			code, out, stderr := runs(t, append([]string{"scan", "--inventory", manifest, "--stats", stats}, flags...)...)
			if got := sortedLines(out); code != 0 || !slices.Equal(got, want) || len(want) < 300 {
				t.Fatalf("%s, %q: exit %d, %d lines, want %d; %s", format, flags[0], code, len(got), len(want), stderr)
			}
			s, after := readStats(t, stats), server.Counts()
			if all := flags[0] == "--all-versions"; after.Lists != before.Lists ||
				all && (s.Listed != int64(len(objects)) || after.Heads-before.Heads != s.Listed-markers) {
				t.Errorf("%s, %q: %+v, %d HEADs", format, flags[0], s.Outcomes, after.Heads-before.Heads)
			}
		}
	}
}

// Versions and delete markers are found without a HEAD.
func TestInventoryOfVersionsIsListed(t *testing.T) {
	objects := inventory.Samples(300)
	_, manifest := writeInventory(t, inventory.Config{Versions: true}, objects)
	for filter, is := range map[string]func(o inventory.Object) bool{
		"delete_marker":                            func(o inventory.Object) bool { return o.DeleteMarker },
		"not is_latest and size > 0":               func(o inventory.Object) bool { return o.Old && o.Size > 0 },
		`version_id == "null"`:                     func(o inventory.Object) bool { return o.VersionID == "" },
		`encryption_status == "SSE-KMS"`:           func(o inventory.Object) bool { return o.Encryption == "SSE-KMS" },
		`is_latest and object_owner == "0123abcd"`: func(o inventory.Object) bool { return !o.Old && o.Owner == "0123abcd" },
		`checksum_algorithm == "" and size >= 0`: func(o inventory.Object) bool {
			return o.Checksums == "" && !o.DeleteMarker
		},
	} {
		want := 0
		for _, o := range objects {
			if is(o) {
				want++
			}
		}
		code, out, stderr := runs(t, "list", "--inventory", manifest, "--all-versions", "--quiet", "--filter", filter,
			"s3://demo")
		if got := strings.Count(out, "\n"); code != 0 || got != want || want == 0 {
			t.Errorf("%s: exit %d, %d versions, want %d; %s", filter, code, got, want, stderr)
		}
	}
	_, current := writeInventory(t, inventory.Config{}, objects)
	code, _, stderr := runs(t, "list", "--inventory", current, "--all-versions", "s3://demo")
	if code != 2 || !strings.Contains(stderr, "no column VersionId") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// Each column of an Inventory has Fields that there are.
func TestInventoryFieldsExist(t *testing.T) {
	for _, name := range sources.AllFields() {
		if !slices.Contains(field.Names(field.Every()), name) {
			t.Errorf("no field is called %s", name)
		}
	}
}
