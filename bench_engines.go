package main

import (
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/bench/engines"
	"headcount/bench/s3sim"
	"headcount/output/console"
	"headcount/scan/command"
	"headcount/scan/exit"
)

const enginesDescription = `Measures what an engine costs beside the floor: the CPU time of the client's process for each object. The floor sends the
same HEAD again and again over as many connections, and does nothing else. Ways run in turn, each in a process of its
own, against bench serve in another.

    headcount bench engines
    headcount bench engines --check --json engines.json
    headcount bench engines --ways floor,direct,sdk --rounds 3
    headcount bench engines --latency 20ms --workers 512 --ways direct,gosdk --check

The table has the medians of the rounds, and in brackets the least and the most. Ratios are of runs of one round, to
the floor, to sdk, and to gosdk, which is a program without headcount: the SDK does the listing too. Over TLS they are to floor-tls,
sdk-tls.

--check compares the medians with the bars that the engines must reach: of CPU, or with --latency of objects per second.
Only bars whose ways are run are checked. It exits with 4 if one is missed.`

func enginesCommand() *cli.Command {
	return &cli.Command{
		Name:        "engines",
		Usage:       "measure what an engine costs beside the floor",
		Description: enginesDescription,
		Flags: append([]cli.Flag{
			// The bars were set at 64 workers and 8 HEADs pipelined. With 200,000 objects, the 20 ms of CPU that a process takes
			// to start and to end are 1 % of a floor of 9 µs.
			&cli.Int64Flag{Name: "objects", Value: 200_000, Usage: "`N` objects, each asked for once in a run"},
			&cli.IntFlag{Name: "rounds", Value: 5, Usage: "run each way `N` times"},
			&cli.IntFlag{Name: "workers", Value: 64, Usage: "keep `N` HEADs in flight, each on a connection of its own"},
			&cli.IntFlag{Name: "pipeline", Value: 8, Usage: "keep `N` HEADs in flight on each connection of pipelined, which has a quarter of the connections"},
			&cli.DurationFlag{Name: "latency", Usage: "`DURATION` that the store adds to every HEAD"},
			&cli.GenericFlag{Name: "ways", Value: command.Subset(engines.Ways()), Usage: "run the ways of these `NAMES`, as floor,sdk", DefaultText: "all"},
		}, figureFlags()...),
		Action: func(c *cli.Context) error {
			cfg, err := parseEngines(c)
			if err != nil {
				return err
			}
			if !c.Bool("quiet") {
				cfg.Ran = func(r engines.Run) {
					console.PrintLine(c.App.ErrWriter, "round %d of %d: %s: %.2f µs CPU per object, %.1f k objects/s",
						r.Round, cfg.Rounds, r.Way, r.CPUMicrosPerObject, r.ObjectsPerSecond/1e3)
				}
			}
			return measureAs(c, func() (*engines.Report, error) { return engines.Measure(c.Context, cfg) })
		},
	}
}

func parseEngines(c *cli.Context) (engines.Config, error) {
	cfg := engines.Config{
		Version: command.Version(), Objects: c.Int64("objects"), Rounds: c.Int("rounds"), Workers: c.Int("workers"),
		Pipeline: c.Int("pipeline"), Latency: c.Duration("latency"), Ways: engines.Ways(), Ran: func(engines.Run) {},
	}
	if err := checkFigures(c); err != nil {
		return cfg, err
	}
	for flag, value := range map[string]int64{"objects": cfg.Objects, "rounds": int64(cfg.Rounds)} {
		if value < 1 {
			return cfg, exit.Usagef("give a number from 1 on", "--%s %d is out of range", flag, value)
		}
	}
	if cfg.Workers < 1 || cfg.Workers > command.WorkersMax {
		return cfg, exit.Usagef(fmt.Sprintf("give a number from 1 to %d", command.WorkersMax), "--workers %d is out of range", cfg.Workers)
	}
	if cfg.Pipeline < 1 || cfg.Pipeline > command.PipelineMax {
		return cfg, exit.Usagef(fmt.Sprintf("give a number from 1 to %d", command.PipelineMax), "--pipeline %d is out of range", cfg.Pipeline)
	}
	if _, err := s3sim.New(s3sim.Options{Objects: cfg.Objects, Latency: cfg.Latency}); err != nil {
		return cfg, exit.Usagef("headcount bench engines --help", "%s", strings.TrimPrefix(err.Error(), "s3sim: "))
	}
	if ways := command.Get[[]string](c, "ways"); ways != nil {
		cfg.Ways = ways
	}
	if c.Bool("check") && !cfg.HasBars() {
		return cfg, exit.Usagef("leave --ways out", "--check: no bar is about %s", strings.Join(cfg.Ways, ","))
	}
	var err error
	cfg.Program, err = os.Executable()
	return cfg, err
}
