package main

import (
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/bench/listing"
	"headcount/bench/s3sim"
	"headcount/output/console"
	"headcount/scan/command"
	"headcount/scan/exit"
)

const listingDescription = `Lists buckets whose keys look differently, each a bench serve in a process of its own: how much faster many listers are than
one, how many of them found something to do, and how many LISTs were sent beyond the pages that there are.

    headcount bench listing
    headcount bench listing --check --objects 10000000
    headcount bench listing --shape skewed --shape long --listers 16 --latency 20ms

--check demands 45 times one lister's speed of 64 listers, at most 5 % and four for each lister of LISTs beyond the pages, and every key
once. It exits with 4 if one bucket misses that.`

func listingCommand() *cli.Command {
	return &cli.Command{
		Name:        "listing",
		Usage:       "measure how much faster many listers list than one",
		Description: listingDescription,
		Flags: append([]cli.Flag{
			&cli.StringSliceFlag{Name: "shape", Usage: "list keys of the shape `NAME`: " + names(listing.Shapes()), DefaultText: "all of them"},
			&cli.Int64Flag{Name: "objects", Value: 1_000_000, Usage: "have `N` objects in each bucket"},
			&cli.DurationFlag{Name: "latency", Value: 100 * time.Millisecond, Usage: "answer each LIST after this `DURATION`"},
			&cli.IntFlag{Name: "listers", Value: 64, Usage: "list by `N` listers"},
			&cli.DurationFlag{Name: "alone", Value: 5 * time.Second, Usage: "list by one lister for this `DURATION`"},
		}, figureFlags()...),
		Action: func(c *cli.Context) error {
			cfg, err := parseListing(c)
			if err != nil {
				return err
			}
			cfg.Ran = func(r listing.Run) {
				if !c.Bool("quiet") {
					console.PrintLine(c.App.ErrWriter, "%s: %.0f keys/s, %.1f times one lister's", r.Shape, r.Keys, r.SpeedUp())
				}
			}
			return measureAs(c, func() (listing.Runs, error) { return listing.Measure(c.Context, cfg) })
		},
	}
}

func parseListing(c *cli.Context) (listing.Config, error) {
	cfg := listing.Config{
		Shapes: listing.Shapes(), Objects: c.Int64("objects"), Latency: c.Duration("latency"),
		Listers: c.Int("listers"), Alone: c.Duration("alone"),
	}
	if names := c.StringSlice("shape"); len(names) > 0 {
		cfg.Shapes = nil
		for _, name := range names {
			cfg.Shapes = append(cfg.Shapes, s3sim.Shape(name))
		}
	}
	for _, shape := range cfg.Shapes {
		if !slices.Contains(listing.Shapes(), shape) {
			return cfg, exit.Usagef("there are "+names(listing.Shapes()), "there is no shape %q", shape)
		}
	}
	if err := checkFigures(c); err != nil {
		return cfg, err
	}
	switch {
	case cfg.Objects < 1:
		return cfg, exit.Usagef("give a number from 1 on", "--objects %d is out of range", cfg.Objects)
	case cfg.Latency < 0:
		return cfg, exit.Usagef("give a duration as 100ms", "--latency must not be negative")
	case cfg.Listers < 1 || cfg.Listers > command.ListersMax:
		return cfg, exit.Usagef(fmt.Sprintf("give a number from 1 to %d", command.ListersMax), "--listers %d is out of range", cfg.Listers)
	case cfg.Alone <= 0:
		return cfg, exit.Usagef("give a duration as 5s", "--alone must be longer than nothing")
	}
	var err error
	cfg.Program, err = os.Executable()
	return cfg, err
}
