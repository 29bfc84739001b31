// Package sources keeps go test from using a cached result of a test that builds the module's own code in other
// processes.
package sources

import (
	"io/fs"
	"path/filepath"
	"testing"
)

// Watch walks the folder and all folders below it. go test reuses the cached result of a test while no file has changed
// that the test has read; it does not know the files that another process reads.
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
