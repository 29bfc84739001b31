package command

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// Category puts flags under a heading of the help, and returns them.
func Category(heading string, flags ...cli.Flag) []cli.Flag {
	for _, f := range flags {
		switch f := f.(type) {
		case *cli.BoolFlag:
			f.Category = heading
		case *cli.StringFlag:
			f.Category = heading
		case *cli.GenericFlag:
			f.Category = heading
		default:
			panic(fmt.Sprintf("a flag of type %T", f)) // give it a Value
		}
	}
	return flags
}
