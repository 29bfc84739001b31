package main

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"headcount/bench/heads"
	"headcount/output/fileset"
	"headcount/scan/exit"
)

// parseHeadFiles checks the names of the files that are written.
func parseHeadFiles(c *cli.Context, _ *heads.Config) error {
	seen := map[string]string{}
	for _, flag := range []string{"json", "benchfmt", "html"} {
		name := c.String(flag)
		switch {
		case name == "":
			continue
		case name == "-":
			return exit.Usagef("name a file: standard output is for the table", "--%s - is no file", flag)
		}
		name = filepath.Clean(name)
		if other, both := seen[name]; both {
			return exit.Usagef("name two files", "--%s and --%s are the same file", other, flag)
		}
		seen[name] = flag
	}
	return nil
}

// finishForm replaces the content of a file, if there is anything to write, and closes it.
func finishForm(file *fileset.Document, text []byte) error {
	if len(text) == 0 {
		file.Close()
		return nil
	}
	return file.Finish(text)
}

// distinctFiles refuses files that would write over each other, or over what goes to standard output and standard error.
func distinctFiles(c *cli.Context, written map[string]*fileset.Document) error {
	streams := []fileset.Stream{
		{Name: "standard output", Info: fileset.StreamInfo(c.App.Writer)}, {Name: "standard error", Info: fileset.StreamInfo(c.App.ErrWriter)},
	}
	for _, flag := range slices.Sorted(maps.Keys(written)) {
		streams = append(streams, fileset.Stream{Name: "--" + flag, Info: written[flag].Stat(), Written: true})
	}
	return fileset.CheckDistinct(streams)
}
