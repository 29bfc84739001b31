package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/bench/scripttest"
	"headcount/scan/command"
	"headcount/scan/exit"
)

// hangs is when a test gives up on a run that should end by itself, however slow the machine is.
const hangs = 2 * time.Minute

// runs runs the program in this process, with the commands of this package alone. Tests that call it are not parallel:
// all apps of urfave/cli share the flag for help.
func runs(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hangs)
	defer cancel()
	var out, errs bytes.Buffer
	app := command.NewApp(strings.NewReader(""), &out, &errs, Command(), ListCommand())
	err := command.Run(ctx, app, append([]string{"headcount"}, args...))
	command.PrintError(&errs, command.Program, err)
	return exit.Code(err), out.String(), errs.String()
}

// Every scan and every list in the README and in the pages that it links to is one that headcount accepts, including
// the checks of flags against each other.
func TestREADMEScansParse(t *testing.T) {
	text := readFile(t, "README.md")
	for _, page := range regexp.MustCompile(`\]\(([a-z/]+/README\.md)\)`).FindAllStringSubmatch(text, -1) {
		text += readFile(t, page[1])
	}
	text = strings.Join(regexp.MustCompile("(?s)```(sh|console)\n.*?```").FindAllString(text, -1), "")
	example := regexp.MustCompile(`(?m)^(?:\$ )?(?:[A-Z_0-9]+=\S+ )*(?:headcount|go run \.) (.*)`)
	scans := 0
	for _, line := range example.FindAllStringSubmatch(text, -1) {
		if strings.HasPrefix(line[1], "bench ") {
			continue
		}
		scan, list := Command(), ListCommand()
		scan.Action = func(c *cli.Context) error {
			scans++
			_, err := parse(c)
			return err
		}
		list.Action = scan.Action
		app := command.NewApp(nil, io.Discard, io.Discard, scan, list)
		err := command.Run(t.Context(), app, append([]string{"headcount"}, scripttest.Words(line[1])...))
		// The README's certificates are the reader's.
		if err != nil && !strings.Contains(err.Error(), "--ca-bundle ca.pem: no such file") {
			t.Errorf("%s: %v", line[0], err)
		}
	}
	if scans < 8 {
		t.Errorf("%d scans", scans)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
