package main

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/urfave/cli/v2"

	"headcount/bench/scripttest"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
)

// TestMain lets the test binary act as headcount, for the scripts.
func TestMain(m *testing.M) {
	if err := os.Setenv("GORACE", scripttest.RaceOptions); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){"headcount": main})
}

// TestScripts runs .testdata/*.txtar, which are about all commands, with the commands of package scripttest.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: ".testdata",
		Setup: func(env *testscript.Env) error {
			for name, value := range scripttest.IsolatedEnv(env.WorkDir) {
				env.Setenv(name, value)
			}
			env.Setenv("GORACE", scripttest.RaceOptions)
			return nil
		},
		Cmds: scripttest.Commands(),
	})
}

func testApp() *cli.App { return newApp(nil, io.Discard, io.Discard) }

// runs the program in this process.
func runs(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"headcount"}, args...), strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// floors are the packages of the module, lowest floor first. A package imports packages of its own floor and of lower
// ones. A name ending in /... stands for a folder and all packages below it.
func floors() [][]string {
	return [][]string{
		// They import nothing of the module.
		{
			"scan/csvrow", "scan/durable", "scan/exit", "scan/fault/...", "scan/pace", "scan/spelling", "output/console",
			"output/parquet",
		},
		{"scan/hint"},
		{"scan/store/...", "scan/list/...", "scan/lookup", "scan/head/...", "scan/metrics", "scan/checkpoint"},
		{"scan"},
		{"scan/field", "scan/filter", "scan/forecast"},
		{"output", "output/fileset", "output/report"},
		{"scan/command"},
		{"bench/..."},
		{"scan/cli", "bench/cli", "bench/dev"}, // nothing but main imports them
		{"."},
	}
}

// floorOf returns the floor of a package, which the longest matching name decides; -1: no name matches.
func floorOf(pkg string) int {
	floor, longest := -1, 0
	for i, names := range floors() {
		for _, name := range names {
			folder, isFolder := strings.CutSuffix(name, "/...")
			matches := pkg == folder || isFolder && strings.HasPrefix(pkg, folder+"/")
			if matches && len(folder) > longest {
				floor, longest = i, len(folder)
			}
		}
	}
	return floor
}

// Imports go one way. Above all, the packages that make a scan import neither those that write its records nor those
// that measure it.
func TestImportsGoOneWay(t *testing.T) {
	const demoStore = "bench/s3sim" // scan --demo scans it
	outputFloor, cliFloor := floorOf("output"), floorOf("scan/cli")
	files := 0
	for pkg, imports := range moduleImports(t, &files) {
		floor := floorOf(pkg)
		if floor < 0 {
			t.Errorf("the package %s has no floor", pkg)
		}
		for _, imported := range imports {
			switch to := floorOf(imported); {
			case to > floor, to == floor && (to == 0 || to == cliFloor):
				t.Errorf("%s imports %s", pkg, imported)
			case floor < outputFloor && strings.HasPrefix(imported, "output"):
				t.Errorf("%s imports %s", pkg, imported)
			case pkg == "scan/cli" && strings.HasPrefix(imported, "bench/") && imported != demoStore:
				t.Errorf("%s imports %s", pkg, imported)
			}
		}
	}
	if files < 100 {
		t.Errorf("%d files were read", files)
	}
}

// moduleImports returns what the packages of the module import of each other, without their tests.
func moduleImports(t *testing.T, files *int) map[string][]string {
	t.Helper()
	imports := map[string][]string{}
	forEachFile(t, parser.ImportsOnly, func(pkg string, file *ast.File) {
		*files++
		if imports[pkg] == nil {
			imports[pkg] = []string{}
		}
		for _, i := range file.Imports {
			if imported, ours := strings.CutPrefix(strings.Trim(i.Path.Value, `"`), "headcount/"); ours {
				imports[pkg] = append(imports[pkg], imported)
			}
		}
	})
	return imports
}

