package cli

import (
	"context"
	"io"

	"github.com/urfave/cli/v2"

	"headcount/output"
	"headcount/output/report"
	"headcount/scan/command"
	"headcount/scan/list"
	"headcount/scan/list/keylist"
)

// parseKeyFiles reads which files name the keys, or prefixes of keys, and how.
func parseKeyFiles(c *cli.Context, j *job) error {
	input := func(flag string) (file string, cfg keylist.Config) {
		name := command.Get[string](c, flag)
		if name == "" {
			return "", cfg
		}
		cfg.Name = "--" + flag + " " + name
		cfg.Open = func() (io.ReadCloser, error) { return openInput(name, c.App.Reader) }
		cfg.Prefix, cfg.Prefixes = j.scan.Prefix, flag == "prefixes"
		if name == "-" { // it is no file
			return "", cfg
		}
		return name, cfg
	}
	j.names.Keys, j.keys = input("keys")
	j.keys.Null, j.keys.Column = c.Bool("null"), c.String("keys-column")
	j.names.Prefixes, j.prefixes = input("prefixes")
	return nil
}

// prefixesMax bounds the lines of --prefixes: a checkpoint has a Range for each.
const prefixesMax = 100_000

// readPrefixes reads --prefixes.
func (j *job) readPrefixes(ctx context.Context, reporter *report.Reporter) error {
	if j.prefixes.Open == nil {
		return nil
	}
	file := keylist.New(j.prefixes)
	defer file.Close()
	prefixes, err := file.All(ctx, prefixesMax)
	if err != nil {
		return err
	}
	j.scan.Prefixes = list.MergePrefixes(prefixes)
	if n := len(prefixes) - len(j.scan.Prefixes); n > 0 {
		reporter.Log.Info("some prefixes begin with others: each key is listed once", "prefixes", n)
	}
	return nil
}

// prefixesHash identifies the prefixes in a checkpoint.
func prefixesHash(prefixes []string) string {
	entries := make([]list.Entry, len(prefixes))
	for i := range entries {
		entries[i].Key = prefixes[i]
	}
	return list.NewKeys(entries).Hash()
}

// openInput opens a file to read, decompressed; - is standard input.
func openInput(name string, stdin io.Reader) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(stdin), nil
	}
	return output.OpenToRead(name)
}

// namedBy returns the flag that names the objects, so that nothing is listed; empty: there is none.
func (j *job) namedBy() string {
	switch {
	case j.names.RetryFrom != "":
		return "--retry-from"
	case j.keys.Open != nil:
		return "--keys"
	case j.inventory.name != "":
		return "--inventory"
	}
	return ""
}

// asksAll reports whether each object gets a HEAD: what the file says of it may have changed.
func (j *job) asksAll() bool { return j.names.RetryFrom != "" || j.keys.Open != nil }
