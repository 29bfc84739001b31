//go:build readme

package cli

import (
	"bytes"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// The commands in the README's console blocks print the output that the README shows. They use jq, which go test
// alone must not need, so this test has a build tag. .ci/run sets it.
func TestREADME(t *testing.T) {
	readme := readFile(t, "README.md")
	ran := 0
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(readme, -1) {
		for _, step := range strings.Split(block[1], "$ ")[1:] {
			command, want, _ := strings.Cut(step, "\n")
			if !strings.Contains(command, "| head") { // head closes the pipe, which ends the command before it
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
				t.Errorf("%s\nprints\n%s\nand the README has\n%s", command, stdout.String(), want)
			}
			ran++
		}
	}
	if ran < 5 {
		t.Errorf("%d commands were run", ran)
	}
}

// matches compares got with want, in which … stands for any text.
func matches(got, want string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*")
	return regexp.MustCompile(`(?s)^` + pattern + `$`).MatchString(got)
}