// forEachFile parses every Go file of the module that is no test.
func forEachFile(t *testing.T, mode parser.Mode, do func(pkg string, file *ast.File)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, mode)
		if err == nil {
			do(filepath.ToSlash(filepath.Dir(path)), file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Every package has a comment that says what it holds.
func TestEveryPackageHasAComment(t *testing.T) {
	comments := map[string]string{}
	forEachFile(t, parser.PackageClauseOnly|parser.ParseComments, func(pkg string, file *ast.File) {
		comments[pkg] += file.Doc.Text()
	})
	for pkg, comment := range comments {
		if comment == "" {
			t.Errorf("package %s has no comment", pkg)
		}
	}
	if len(comments) < 20 {
		t.Errorf("%d packages were read", len(comments))
	}
}

// The folder of the module has two Go files: everything else is in a package that can be imported and tested.
func TestLayout(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if want := []string{"main.go", "main_test.go"}; err != nil || !slices.Equal(files, want) {
		t.Errorf("%q, want %q; %v", files, want, err)
	}
}

// Every headcount command in the README and in the pages that it links to is one that headcount accepts, down to the
// values of its flags.
func TestREADMENamesRealFlags(t *testing.T) {
	text := readREADME(t)
	pages := regexp.MustCompile(`\]\(([a-z/]+/README\.md)\)`).FindAllSubmatch(text, -1)
	if len(pages) < 5 {
		t.Errorf("the README links to %d pages", len(pages))
	}
	for _, page := range pages {
		linked, err := os.ReadFile(string(page[1]))
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, linked...)
	}
	readme := bytes.Join(regexp.MustCompile("(?s)```(sh|console)\n.*?```").FindAll(text, -1), nil)
	line := regexp.MustCompile(`(?m)^(?:\$ )?(?:[A-Z_0-9]+=\S+ )*(?:headcount|go run \.) (.*)`)
	commands := line.FindAllSubmatch(readme, -1)
	if len(commands) < 8 {
		t.Fatalf("%d commands", len(commands))
	}
	scans := 0
	for _, c := range commands {
		app := testApp()
		parseOnly(app.Commands)
		app.Command("scan").Action = func(*cli.Context) error { scans++; return nil }
		err := command.Run(t.Context(), app, append([]string{"headcount"}, scripttest.Words(string(c[1]))...))
		// The README's certificates are the reader's.
		if err != nil && !strings.Contains(err.Error(), "--ca-bundle ca.pem: no such file") {
			t.Errorf("%s: %v", c[0], err)
		}
	}
	if scans < 8 {
		t.Errorf("%d scans", scans)
	}
}

// parseOnly makes commands do nothing.
func parseOnly(commands []*cli.Command) {
	for _, c := range commands {
		c.Action = func(*cli.Context) error { return nil }
		parseOnly(c.Subcommands)
	}
}

// The README and scan's help have the exit codes of the code. Package field compares the README's fields.
func TestREADMEIsTheCode(t *testing.T) {
	readme := string(readREADME(t))
	_, text, _ := strings.Cut(readme, "| exit | meaning |\n| --- | --- |\n")
	text, _, _ = strings.Cut(text, "\n\n")
	_, help, _ := runs(t, "scan", "--help")
	var codes, helped []int
	for _, row := range regexp.MustCompile(`(?m)^\| ([0-9, ]+) \|`).FindAllStringSubmatch(text, -1) {
		for code := range strings.SplitSeq(row[1], ", ") {
			codes = append(codes, atoi(t, code))
		}
	}
	_, help, _ = strings.Cut(help, "Exit codes: ")
	help, _, _ = strings.Cut(help, "The output ends")
	for _, code := range regexp.MustCompile(`\b[0-9]+\b`).FindAllString(help, -1) {
		helped = append(helped, atoi(t, code))
	}
	all := []int{
		exit.Complete, exit.Fatal, exit.Usage, exit.Failures, exit.Missed, exit.Output,
		exit.Hangup, exit.Interrupt, exit.Terminate, exit.Pipe,
	}
	ofScan := slices.DeleteFunc(slices.Clone(all), func(code int) bool { return code == exit.Missed })
	if !slices.Equal(codes, all) || !slices.Equal(helped, ofScan) {
		t.Errorf("the README has the exit codes %v, the help of scan %v, and there are %v", codes, helped, all)
	}
}

// A README is for five minutes: what it is, its use by task, tables. Depth is in the pages that it links to.
func TestREADMEIsShort(t *testing.T) {
	const maxLines = 220
	if lines := bytes.Count(readREADME(t), []byte("\n")); lines > maxLines {
		t.Errorf("the README has %d lines, of %d at most", lines, maxLines)
	}
}

func readREADME(t *testing.T) []byte {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func atoi(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{&scan.OutputError{Err: errors.New("full")}, exit.Output},
		{&scan.OutputError{Err: &fs.PathError{Err: syscall.EPIPE}}, exit.Pipe},
	} {
		if got := exit.Code(c.err); got != c.want {
			t.Errorf("%v: exit %d, want %d", c.err, got, c.want)
		}
	}
}
