package cli

import (
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"headcount/scan/command"
)

// The examples of bench head, in its help and in bench/README.md, are valid command lines.
func TestHeadExamplesParse(t *testing.T) {
	examples := examplesOf(t, "head")
	if len(examples) < 10 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, example := range examples {
		app, parsed := testApp(io.Discard, io.Discard), false
		app.Command("bench").Command("head").Action = func(c *cli.Context) error {
			parsed = true
			cfg, err := parseHead(c)
			if !slices.Equal(cfg.Command, strings.Fields(example)) {
				t.Errorf("%s: the report would have %q", example, cfg.Command)
			}
			return err
		}
		args := strings.Fields(example)
		args[0] = "/somewhere/headcount"
		if err := command.Run(t.Context(), app, args); err != nil || !parsed {
			t.Errorf("%s: %v", example, err)
		}
	}
}

func TestParseSweep(t *testing.T) {
	for text, want := range map[string][]int{
		"64":           {64},
		"1,2,4":        {1, 2, 4},
		"4,2,1":        {4, 2, 1},
		"1,2,4…32":     {1, 2, 4, 8, 16, 32},
		"1,2,4,…,32":   {1, 2, 4, 8, 16, 32},
		"1...10":       {1, 2, 4, 8, 10},
		"3…4":          {3, 4},
		"1…4,100…300":  {1, 2, 4, 100, 200, 300},
		"16384":        {16384},
		"":             nil,
		"0":            nil,
		"16385":        nil,
		"-1":           nil,
		"many":         nil,
		"1,2,1":        nil,
		"1…8,4":        nil,
		"…8":           nil,
		"1…":           nil,
		"8…4":          nil,
		"1……8":         nil,
		"1, 2":         nil,
		"1e3":          nil,
		",":            nil,
		"1,2,4.…1024":  nil,
		"1…1…1":        nil,
		"auto":         nil,
		"99999999999…": nil,
	} {
		if got, err := parseSweep(text); !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}
