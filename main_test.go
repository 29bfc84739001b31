package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/urfave/cli/v2"

	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
)

func testApp() *cli.App { return newApp(nil, io.Discard, io.Discard) }

// runs the program in this process.
func runs(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), append([]string{"headcount"}, args...), strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// Every example of the help runs, against a sim in place of the stores it names.
func TestHelpExamplesRun(t *testing.T) {
	server, err := s3sim.New(s3sim.Options{Objects: 50})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = server.Serve(l) }() // nil after Close
	defer server.Close()
	url := "http://" + l.Addr().String()
	place := strings.NewReplacer("https://flashblade.example.com", url, "my-bucket", "demo", "public-bucket", "demo")
	env := os.Environ()
	for name, value := range awsNothing(t.TempDir()) {
		env = append(env, name+"="+value)
	}
	env = append(env, "AWS_ENDPOINT_URL_S3="+url, "AWS_ACCESS_KEY_ID=alice", "AWS_SECRET_ACCESS_KEY=wonderland")
	examples, dir := 0, t.TempDir() // one for all: an example may read what another writes
	for _, command := range []string{"scan", "completion"} {
		_, help, _ := runs(t, command, "--help")
		for line := range strings.Lines(help) {
			if !regexp.MustCompile(`^\s+(headcount|source) `).MatchString(line) || strings.Contains(line, "[") || strings.Contains(line, "fish") || strings.Contains(line, " - ") {
				continue
			}
			if strings.Contains(line, "zsh") {
				continue // its builtins are zsh's
			}
			examples++
			c := exec.CommandContext(t.Context(), "bash", "-c", place.Replace(line))
			c.Env, c.Dir = env, dir
			if out, err := c.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", strings.TrimSpace(line), err, out)
			}
		}
	}
	if examples < 6 {
		t.Errorf("%d examples", examples)
	}
}

// scan imports neither what makes bytes of its records nor what measures it.
func TestImportsGoOneWay(t *testing.T) {
	banned := map[string][]string{
		"scan":   {"headcount/output", "headcount/bench"},
		"output": {"headcount/bench"},
	}
	packages := 0
	for root, bans := range banned {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			packages++
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			for _, i := range file.Imports {
				for _, ban := range bans {
					if strings.HasPrefix(strings.Trim(i.Path.Value, `"`), ban) {
						t.Errorf("%s imports %s", path, i.Path.Value)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if packages < 10 {
		t.Errorf("%d files were read", packages)
	}
}

// Every package says what it is.
func TestEveryPackageHasAComment(t *testing.T) {
	comments := map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		comments[filepath.Dir(path)] = comments[filepath.Dir(path)] || file.Doc.Text() != ""
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, has := range comments {
		if !has {
			t.Errorf("package %s has no comment", dir)
		}
	}
}

// Every headcount command in the README is one that headcount takes, down to the values of its flags.
func TestREADMENamesRealFlags(t *testing.T) {
	readme := bytes.Join(regexp.MustCompile("(?s)```(sh|console)\n.*?```").FindAll(readREADME(t), -1), nil)
	commands := regexp.MustCompile(`(?m)^(?:\$ )?(?:[A-Z_0-9]+=\S+ )*(?:headcount|go run \.) (.*)`).FindAllSubmatch(readme, -1)
	if len(commands) < 8 {
		t.Fatalf("%d commands", len(commands))
	}
	scans := 0
	for _, c := range commands {
		text := regexp.MustCompile(` (#|2?>|[|&;]|&&)(.|$)`).Split(string(c[1]), 2)[0]
		app := testApp()
		parseOnly(app.Commands)
		app.Command("scan").Action = func(*cli.Context) error { scans++; return nil }
		err := command.Run(t.Context(), app, append([]string{"headcount"}, strings.Fields(text)...))
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
	all := []int{exit.Complete, exit.Fatal, exit.Usage, exit.Failures, exit.Missed, exit.Output, exit.Interrupt, exit.Terminate, exit.Pipe}
	ofScan := slices.DeleteFunc(slices.Clone(all), func(code int) bool { return code == exit.Missed })
	if !slices.Equal(codes, all) || !slices.Equal(helped, ofScan) {
		t.Errorf("the README has the exit codes %v, the help of scan %v, and there are %v", codes, helped, all)
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
		{stoppedError{os.Interrupt}, exit.Interrupt},
		{fmt.Errorf("scan: %w", stoppedError{os.Interrupt}), exit.Interrupt},
		{stoppedError{syscall.SIGTERM}, exit.Terminate},
	} {
		if got := exit.Code(c.err); got != c.want {
			t.Errorf("%v: exit %d, want %d", c.err, got, c.want)
		}
	}
}
