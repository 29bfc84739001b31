package command

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"headcount/scan/exit"
)

// call is what the action of testApp was called with.
type call struct {
	command   string
	arguments []string
	workers   int
	endpoints []string
	all       bool
	line      []string
}

// testApp returns a program whose commands record their calls.
func testApp(out *bytes.Buffer, calls *[]call) *cli.App {
	flags := func() []cli.Flag {
		return []cli.Flag{
			&cli.GenericFlag{Name: "workers", Value: AutoInt(0, 1, 16)},
			&cli.GenericFlag{Name: "endpoint-url", Value: ParsedList(parseEndpoint)},
			&cli.GenericFlag{Name: "style", Value: OneOf("auto", "auto", "path"), Usage: "write it in this `STYLE`"},
			&cli.BoolFlag{Name: "all"},
		}
	}
	action := func(c *cli.Context) error {
		*calls = append(*calls, call{
			c.Command.Name, c.Args().Slice(), Get[int](c, "workers"), Get[[]string](c, "endpoint-url"), c.Bool("all"), CommandLine(c),
		})
		return nil
	}
	return NewApp(nil, out, out,
		&cli.Command{Name: "scan", Flags: flags(), Action: action},
		&cli.Command{Name: "bench", Subcommands: []*cli.Command{
			{Name: "serve", Flags: flags(), Action: action}, {Name: "floor", Hidden: true, Action: action},
		}},
	)
}

func TestRun(t *testing.T) {
	for _, c := range []struct {
		line string
		want call
	}{
		{"scan s3://b", call{command: "scan", arguments: []string{"s3://b"}}},
		{"s3://b", call{command: "scan", arguments: []string{"s3://b"}}},
		{"s3://b --all --workers 3", call{command: "scan", arguments: []string{"s3://b"}, workers: 3, all: true}},
		{"--workers=3 s3://b -all", call{command: "scan", arguments: []string{"s3://b"}, workers: 3, all: true}},
		{"bench serve --endpoint-url http://a x --endpoint-url http://b", call{
			command: "serve", arguments: []string{"x"}, endpoints: []string{"http://a", "http://b"},
		}},
		{"scan -- --all -", call{command: "scan", arguments: []string{"--all", "-"}}},
		{"scan - --all", call{command: "scan", arguments: []string{"-"}, all: true}},
	} {
		var (
			out   bytes.Buffer
			calls []call
		)
		args := append([]string{"/somewhere/headcount"}, strings.Fields(c.line)...)
		err := Run(t.Context(), testApp(&out, &calls), args)
		if err != nil || len(calls) != 1 {
			t.Errorf("%s: %v, %d calls", c.line, err, len(calls))
			continue
		}
		got := calls[0]
		if got.command != c.want.command || !slices.Equal(got.arguments, c.want.arguments) || got.workers != c.want.workers ||
			!slices.Equal(got.endpoints, c.want.endpoints) || got.all != c.want.all {
			t.Errorf("%s: %+v, want %+v", c.line, got, c.want)
		}
		if line := strings.Join(got.line, " "); line != "headcount "+c.line {
			t.Errorf("the command line is %q", line)
		}
	}
}

