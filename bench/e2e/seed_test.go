package e2e

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
)

// testSeed seeds a bucket, scans it, cleans it, and scans it again.
func testSeed(t *testing.T, server *s3Server, headcount headcountBinary) {
	const (
		bucket = "seeded"
		folder = "test/headcount-seed/"
		count  = 1200 // more than a page
	)
	server.createBucket(t, bucket)
	foreign := []object{{key: "test/beside", body: "x"}, {key: folder + "foreign", body: "x"}}
	server.put(t, bucket, foreign)
	seed := []string{
		"bench", "seed", "--objects", "1200", "--shape", "deep", "--metadata", "mixed", "--size", "20",
		"s3://" + bucket + "/test",
	}
	for run, want := range []string{
		"= 0 already present + 1,200 put + 0 failed", "= 1,200 already present + 0 put + 0 failed",
	} {
		if code, stderr := headcount.run(t, server, seed...); code != exitComplete || !strings.Contains(stderr, want) {
			t.Fatalf("run %d: exit %d\n%s", run+1, code, stderr)
		}
	}
	got := headcount.scan(t, server, bucket, folder)
	if got.code != exitComplete || got.stats.Listed != count+1 ||
		got.stats.Emitted != count || len(got.records) != count {
		t.Fatalf("exit %d, %+v", got.code, got.stats)
	}
	for _, r := range got.records {
		want, metadata := s3sim.ID([]byte(r.key())), r.metadata()
		if id, has := metadata["id"]; metadata["headcount-seed"] != want || has && id != want {
			t.Errorf("%q has %v", r.key(), metadata)
		}
	}
	code, stderr := headcount.run(t, server, "bench", "clean", "--yes", "s3://"+bucket+"/test")
	const counts = "1,201 objects listed = 1,200 removed + 1 left + 0 gone + 0 failed"
	left := "headcount: left: s3://" + bucket + "/" + folder + "foreign: without the marker of bench seed"
	if code != exitFailures || !strings.Contains(stderr, counts) || !strings.Contains(stderr, left) {
		t.Errorf("exit %d\n%s", code, stderr)
	}
	got = headcount.scan(t, server, bucket, "", "--all")
	if got.code != exitComplete || got.stats.Listed != len(foreign) || len(got.records) != len(foreign) {
		t.Errorf("exit %d, %+v", got.code, got.stats)
	}
}

// testSeedFrom puts the files of a directory twice, scans them, and cleans.
func testSeedFrom(t *testing.T, server *s3Server, headcount headcountBinary) {
	const bucket, folder = "files", "files/headcount-seed/"
	server.createBucket(t, bucket)
	dir := t.TempDir()
	modified := time.Unix(1_700_000_000, 0)
	want := map[string]string{}
	for name, contentType := range map[string]string{
		"a.json": "application/json", "b c/größe+1.html": "text/html; charset=utf-8", "none": "application/octet-stream",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(name), 0o600),
			os.Chtimes(path, modified, modified)); err != nil {
			t.Fatal(err)
		}
		want[folder+name] = contentType
	}
	for _, counts := range []string{"= 0 already present + 3 put + 0 failed", "= 3 already present + 0 put + 0 failed"} {
		code, stderr := headcount.run(t, server, "bench", "seed", "--from", dir, "s3://"+bucket+"/files")
		if code != exitComplete || !strings.Contains(stderr, counts) {
			t.Fatalf("exit %d, want %q\n%s", code, counts, stderr)
		}
	}
	got := headcount.scan(t, server, bucket, "", "--fields", "key,metadata,content_type,size")
	if got.code != exitComplete || len(got.records) != len(want) {
		t.Fatalf("exit %d, %d records\n%s", got.code, len(got.records), got.stderr)
	}
	for _, r := range got.records {
		if want[r.key()] == "" || *r.ContentType != want[r.key()] || *r.Size != len(r.key())-len(folder) ||
			r.metadata()["mtime"] != "1700000000.000000000" || r.metadata()["mode"] == "" {
			t.Errorf("%q is %v of %d bytes with %v", r.key(), *r.ContentType, *r.Size, r.metadata())
		}
	}
	code, stderr := headcount.run(t, server, "bench", "clean", "--yes", "s3://"+bucket+"/files")
	if code != exitComplete || !strings.Contains(stderr, "3 objects listed = 3 removed") {
		t.Errorf("exit %d\n%s", code, stderr)
	}
}

// environment returns an environment without credentials. folder replaces the home folder.
func environment(folder string) []string {
	return []string{
		"HOME=" + folder, "USERPROFILE=" + folder,
		"SYSTEMROOT=" + os.Getenv("SYSTEMROOT"), // Windows has no sockets without it
		"AWS_EC2_METADATA_DISABLED=true",        // an EC2 instance would provide credentials
	}
}

// run runs any other command than scan as a user would, with an environment of the server's URL and credentials only.
func (h headcountBinary) run(t *testing.T, server *s3Server, args ...string) (code int, stderr string) {
	ctx, cancel := context.WithTimeout(untilDeadline(t), scanWait)
	defer cancel()
	command := exec.CommandContext(ctx, string(h), args...)
	command.Env = append(environment(t.TempDir()), "AWS_ENDPOINT_URL_S3="+server.url,
		"AWS_ACCESS_KEY_ID="+server.accessKey, "AWS_SECRET_ACCESS_KEY="+server.secret)
	var output strings.Builder
	command.Stderr = &output
	err := command.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return exit.ExitCode(), output.String()
	case err != nil:
		t.Fatal(err)
	}
	return exitComplete, output.String()
}
