package scripttest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// Keys is the script command "keys FILE N": FILE must have N lines, all JSON, with N different keys.
func Keys(ts *testscript.TestScript, neg bool, args []string) {
	Lines(ts, neg, args)
	seen := map[string]bool{}
	lines := jsonLines(ts, args[0])
	for _, l := range lines {
		seen[fmt.Sprint(l["key"], l["key_b64"])] = true
	}
	if len(seen) != len(lines) {
		ts.Fatalf("%d lines, but %d keys", len(lines), len(seen))
	}
}

// Lines is the script command "lines FILE N": FILE must have N lines, all JSON.
func Lines(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	if got := len(jsonLines(ts, args[0])); got != want {
		ts.Fatalf("%d lines, want %d", got, want)
	}
}

func jsonLines(ts *testscript.TestScript, file string) (lines []map[string]any) {
	for line := range strings.Lines(ts.ReadFile(file)) {
		var l map[string]any
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			ts.Fatalf("%v: %s", err, line)
		}
		lines = append(lines, l)
	}
	return lines
}