func TestRunRefuses(t *testing.T) {
	for _, c := range []struct{ line, want, hint string }{
		{"scna s3://b", `there is no command "scna"`, "did you mean scan, or s3://scna? headcount --help lists the commands"},
		{"bench flor", `there is no command "flor"`, "headcount bench --help lists the commands"},
		{"bench srve", `there is no command "srve"`, "did you mean serve? headcount bench --help lists the commands"},
		{"scan --wrokers 3", "there is no flag --wrokers", "did you mean --workers? headcount scan --help lists the flags"},
		{"scan --qwerty", "there is no flag --qwerty", "headcount scan --help lists the flags"},
		{"scan --workers", "the flag --workers needs a value", "headcount scan --help"},
		{"scan --workers 3 --workers 4", "the flag --workers is given twice", "give it once"},
		{"scan --workers 17", "--workers 17: out of range", "give a number from 1 to 16, or auto"},
		{"scan --workers=", "--workers: the value is empty", "headcount scan --help"},
		{"bench serve --style x", "--style x: not one of auto, path", "headcount bench serve --help"},
		{"scan --all=perhaps", "--all perhaps: not true or false", "headcount scan --help"},
		{"completion", "completion needs the name of a shell", "headcount completion bash, or zsh, or fish"},
		{"completion tcsh", `there is no completion for the shell "tcsh"`, "headcount completion bash, or zsh, or fish"},
		{"completion bash zsh", "completion is for one shell, and 2 are named", "headcount completion bash, or zsh, or fish"},
	} {
		var (
			out   bytes.Buffer
			calls []call
		)
		err := Run(t.Context(), testApp(&out, &calls), append([]string{"headcount"}, strings.Fields(c.line)...))
		if err == nil || err.Error() != c.want || exit.Hint(err) != c.hint || exit.Code(err) != exit.Usage || len(calls) > 0 {
			t.Errorf("%s: %v (%s), want %s (%s)", c.line, err, exit.Hint(err), c.want, c.hint)
		}
	}
}

// The help and the version replace the command. Help names the choices and the default of a flag, whatever else is
// given.
func TestHelp(t *testing.T) {
	for line, want := range map[string]string{
		"":                                 "headcount [scan] [flags] s3://BUCKET",
		"help":                             "headcount [scan] [flags] s3://BUCKET",
		"help bench serve":                 "--style STYLE",
		"bench serve -h":                   "write it in this STYLE (one of auto, path) (default: auto)",
		"s3://b --style path --help --all": "write it in this STYLE (one of auto, path) (default: auto)",
		"--version":                        Version(),
		"scan --version s3://b":            Version(),
		"version":                          Version(),
	} {
		var (
			out   bytes.Buffer
			calls []call
		)
		err := Run(t.Context(), testApp(&out, &calls), append([]string{"headcount"}, strings.Fields(line)...))
		if err != nil || !strings.Contains(out.String(), want) || len(calls) > 0 {
			t.Errorf("%q: %v, without %q:\n%s", line, err, want, out.String())
		}
	}
}

func TestCompletions(t *testing.T) {
	for line, want := range map[string]string{
		"":                        "scan bench completion version",
		"be":                      "bench",
		"bench|":                  "serve",
		"--w":                     "--workers",
		"s3://b|--a":              "--all",
		"scan|--workers|":         "auto",
		"bench|serve|--style|":    "auto path",
		"scan|--style=p":          "--style=path",
		"--style|=|p":             "path",
		"--style|=":               "auto path",
		"scan|--endpoint-url|":    "",
		"scan|--|--a":             "",
		"scan|s3://b|":            "",
		"completion|":             "bash fish zsh",
		"bench|serve|--end":       "--endpoint-url",
		"bench|serve|--nothing|-": "--help --version --workers --endpoint-url --style --all",
	} {
		var (
			out   bytes.Buffer
			calls []call
		)
		args := append(append([]string{"headcount"}, strings.Split(line, "|")...), completionFlag)
		if err := Run(t.Context(), testApp(&out, &calls), args); err != nil || len(calls) > 0 {
			t.Errorf("%s: %v", line, err)
		}
		if got := strings.Join(strings.Fields(out.String()), " "); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}

// The text of a key or a store is shown, and a terminal does not obey it. An error that was reported is not printed
// again.
func TestPrintError(t *testing.T) {
	var text bytes.Buffer
	PrintError(&text, Program, exit.Usagef("a\nhint", "no\x1b[31m\nerror: more\xff"))
	PrintError(&text, Program, errors.New("without a hint"))
	PrintError(&text, Program, exit.Reported(errors.New("reported")))
	PrintError(&text, Program, exit.Errorf(exit.Pipe, "", "the reader went away"))
	PrintError(&text, Program, nil)
	want := `headcount: error: no\x1b[31m\nerror: more\xff` + "\n" + `headcount: hint: a\nhint` + "\nheadcount: error: without a hint\n"
	if text.String() != want {
		t.Errorf("%q, want\n%q", text.String(), want)
	}
}
