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

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/urfave/cli/v2"

	"headcount/bench/scripttest"
	"headcount/scan/command"
	"headcount/scan/exit"
)

// TestScripts runs testdata/*.txtar. Beside testscript's commands there are those of package scripttest, and FakeS3.
func TestScripts(t *testing.T) {
	binary := scripttest.BuildHeadcount(t, filepath.Join("..", ".."))
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			for name, value := range scripttest.IsolatedEnv(env.WorkDir) {
				env.Setenv(name, value)
			}
			env.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+env.Getenv("PATH"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": scripttest.Exits, "sim": scripttest.Sim, "keys": scripttest.Keys, "fakes3": cmdFakeS3,
		},
	})
}

// testApp returns headcount with a scan that does nothing.
func testApp(stdout, stderr io.Writer) *cli.App {
	return command.NewApp(nil, stdout, stderr, &cli.Command{Name: "scan"}, Command())
}

// runs runs headcount in this process.
func runs(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	err := command.Run(ctx, testApp(&out, &errs), append([]string{"headcount"}, args...))
	command.PrintError(&errs, command.Program, err)
	return exit.Code(err), out.String(), errs.String()
}

// examplesOf returns the examples in the help of a command, and in bench/README.md.
func examplesOf(t *testing.T, name string) (examples []string) {
	t.Helper()
	_, help, _ := runs(t.Context(), "bench", name, "--help")
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	pattern := regexp.MustCompile(`(?m)^\s*(headcount bench ` + name + `( (--|s3:).*)?)$`)
	for _, match := range pattern.FindAllStringSubmatch(help+string(readme), -1) {
		examples = append(examples, match[1])
	}
	return examples
}

// The examples of bench serve run: each serves until its context ends.
func TestServeExamplesRun(t *testing.T) {
	_, help, _ := runs(t.Context(), "bench", "serve", "--help")
	examples := regexp.MustCompile(`(?m)^\s+headcount bench serve (--.*)$`).FindAllStringSubmatch(help, -1)
	if len(examples) < 4 {
		t.Fatalf("%d examples", len(examples))
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, example := range examples {
		args := append([]string{"bench", "serve", "--addr", "127.0.0.1:0"}, strings.Fields(example[1])...)
		code, stdout, stderr := runs(ended, args...)
		if code != exit.Complete || !strings.Contains(stdout, "--endpoint-url http://127.0.0.1:") {
			t.Errorf("%s: exit %d\n%s%s", example[1], code, stdout, stderr)
		}
	}
}

// The commands in bench/README.md are valid command lines.
func TestREADMECommandsParse(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^headcount (bench \w+.*)$`).FindAllStringSubmatch(string(readme), -1)
	if len(commands) < 8 {
		t.Fatalf("%d commands", len(commands))
	}
	for _, match := range commands {
		app := testApp(io.Discard, io.Discard)
		for _, c := range app.Command("bench").Subcommands {
			c.Action = func(*cli.Context) error { return nil }
		}
		args := strings.Fields("headcount " + strings.TrimSuffix(match[1], "&"))
		if err := command.Run(t.Context(), app, args); err != nil {
			t.Errorf("%s: %v", match[0], err)
		}
	}
}
