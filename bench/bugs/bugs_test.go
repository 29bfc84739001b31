//go:build mutants

package bugs

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"headcount/bench/sources"
)

// root is the path of the module's root folder.
const root = "../.."

// bug is a patch, and the test that must fail with it.
type bug struct {
	description string
	file        string // path from root
	old, new    string // lines that occur once in file, and their replacement
	pkg         string // path of the test's package from root
	test        string // full name as go test prints it
}

func allBugs() []bug {
	return slices.Concat(listBugs(), headBugs(), scanBugs(), resumeBugs(), stageBugs())
}

// Every patch applies, and its test exists. This takes a second, and TestBugs many minutes.
func TestPatchesApply(t *testing.T) {
	sources.Watch(t, root)
	for _, b := range allBugs() {
		if _, err := b.writeOverlay(t.TempDir()); err != nil {
			t.Errorf("%s: %v", b.description, err)
		}
		if name, _, _ := strings.Cut(b.test, "/"); !declaresTest(t, b.pkg, name) {
			t.Errorf("%s: %s has no test %s", b.description, b.pkg, name)
		}
	}
}

// declaresTest reports whether a test file of the package declares a test.
func declaresTest(t *testing.T, pkg, name string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pkg, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(text), "\nfunc "+name+"(")
	})
}

// The test of each bug fails with its patch.
func TestBugs(t *testing.T) {
	sources.Watch(t, root)
	for _, b := range allBugs() {
		t.Run(b.description, func(t *testing.T) {
			t.Parallel()
			if err := b.check(t); err != nil {
				t.Error(err)
			}
		})
	}
}

// check returns an error if the test does not fail, or if something else does.
func TestCheckDetectsUselessBugs(t *testing.T) {
	useless := bug{ // of a small package, and with a fast test
		file: "scan/fault/backoff.go", old: "func Backoff(", new: "func Backoff(",
		pkg: "scan/fault", test: "TestBackoffGrowsToItsCeiling",
	}
	for _, c := range []struct {
		change func(*bug)
		want   string
	}{
		{func(*bug) {}, "no test fails"},
		{func(b *bug) { b.old = "func BackedOff(" }, "occur 0 times in"},
		{func(b *bug) { b.old = "Backoff" }, "times in"},
		{func(b *bug) { b.new = "func BackedOff(" }, "build failed"},
		{func(b *bug) { b.pkg += "/none" }, "setup failed"},
		{func(b *bug) { b.test = "TestBackoff" }, "no tests to run"},
		{func(b *bug) { b.test += "/none" }, "no test fails"},
		{func(b *bug) { b.new = "func init() { panic(0) }\n" + b.new }, "another failure"},
	} {
		b := useless
		c.change(&b)
		if err := b.check(t); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// testTimeout ends a test that hangs because of its bug. The slowest takes five seconds on an idle machine.
const testTimeout = 5 * time.Minute

// check runs the test with the patch. It returns nil if the test fails. A failed build or a timeout is an error.
func (b *bug) check(t *testing.T) error {
	overlay, err := b.writeOverlay(t.TempDir())
	if err != nil {
		return err
	}
	run := exec.CommandContext(t.Context(), "go", "test", "-overlay", overlay, "-vet=off", "-count=1",
		"-timeout", testTimeout.String(), "-run", pattern(b.test), "./"+b.pkg)
	run.Dir = root
	// rapid need not shrink the failure that it finds, and must not save it.
	run.Env = append(os.Environ(), "RAPID_NOFAILFILE=true", "RAPID_SHRINKTIME=0s")
	out, err := run.CombinedOutput()
	switch {
	case err == nil:
		return fmt.Errorf("no test fails:\n%s", out)
	case !strings.Contains(string(out), "--- FAIL: "+b.test+" ("):
		return fmt.Errorf("another failure: %v\n%s", err, out)
	}
	return nil
}

// writeOverlay writes the patched file, and an overlay that replaces the source by it.
// https://pkg.go.dev/cmd/go#hdr-Compile_packages_and_dependencies (-overlay)
func (b *bug) writeOverlay(dir string) (overlay string, err error) {
	source, err := filepath.Abs(filepath.Join(root, b.file))
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), b.old); n != 1 {
		return "", fmt.Errorf("the lines to patch occur %d times in %s:\n%s", n, b.file, b.old)
	}
	patched := filepath.Join(dir, filepath.Base(b.file))
	if err := os.WriteFile(patched, []byte(strings.Replace(string(text), b.old, b.new, 1)), 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {source: patched}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, replace, 0o600)
}

// pattern returns the argument of -run for one test: a regular expression for each part of its name.
func pattern(test string) string {
	parts := strings.Split(test, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}
