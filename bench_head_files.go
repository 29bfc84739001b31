package main

import (
	"cmp"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/urfave/cli/v2"

	"headcount/bench/heads"
	"headcount/scan"
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

// writeForm writes over what a file holds, if there is anything to write, and closes it.
func writeForm(file *os.File, text []byte) error {
	var err error
	if len(text) > 0 {
		if err = empty(file); err == nil {
			_, err = file.Write(text)
		}
	}
	return scan.WrapOutput(cmp.Or(err, file.Close()))
}

// distinctFiles refuses files that would write over each other, or over what goes to standard output and standard error.
func distinctFiles(c *cli.Context, written map[string]*os.File) error {
	seen := []string{"standard output", "standard error"}
	infos := []fs.FileInfo{fileInfo(c.App.Writer), fileInfo(c.App.ErrWriter)}
	for _, flag := range slices.Sorted(maps.Keys(written)) {
		info := fileInfo(written[flag])
		for i := range infos {
			if sameFile(infos[i], info) {
				return exit.Usagef("name a file of its own", "%s and --%s are the same file", seen[i], flag)
			}
		}
		seen, infos = append(seen, "--"+flag), append(infos, info)
	}
	return nil
}
