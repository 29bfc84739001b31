package main

import (
	"cmp"
	"errors"
	"io"

	"github.com/urfave/cli/v2"

	"headcount/output/console"
	"headcount/output/fileset"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
)

// benchResult is the result of a benchmark.
type benchResult interface {
	Write(io.Writer) error                            // the tables, for people
	Check(io.Writer) (missed, checked int, err error) // a line for each threshold
}

func resultFlags() []cli.Flag {
	return []cli.Flag{
		&cli.GenericFlag{Name: "json", Value: command.FileName(),
			Usage: "write the figures of every run to `FILE`, as JSON; replaces its content"},
		&cli.BoolFlag{Name: "check", Usage: "compare with the thresholds, and exit with 4 if one is missed",
			DisableDefaultText: true},
		&cli.BoolFlag{Name: "quiet", Usage: "print only errors on standard error", DisableDefaultText: true},
	}
}

// runBenchmark finds the binaries, measures, and writes the result: to standard output, and as JSON to the file that
// --json names, even if measure fails. With --check, a missed threshold is an error.
func runBenchmark[R benchResult](c *cli.Context, measure func(binaries) (R, error)) error {
	file, err := fileset.OpenDocument(c.Context, "--json", command.Get[string](c, "json"))
	if err != nil {
		return err
	}
	found, remove, err := findBinaries(c)
	if err != nil {
		file.Close()
		return err
	}
	defer remove()
	result, err := measure(found)
	if err = cmp.Or(err, file.FinishJSON(result)); err != nil {
		return err
	}
	stdout := command.Stdout(c)
	if err := result.Write(stdout); err != nil || !c.Bool("check") {
		return scan.WrapOutput(err)
	}
	if _, err := io.WriteString(stdout, "\n"); err != nil {
		return scan.WrapOutput(err)
	}
	missed, checked, err := result.Check(stdout)
	switch {
	case err != nil:
		return scan.WrapOutput(err)
	case missed > 0:
		return exit.Errorf(exit.Missed, "", "%d of %s missed", missed,
			console.Count(int64(checked), "threshold", "thresholds"))
	case checked == 0:
		return exit.WithHint(errors.New("no threshold was checked"), "the list \"not measured\" above has the reasons")
	}
	return nil
}
