// Package sources is for tests that build and run the module's own code in other processes.
package sources

import (
	"io/fs"
	"path/filepath"
	"testing"
)

// Watch looks at every folder below one that may have sources. go test takes its last result of a test for this one while no file has
// changed that the test has looked at, and of what another process reads it knows nothing.
// https://pkg.go.dev/cmd/go#hdr-Build_and_test_caching
func Watch(t testing.TB, folder string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == ".git" { // a file in a worktree
			return filepath.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
