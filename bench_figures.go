package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"headcount/output/console"
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
	file, err := openToWrite("--json", c.String("json"))
	if err != nil {
		return err
	}
	found, err := measure()
	if err = cmp.Or(err, writeJSON(file, found)); err != nil {
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
		return &barsMissed{missed: missed, checked: checked}
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

// writeJSON writes v to file and closes it, unless that is nil.
func writeJSON(file *os.File, v any) error {
	if file == nil {
		return nil
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = empty(file)
	}
	if err == nil {
		_, err = file.Write(append(text, '\n'))
	}
	return scan.WrapOutput(cmp.Or(err, file.Close()))
}

// barsMissed is a measurement that found less than what must be reached.
type barsMissed struct{ missed, checked int }

func (e *barsMissed) Error() string {
	return fmt.Sprintf("%d of %s missed", e.missed, console.Count(int64(e.checked), "bar", "bars"))
}

// ExitCode implements the contract of package exit.
func (e *barsMissed) ExitCode() int { return exit.Missed }
