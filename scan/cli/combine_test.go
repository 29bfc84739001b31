package cli

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"headcount/scan/command"
	"headcount/scan/exit"
)

// values returns texts that the flags accept: for a flag of which certain values cannot be combined, one of them and
// one other.
func values(t *testing.T) map[string][]string {
	t.Helper()
	authority := httptest.NewTLSServer(nil)
	defer authority.Close()
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Certificate().Raw})
	if err := os.WriteFile(bundle, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string][]string{
		"columns": {"owner"}, "format": formatNames(anyFormat), "output": {"x", "x.csv", "x.gz", "x.parquet"},
		"keys":       {"-", "keys.txt"},
		"addressing": {"path"}, "ca-bundle": {bundle}, "checkpoint-every": {"2s"}, "endpoint-url": {"http://localhost"},
		"engine": {"auto", "direct", "list", "sdk"}, "fields": {"key,size"}, "filter": {"size > 1"}, "limit": {"3"},
		"listers": {"auto", "1", "2"}, "max-errors": {"4"}, "metadata-prefix": {"x-goog-meta-"},
		"pipeline": {"1", "8"}, "price": {"1,2"}, "inventory": {"manifest.json"}, "list-order": {"any"},
	}
}

// parses parses a command line of a command, and returns the error of parse.
func parses(t *testing.T, cmd *cli.Command, args ...string) error {
	t.Helper()
	cmd.Action = func(c *cli.Context) error {
		_, err := parse(c)
		return err
	}
	app := command.NewApp(nil, nil, nil, cmd)
	return command.Run(t.Context(), app, append([]string{"headcount", cmd.Name}, args...))
}

// writePart returns the words of a part that counts, and of one that does not, and how a message names the part.
func writePart(f part, cmd *cli.Command, values map[string][]string) (counts, other []string, named string) {
	if f.flag == "" {
		return []string{"s3://b"}, nil, "s3://b"
	}
	i := slices.IndexFunc(cmd.Flags, func(have cli.Flag) bool { return slices.Contains(have.Names(), f.flag) })
	if i < 0 {
		return nil, nil, ""
	}
	name := "--" + f.flag
	if _, isBool := cmd.Flags[i].(*cli.BoolFlag); isBool {
		return []string{name}, []string{name + "=false"}, name
	}
	texts := values[f.flag]
	if texts == nil {
		texts = []string{"some"}
	}
	for _, text := range texts {
		switch {
		case f.is == nil:
			return []string{name, text}, nil, name
		case f.is(text):
			counts, named = []string{name, text}, name+" "+text
		default:
			other = []string{name, text}
		}
	}
	return counts, other, named
}

// Each row of the table is refused with its reason, and is no reason to refuse its parts alone.
func TestCombinations(t *testing.T) {
	values := values(t)
	tested := 0
	for _, row := range combinations() {
		for _, other := range row.others {
			command := Command
			if one, _, _ := writePart(row.one, Command(), values); one == nil {
				command = ListCommand
			}
			one, notOne, oneNamed := writePart(row.one, command(), values)
			two, notTwo, twoNamed := writePart(other, command(), values)
			if one == nil || two == nil {
				t.Errorf("no command has --%s and --%s", row.one.flag, other.flag)
				continue
			}
			tested++
			want := oneNamed + " and " + twoNamed + " exclude each other: " + row.why
			err := parses(t, command(), append(slices.Clone(one), two...)...)
			if err == nil || err.Error() != want || exit.Code(err) != exit.Usage || exit.Hint(err) == "" {
				t.Errorf("%q: %v, want %s", append(one, two...), err, want)
			}
			for _, words := range [][]string{append(slices.Clone(notOne), two...), append(slices.Clone(one), notTwo...)} {
				if err := parses(t, command(), words...); err != nil && err.Error() == want {
					t.Errorf("%q: %v", words, err)
				}
			}
		}
	}
	if tested < 20 {
		t.Errorf("%d combinations were tested", tested)
	}
}

// Whatever a scan accepts, its dry run accepts too.
func TestDryRunTakesEveryFlag(t *testing.T) {
	values := values(t)
	tested := 0
	for _, flag := range Command().Flags {
		name := flag.Names()[0]
		words, _, _ := writePart(with(name), Command(), values)
		lines := [][]string{words}
		for _, text := range values[name] {
			lines = append(lines, []string{"--" + name, text})
		}
		for _, words := range lines {
			words = append(words, "s3://b")
			if parses(t, Command(), words...) != nil || name == "dry-run" {
				continue
			}
			tested++
			if err := parses(t, Command(), append([]string{"--dry-run"}, words...)...); err != nil {
				t.Errorf("%q: %v", words, err)
			}
		}
	}
	if tested < 30 {
		t.Errorf("%d command lines were tested", tested)
	}
}

// A flag that needs another one is refused without it.
func TestNeeds(t *testing.T) {
	values := values(t)
	for _, row := range needs() {
		words, _, named := writePart(with(row.flag), Command(), values)
		needed, _, neededNamed := writePart(with(row.needed), Command(), values)
		words = append(words, "s3://b")
		err := parses(t, Command(), words...)
		want := named + " needs " + neededNamed
		if err == nil || err.Error() != want || exit.Code(err) != exit.Usage || !strings.Contains(exit.Hint(err), named) {
			t.Errorf("%q: %v, want %s", words, err, want)
		}
		if err := parses(t, Command(), append(words, needed...)...); err != nil {
			t.Errorf("%q %q: %v", words, needed, err)
		}
	}
}
