package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/bench/pinned"
	"headcount/scan/command"
	"headcount/scan/exit"
)

func binaryFlags() []cli.Flag {
	return []cli.Flag{
		&cli.GenericFlag{Name: "binary", Value: command.FileName(), Usage: "measure the headcount in `FILE`",
			DefaultText: "built from this source"},
		storeFlag(),
	}
}

func storeFlag() cli.Flag {
	return &cli.GenericFlag{
		Name: "store-binary", Value: command.FileName(), Usage: "serve the synthetic stores by the headcount in `FILE`",
		DefaultText: "the measured headcount, or one built from this source",
	}
}

// binaries are the executable files that a benchmark runs.
type binaries struct {
	headcount string // is measured
	store     string // serves the synthetic stores
	dev       string // this program
	version   string // of headcount
}

// findBinaries returns the binaries that the flags name. It builds headcount if it must, into a folder that remove
// removes.
func findBinaries(c *cli.Context) (b binaries, remove func(), err error) {
	remove = func() {}
	b.headcount, b.store = fileOf(c, "binary"), fileOf(c, "store-binary")
	for flag, name := range map[string]string{"binary": b.headcount, "store-binary": b.store} {
		if _, err := exec.LookPath(name); name != "" && err != nil {
			return b, remove, exit.Usagef("name an executable file of headcount", "--%s: %v", flag, err)
		}
	}
	if b.dev, err = os.Executable(); err != nil {
		return b, remove, err
	}
	measures := hasFlag(c, "binary")
	if measures && b.headcount == "" || b.store == "" && b.headcount == "" {
		built, removeBuilt, err := buildHeadcount(c.Context)
		if err != nil {
			return b, remove, err
		}
		b.headcount, remove = built, removeBuilt
	}
	if b.store == "" {
		b.store = b.headcount
	}
	if measures {
		version, err := exec.CommandContext(c.Context, b.headcount, "version").Output()
		if err != nil {
			remove()
			return b, func() {}, fmt.Errorf("%s version: %w", b.headcount, err)
		}
		b.version = strings.TrimSpace(string(version))
	}
	return b, remove, nil
}

// fileOf returns the absolute name of the file that a flag names, or "" if there is no such flag, or it is not given.
func fileOf(c *cli.Context, flag string) string {
	if !hasFlag(c, flag) {
		return ""
	}
	name := command.Get[string](c, flag)
	if absolute, err := filepath.Abs(name); err == nil && name != "" {
		return absolute
	}
	return name
}

func hasFlag(c *cli.Context, name string) bool {
	for _, f := range c.Command.Flags {
		if f.Names()[0] == name {
			return true
		}
	}
	return false
}

// buildHeadcount builds headcount from the source in whose folder this program runs.
func buildHeadcount(ctx context.Context) (binary string, remove func(), err error) {
	servers, err := pinned.FindServers()
	if err != nil {
		return "", nil, exit.WithHint(err,
			"run it in the folder of headcount's source, or name a headcount by --binary and --store-binary")
	}
	folder, err := os.MkdirTemp("", "headcount-dev-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(folder) }
	binary = filepath.Join(folder, "headcount"+pinned.ExeSuffix())
	if err := pinned.GoBuild(ctx, filepath.Join(servers, "..", ".."), binary, "."); err != nil {
		remove()
		return "", nil, err
	}
	return binary, remove, nil
}
