//go:build python

package e2e

import (
	"os/exec"
	"path/filepath"
	"testing"

	"headcount/bench/pinned"
)

// TestBoto3 compares every field of every record with what boto3 says about the object, on moto and on versitygw. It
// needs Python, which go test alone must not need, so it has a build tag. .ci/run sets it.
func TestBoto3(t *testing.T) {
	headcount := filepath.Join(t.TempDir(), "headcount"+pinned.ExeSuffix())
	goBuild(t, root, headcount, ".")
	folder := filepath.Join(root, "bench", "boto3")
	python, err := pinned.Python(untilDeadline(t), folder)
	if err != nil {
		t.Fatal(err)
	}
	compare := func(t *testing.T, credentials []string, args ...string) {
		args = append([]string{filepath.Join(folder, "compare.py"), headcount}, args...)
		command := exec.CommandContext(untilDeadline(t), python, args...)
		command.Env = append(environment(t.TempDir()), credentials...)
		output, err := command.CombinedOutput()
		t.Logf("%s", output)
		if err != nil {
			t.Error(err)
		}
	}
	t.Run("moto", func(t *testing.T) { compare(t, nil) })
	t.Run("versitygw", func(t *testing.T) {
		t.Setenv("VGW_VERSIONING_DIR", t.TempDir())
		server := startVersitygw("--keep-alive")(t)
		credentials := []string{"AWS_ACCESS_KEY_ID=" + server.accessKey, "AWS_SECRET_ACCESS_KEY=" + server.secret}
		compare(t, credentials, "--endpoint-url", server.url, "--refuses", "restore")
	})
}
