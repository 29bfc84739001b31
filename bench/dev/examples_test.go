package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// The examples in the help and in bench/README.md are valid command lines.
func TestExamplesParse(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"engines", "pace", "listing", "workers", "peers"} {
		var help strings.Builder
		if code := run(t.Context(), []string{"dev", name, "--help"}, &help, io.Discard); code != 0 {
			t.Fatalf("exit %d", code)
		}
		examples := regexp.MustCompile(`(?m)^\s*go run \./bench/dev (`+name+`( --.*)?)$`).
			FindAllStringSubmatch(help.String()+string(readme), -1)
		if len(examples) < 4 {
			t.Errorf("%s: %d examples", name, len(examples))
		}
		for _, example := range examples {
			args := append([]string{"dev"}, strings.Fields(example[1])...)
			app, parsed := newApp(io.Discard, io.Discard), false
			app.Command(name).Action = func(c *cli.Context) (err error) {
				parsed = true
				switch name {
				case "engines":
					_, err = parseEngines(c)
				case "peers":
					_, err = parsePeers(c)
				}
				return err
			}
			if err := runCommand(t.Context(), app, args); err != nil || !parsed {
				t.Errorf("%s: %v", example[1], err)
			}
		}
	}
}
