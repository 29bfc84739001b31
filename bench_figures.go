package main

import (
	"cmp"
	"errors"
	"io"

	"github.com/urfave/cli/v2"

	"headcount/output/console"
	"headcount/output/fileset"
	"headcount/scan"
	"headcount/scan/exit"
)

// figures are what a benchmark has measured.
type figures interface {
	Write(io.Writer) error                            // tables, and what else is for people
	Check(io.Writer) (missed, checked int, err error) // a line for each bar
}

// figureFlags are those of every benchmark that has bars.
func figureFlags() []cli.Flag {
	return []cli.Flag{
		jsonFlag(),
		&cli.BoolFlag{Name: "check", Usage: "compare with the bars, and exit with 4 if one is missed"},
		quietFlag(),
	}
}

func jsonFlag() cli.Flag {
	return &cli.StringFlag{Name: "json", Usage: "write the figures of every run to `FILE`, as JSON, over what it holds"}
}

func quietFlag() cli.Flag {
	return &cli.BoolFlag{Name: "quiet", Usage: "print nothing but errors on standard error"}
}

// measureAs runs the benchmark that c names, and writes what it has measured: as JSON, if that is asked for, even where it ended with an error, and to
// standard output. With --check a bar that is missed is an error.
func measureAs[F figures](c *cli.Context, measure func() (F, error)) error {
	file, err := fileset.OpenDocument("--json", c.String("json"))
	if err != nil {
		return err
	}
	found, err := measure()
	if err = cmp.Or(err, file.FinishJSON(found)); err != nil {
		return err
	}
	stdout := c.App.Writer
	if err := found.Write(stdout); err != nil || !c.Bool("check") {
		return scan.WrapOutput(err)
	}
	if _, err := io.WriteString(stdout, "\n"); err != nil {
		return scan.WrapOutput(err)
	}
	missed, checked, err := found.Check(stdout)
	switch {
	case err != nil:
		return scan.WrapOutput(err)
	case missed > 0:
		return exit.Errorf(exit.Missed, "", "%d of %s missed", missed, console.Count(int64(checked), "bar", "bars"))
	case checked == 0:
		return exit.WithHint(errors.New("nothing was checked"), "see above what was not measured, and why")
	}
	return nil
}

// checkFigures says what is wrong with the arguments of a benchmark that all of them have.
func checkFigures(c *cli.Context) error {
	name := c.Command.Name
	if c.NArg() > 0 {
		return exit.Usagef("headcount bench "+name+" --help", "bench %s takes no arguments, and %q is one", name, c.Args().First())
	}
	if c.String("json") == "-" {
		return exit.Usagef("name a file: standard output is for the table", "--json - is no file")
	}
	return nil
}
