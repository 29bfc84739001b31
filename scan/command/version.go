package command

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/urfave/cli/v2"
)

func versionCommand() *cli.Command {
	return &cli.Command{
		Name:   "version",
		Usage:  "print the version",
		Action: printVersion,
	}
}

func printVersion(c *cli.Context) error { return PrintText(c, Version()+"\n") }

// Version describes the build: version, revision, Go and platform. A build without version control (-buildvcs=false, a
// source archive) has no revision.
func Version() string {
	name, revision, modified := "(devel)", "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Version != "" {
			name = info.Main.Version
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = " " + s.Value[:min(12, len(s.Value))]
			case s.Key == "vcs.modified" && s.Value == "true":
				modified = " modified"
			}
		}
	}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	return fmt.Sprintf("headcount %s%s%s %s %s", name, revision, modified, runtime.Version(), platform)
}
