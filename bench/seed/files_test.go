package seed

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/scan/exit"
)

// folderOf makes a directory with files, and returns it.
func folderOf(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range names {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(strings.Repeat("x", i)), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// seedsFrom runs a Seed of the files of a directory.
func (f *fake) seedsFrom(t *testing.T, dir string) (Stats, []string) {
	t.Helper()
	files, err := OpenFiles(t.Context(), dir, "p")
	if err != nil {
		t.Fatal(err)
	}
	cfg := f.config(t)
	failures := failed(&cfg)
	stats, err := NewFrom(cfg, files).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, e := range *failures {
		texts = append(texts, e.Error())
	}
	return stats, texts
}

// Files are put with their content, their content type and the metadata of s3fs. A second run puts only the missing
// ones, and a Clean removes all.
func TestSeedFrom(t *testing.T) {
	f := newFake(t)
	names := []string{"a.json", "b/a b+ü.html", "b/c/none", "b-c.png", "z"}
	dir := folderOf(t, names...)
	modified := time.Unix(1_700_000_000, 123_456_000)
	for _, name := range names {
		if err := os.Chtimes(filepath.Join(dir, name), modified, modified); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("a.json", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	stats, failures := f.seedsFrom(t, dir)
	if stats.Put != 5 || stats.Objects != 5 || stats.Skipped != 1 || len(failures) > 0 {
		t.Fatalf("%+v %q", stats, failures)
	}
	types := []string{
		"application/json", "text/html; charset=utf-8", "application/octet-stream", "image/png",
		"application/octet-stream",
	}
	for i, name := range names {
		key := "p/headcount-seed/" + name
		head := f.head(t, key)
		want := map[string]string{
			"mode": "33184", "mtime": "1700000000.123456000", "uid": fmt.Sprint(os.Getuid()),
			"gid": fmt.Sprint(os.Getgid()), markerName: s3sim.ID([]byte(key)),
		}
		for n, value := range want {
			if head.Metadata[n] != value && !(value == "-1" && head.Metadata[n] == "") { // Windows has no uid
				t.Errorf("%s: %s is %q, want %q", name, n, head.Metadata[n], value)
			}
		}
		if *head.ContentType != types[i] || *head.ContentLength != int64(i) {
			t.Errorf("%s: %s of %d bytes, want %s of %d", name, *head.ContentType, *head.ContentLength, types[i], i)
		}
	}
	f.remove(t, "p/headcount-seed/"+names[2])
	f.put(t, "p/headcount-seed/other", nil)
	f.faults(nil)
	stats, _ = f.seedsFrom(t, dir)
	if stats.Put != 1 || stats.Present != 4 || stats.Other != 1 || f.sent("PUT") != 1 {
		t.Errorf("%+v, %d PUTs", stats, f.sent("PUT"))
	}
	if stats, _ := f.cleans(t, f.config(t)); stats.Removed != 5 || stats.Foreign != 1 {
		t.Errorf("%+v", stats)
	}
}

// A body is sent from its start again after a failure. A file that cannot be read fails, and the others are put.
func TestSeedFromFailures(t *testing.T) {
	f := newFake(t)
	dir := folderOf(t, "a", "b", "c", "gone")
	files, err := OpenFiles(t.Context(), dir, "p")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "gone")); err != nil {
		t.Fatal(err)
	}
	f.faults(func(w http.ResponseWriter, r *http.Request, nth int) bool {
		first := r.Method == http.MethodPut && nth == 1
		if first {
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		return first
	})
	cfg := f.config(t)
	failures := failed(&cfg)
	s := NewFrom(cfg, files)
	s.setDelay(time.Millisecond)
	stats, err := s.Run(t.Context())
	if err != nil || stats.Put != 3 || stats.Failed != 1 || stats.Retries["put"]["503"] != 3 {
		t.Fatalf("%+v, %v", stats, err)
	}
	if e := (*failures)[0].Error(); !strings.Contains(e, "headcount-seed/gone: ") || !strings.Contains(e, dir) {
		t.Error(e)
	}
	if n := *f.head(t, "p/headcount-seed/c").ContentLength; n != 2 {
		t.Errorf("%d bytes, want 2", n)
	}
}

func TestOpenFilesRefuses(t *testing.T) {
	long := folderOf(t, strings.Repeat(strings.Repeat("n", 200)+"/", 5)+"n")
	file := filepath.Join(folderOf(t, "a"), "a")
	huge := folderOf(t, "a")
	if err := os.Truncate(filepath.Join(huge, "a"), putBytesMax+1); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		long: "1032 bytes", file: "is no directory", huge: "at most 5368709120", t.TempDir(): "no regular files",
		filepath.Join(file, "x"): "", "": "no directory is named",
	} {
		_, err := OpenFiles(t.Context(), dir, strings.Repeat("p", 10))
		if err == nil || !strings.Contains(err.Error(), want) || exit.Code(err) != exit.Usage || exit.Hint(err) == "" {
			t.Errorf("%.40q: %v", dir, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := OpenFiles(ctx, huge, ""); err != context.Canceled {
		t.Error(err)
	}
}

// The names of a Files are in the order of bytes, so that each is found.
func TestFilesIndex(t *testing.T) {
	files, err := OpenFiles(t.Context(), folderOf(t, "b-c", "a/z", "a.z", "c"), "")
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a.z", "a/z", "b-c", "c"}; !slices.Equal(files.names, want) {
		t.Errorf("%q, want %q", files.names, want)
	}
	for i := range files.count() {
		if at, known := files.index(files.name(i)); at != i || !known {
			t.Errorf("%s is number %d", files.name(i), at)
		}
	}
	if _, known := files.index("b"); known {
		t.Error("b is known")
	}
}
