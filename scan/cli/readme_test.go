//go:build readme

package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The commands of the README's console blocks print what it says they print. They use jq, which go test alone must not
// need, and so this test has a build tag: .ci/run sets it.
func TestREADME(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllSubmatch(readme, -1) {
		for _, step := range strings.Split(string(block[1]), "$ ")[1:] {
			command, want, _ := strings.Cut(step, "\n")
			if !strings.Contains(command, "| head") { // it ends what it reads from by closing the pipe
				command = "set -o pipefail; " + command
			}
			c := exec.CommandContext(t.Context(), "bash", "-c", command)
			c.Dir = root
			var stdout, stderr bytes.Buffer
			c.Stdout, c.Stderr = &stdout, &stderr
			if err := c.Run(); err != nil {
				t.Errorf("%s: %v\n%s", command, err, stderr.String())
			}
			if !matches(stdout.String(), want) {
				t.Errorf("%s\nprints\n%s\nand the README says\n%s", command, stdout.String(), want)
			}
			ran++
		}
	}
	if ran < 7 {
		t.Errorf("%d commands were run", ran)
	}
}

// matches compares, … standing for anything.
func matches(got, want string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*")
	return regexp.MustCompile(`(?s)^` + pattern + `$`).MatchString(got)
}
