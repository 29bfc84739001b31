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

// root is the folder of the module, from this one.
const root = "../.."

// bug is a patch, and the test that catches it.
type bug struct {
	what     string // is done wrong
	file     string // from the root
	old, new string // some lines of it, which are there once, and what they become
	in       string // the package of the test, from the root
	test     string // in full, as go test prints it
}

// Each bug is caught by the test that is there to catch it.
func TestBugs(t *testing.T) {
	if testing.Short() {
		t.Skip("each bug is a build, and the race detector has no part in it")
	}
	sources.Watch(t, root)
	for _, b := range slices.Concat(listBugs(), headBugs(), scanBugs(), resumeBugs()) {
		t.Run(b.what, func(t *testing.T) {
			t.Parallel()
			if err := b.caught(t); err != nil {
				t.Error(err)
			}
		})
	}
}

// What is no catch is not taken for one.
func TestWhatIsNoCatch(t *testing.T) {
	if testing.Short() {
		t.Skip("builds too")
	}
	// Of the smallest package, and a test of a millisecond.
	delay := bug{file: "scan/fault/backoff.go", old: "func Backoff(", new: "func Backoff(", in: "scan/fault", test: "TestBackoffGrowsToItsCeiling"}
	for _, c := range []struct {
		change func(*bug)
		want   string
	}{
		{func(*bug) {}, "nothing fails"},
		{func(b *bug) { b.old = "func BackedOff(" }, "is 0 times in"},
		{func(b *bug) { b.old = "Backoff" }, "is 2 times in"},
		{func(b *bug) { b.new = "func BackedOff(" }, "build failed"},
		{func(b *bug) { b.in += "/none" }, "setup failed"},
		{func(b *bug) { b.test = "TestBackoff" }, "no tests to run"},
		{func(b *bug) { b.test += "/none" }, "nothing fails"},
		{func(b *bug) { b.new = "func init() { panic(0) }\n" + b.new }, "fails otherwise"},
	} {
		b := delay
		c.change(&b)
		if err := b.caught(t); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
}

// innerTimeout bounds a run of one test. The slowest needs five seconds, and the machine may be busy with others.
const innerTimeout = 90 * time.Second

// caught says why the bug is not caught, or nil: its test must fail, and not a build, nor the test's time be over.
func (b *bug) caught(t *testing.T) error {
	overlay, err := b.plant(t.TempDir())
	if err != nil {
		return err
	}
	run := exec.CommandContext(t.Context(), "go", "test", "-overlay", overlay, "-vet=off", "-count=1",
		"-timeout", innerTimeout.String(), "-run", pattern(b.test), "./"+b.in)
	run.Dir = root
	// A failure that rapid finds need not be a small one, and is not to be remembered.
	run.Env = append(os.Environ(), "RAPID_NOFAILFILE=true", "RAPID_SHRINKTIME=0s")
	out, err := run.CombinedOutput()
	switch {
	case err == nil:
		return fmt.Errorf("nothing fails:\n%s", out)
	case !strings.Contains(string(out), "--- FAIL: "+b.test+" ("):
		return fmt.Errorf("it fails otherwise: %v\n%s", err, out)
	}
	return nil
}

// plant writes the file with the bug, and an overlay that puts it in the place of the right one.
// https://pkg.go.dev/cmd/go#hdr-Compile_packages_and_dependencies (-overlay)
func (b *bug) plant(dir string) (overlay string, err error) {
	right, err := filepath.Abs(filepath.Join(root, b.file))
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(right)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(text), b.old); n != 1 {
		return "", fmt.Errorf("what is to be patched is %d times in %s:\n%s", n, b.file, b.old)
	}
	wrong := filepath.Join(dir, filepath.Base(b.file))
	if err := os.WriteFile(wrong, []byte(strings.Replace(string(text), b.old, b.new, 1)), 0o600); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {right: wrong}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, replace, 0o600)
}

// pattern is what -run wants for one test: a regular expression for each part of its name.
func pattern(test string) string {
	parts := strings.Split(test, "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return strings.Join(parts, "/")
}
