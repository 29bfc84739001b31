package cli

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"headcount/scan/command"
	"headcount/scan/exit"
)

// runs runs the program in this process, with the command scan alone.
func runs(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	app := command.NewApp(strings.NewReader(""), &out, &errs, Command())
	err := command.Run(t.Context(), app, append([]string{"headcount"}, args...))
	command.PrintError(&errs, err)
	return exit.Code(err), out.String(), errs.String()
}

// Every scan in the README is one that headcount accepts, including the checks of flags against each other.
func TestREADMEScansParse(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	readme := bytes.Join(regexp.MustCompile("(?s)```(sh|console)\n.*?```").FindAll(text, -1), nil)
	scans := 0
	for _, line := range regexp.MustCompile(`(?m)^(?:\$ )?(?:[A-Z_0-9]+=\S+ )*(?:headcount|go run \.) (.*)`).FindAllSubmatch(readme, -1) {
		args := regexp.MustCompile(` (#|2?>|[|&;]|&&)(.|$)`).Split(string(line[1]), 2)[0]
		if strings.HasPrefix(args, "bench ") {
			continue
		}
		scan := Command()
		scan.Action = func(c *cli.Context) error {
			scans++
			_, err := parse(c)
			return err
		}
		app := command.NewApp(nil, io.Discard, io.Discard, scan)
		err := command.Run(t.Context(), app, append([]string{"headcount"}, strings.Fields(args)...))
		// The README's certificates are the reader's.
		if err != nil && !strings.Contains(err.Error(), "--ca-bundle ca.pem: no such file") {
			t.Errorf("%s: %v", line[0], err)
		}
	}
	if scans < 8 {
		t.Errorf("%d scans", scans)
	}
}
