package main

import (
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/bench/pace"
	"headcount/output/console"
	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/head/engine"
)

const paceDescription = `Scans stores that answer 500, 2,000 and 5,500 requests per second and refuse those beyond with 503, each a bench serve in
a process of its own: how much of the rate the scan gets, how many answers are refusals, how many objects are lost.

    headcount bench pace
    headcount bench pace --check
    headcount bench pace --duration 1m --workers 512 --engine sdk

--check demands 90 % of the rate, 2 % of refusals at most, and no object lost. It exits with 4 if one store misses that.`

func paceCommand() *cli.Command {
	return &cli.Command{
		Name:        "pace",
		Usage:       "measure how a scan keeps up with a store that refuses what is too much",
		Description: paceDescription,
		Flags: append([]cli.Flag{
			// What is in flight when a store refuses for the first time is refused: of 10,000 requests, 64 are 0.6 %.
			&cli.DurationFlag{Name: "duration", Value: 20 * time.Second, Usage: "have objects for a scan of this `DURATION` in each store"},
			&cli.IntFlag{Name: "workers", Value: 64, Usage: "keep `N` HEADs in flight"},
			&cli.GenericFlag{Name: "engine", Value: command.OneOf(engine.Auto, engine.Auto, engine.Direct, engine.SDK), Usage: "send HEADs by the engine `NAME`"},
		}, figureFlags()...),
		Action: func(c *cli.Context) error {
			cfg, err := parsePace(c)
			if err != nil {
				return err
			}
			cfg.Ran = func(r pace.Run) {
				if !c.Bool("quiet") {
					console.PrintLine(c.App.ErrWriter, "%d requests/s: %.0f objects/s", r.Rate, r.Kept)
				}
			}
			return measureAs(c, func() (pace.Runs, error) { return pace.Measure(c.Context, cfg) })
		},
	}
}

func parsePace(c *cli.Context) (pace.Config, error) {
	cfg := pace.Config{Lasts: c.Duration("duration"), Workers: c.Int("workers"), Engine: command.Get[string](c, "engine")}
	if err := checkFigures(c); err != nil {
		return cfg, err
	}
	switch {
	case cfg.Lasts <= 0:
		return cfg, exit.Usagef("give a duration as 20s or 1m", "--duration must be longer than nothing")
	case cfg.Workers < 1 || cfg.Workers > command.WorkersMax:
		return cfg, exit.Usagef(fmt.Sprintf("give a number from 1 to %d", command.WorkersMax), "--workers %d is out of range", cfg.Workers)
	}
	var err error
	cfg.Program, err = os.Executable()
	return cfg, err
}
