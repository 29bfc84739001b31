package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"headcount/scan/command"
)

// The examples of bench peers are command lines that it takes.
func TestPeersExamplesParse(t *testing.T) {
	_, help, _ := runs(t, "bench", "peers", "--help")
	examples := regexp.MustCompile(`(?m)^\s+(headcount bench peers( --.*)?)$`).FindAllStringSubmatch(help, -1)
	if len(examples) < 4 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, example := range examples {
		app, parsed := testApp(), false
		app.Command("bench").Command("peers").Action = func(c *cli.Context) error {
			parsed = true
			_, err := parsePeers(c)
			return err
		}
		if err := command.Run(t.Context(), app, strings.Fields(example[1])); err != nil || !parsed {
			t.Errorf("%s: %v", example[1], err)
		}
	}
}
