package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
)

// Every example of the help runs, against a synthetic store in place of the stores that it names.
func TestHelpExamplesRun(t *testing.T) {
	_, url := simtest.Start(t, s3sim.Options{Objects: 50})
	place := strings.NewReplacer("https://flashblade.example.com", url, "my-bucket", "demo", "public-bucket", "demo")
	env := append(environ(t),
		"AWS_ENDPOINT_URL_S3="+url, "AWS_ACCESS_KEY_ID=alice", "AWS_SECRET_ACCESS_KEY=wonderland")
	example := regexp.MustCompile(`(?m)^ +(?:headcount|source) .*`)
	other := regexp.MustCompile(`\[|fish|zsh| - `) // a synopsis, an example for another shell, or prose
	examples, dir := 0, t.TempDir()                // one for all: an example may read what another one writes
	for name, text := range map[string]string{"keys.txt": "obj-000000000000\nnone\n", "folders.txt": "obj-\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{"scan", "list", "completion"} {
		_, help, _ := runs(t, command, "--help")
		for _, line := range example.FindAllString(help, -1) {
			if other.MatchString(line) {
				continue
			}
			examples++
			c := exec.CommandContext(t.Context(), "bash", "-c", place.Replace(line))
			c.Env, c.Dir = env, dir
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", strings.TrimSpace(line), err, out)
			}
		}
	}
	if examples < 15 {
		t.Errorf("%d examples", examples)
	}
}
