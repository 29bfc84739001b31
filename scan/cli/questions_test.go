package cli

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/bench/scripttest"
	"headcount/scan/metrics"
)

// Every command of the README's table of questions runs. Those with a filter find some of the objects, and not all.
// Only what a client has encrypted is nowhere in the synthetic store.
func TestREADMEQuestions(t *testing.T) {
	const objects = 2_500
	_, url := simtest.Start(t, s3sim.Options{Objects: objects, Shape: s3sim.Dated, Attributes: true})
	_, table, _ := strings.Cut(readFile(t, "README.md"), "| question | command |\n| --- | --- |\n")
	table, _, _ = strings.Cut(table, "\n\n")
	t.Chdir(t.TempDir()) // some write a file
	ran := 0
	for _, command := range regexp.MustCompile("`headcount ([^`]+)`").FindAllStringSubmatch(table, -1) {
		args := scripttest.Words(strings.ReplaceAll(command[1], "s3://my-bucket", "s3://demo"))
		args = append(args, "--endpoint-url", url, "--no-sign-request", "--quiet", "--stats", "stats.json")
		code, stdout, stderr := runs(t, args...)
		if code != 0 || stderr != "" {
			t.Errorf("%s: exit %d, %s", command[1], code, stderr)
		}
		emitted := emittedOf(t, "stats.json")
		if !strings.Contains(command[1], "--output") && !strings.Contains(stdout, "\n") && emitted > 0 {
			t.Errorf("%s: nothing is printed", command[1])
		}
		switch {
		case strings.Contains(command[1], "x-amz-key"):
			if emitted != 0 {
				t.Errorf("%s: %d objects", command[1], emitted)
			}
		case strings.Contains(command[1], "--filter"):
			if emitted == 0 || emitted == objects {
				t.Errorf("%s: %d objects of %d", command[1], emitted, objects)
			}
		case emitted == 0:
			t.Errorf("%s: no object", command[1])
		}
		ran++
	}
	if ran < 12 {
		t.Errorf("%d commands were run", ran)
	}
}

// emittedOf returns how many Records the run emitted whose statistics are in a file.
func emittedOf(t *testing.T, file string) int64 {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var stats metrics.Stats
	if err := json.Unmarshal(text, &stats); err != nil || !stats.Complete {
		t.Errorf("%v; complete: %v", err, stats.Complete)
	}
	return stats.Emitted
}
