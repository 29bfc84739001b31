package cli

import (
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"headcount/bench/s3sim"
)

// Every example of the help runs, against a sim in place of the stores it names.
func TestHelpExamplesRun(t *testing.T) {
	server, err := s3sim.New(s3sim.Options{Objects: 50})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }() // nil after Close
	defer server.Close()
	url := "http://" + l.Addr().String()
	place := strings.NewReplacer("https://flashblade.example.com", url, "my-bucket", "demo", "public-bucket", "demo")
	env := append(environ(t), "AWS_ENDPOINT_URL_S3="+url, "AWS_ACCESS_KEY_ID=alice", "AWS_SECRET_ACCESS_KEY=wonderland")
	examples, dir := 0, t.TempDir() // one for all: an example may read what another writes
	for _, command := range []string{"scan", "completion"} {
		_, help, _ := runs(t, command, "--help")
		for line := range strings.Lines(help) {
			if !regexp.MustCompile(`^\s+(headcount|source) `).MatchString(line) || strings.Contains(line, "[") || strings.Contains(line, "fish") || strings.Contains(line, " - ") {
				continue
			}
			if strings.Contains(line, "zsh") {
				continue // its builtins are zsh's
			}
			examples++
			c := exec.CommandContext(t.Context(), "bash", "-c", place.Replace(line))
			c.Env, c.Dir = env, dir
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", strings.TrimSpace(line), err, out)
			}
		}
	}
	if examples < 6 {
		t.Errorf("%d examples", examples)
	}
}
