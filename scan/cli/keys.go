package cli

import (
	"io"

	"github.com/urfave/cli/v2"

	"headcount/output"
	"headcount/scan/command"
	"headcount/scan/list/keylist"
)

// parseKeyFile reads which file names the keys, and how.
func parseKeyFile(c *cli.Context, j *job) error {
	name := command.Get[string](c, "keys")
	if name == "" {
		return nil
	}
	j.keys = keylist.Config{
		Name: "--keys " + name, Open: func() (io.ReadCloser, error) { return openInput(name, c.App.Reader) },
		Null: c.Bool("null"), Column: c.String("keys-column"), Prefix: j.scan.Prefix,
	}
	if name != "-" {
		j.names.Keys = name
	}
	return nil
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
