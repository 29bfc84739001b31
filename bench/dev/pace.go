package main

import (
	"time"

	"github.com/urfave/cli/v2"

	"headcount/bench/pace"
	"headcount/output/console"
	"headcount/scan/command"
	"headcount/scan/head/engine"
)

const paceDescription = `Scans stores that answer 500, 2,000 and 5,500 requests per second and refuse the others with
503, each in a process of its own. It measures the share of the rate that the scan reaches, the share of refusals among
the answers, and the objects that are lost. The scan is that of this source, in this process.

    go run ./bench/dev pace
    go run ./bench/dev pace --check
    go run ./bench/dev pace --duration 1m --workers 512 --engine sdk

--check demands 90 % of the rate, 2 % of refusals at most, and no lost object. It exits with 4 if one store misses that
(go run itself then exits with 1).`

func paceCommand() *cli.Command {
	return &cli.Command{
		Name:        "pace",
		Usage:       "measure how a scan adapts to a store that refuses too many requests",
		Description: paceDescription,
		Flags: append([]cli.Flag{
			// The requests in flight at the first refusal are refused too: 64 of 10,000 requests are 0.6 %.
			&cli.GenericFlag{Name: "duration", Value: command.PositiveDuration(20 * time.Second),
				Usage: "put objects for a scan of this `DURATION` into each store"},
			&cli.GenericFlag{Name: "workers", Value: command.Int(64, 1, command.WorkersMax),
				Usage: "keep `N` HEADs in flight"},
			engineFlag(),
			storeFlag(),
		}, resultFlags()...),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			cfg := pace.Config{Duration: getDuration(c, "duration"), Workers: command.Get[int](c, "workers"),
				Engine: command.Get[string](c, "engine")}
			cfg.OnRun = func(r pace.Run) {
				if !c.Bool("quiet") {
					console.PrintLine(c.App.ErrWriter, "%d requests/s: %.0f objects/s", r.Rate, r.ObjectsPerSecond)
				}
			}
			return runBenchmark(c, func(b binaries) (pace.Runs, error) {
				cfg.Store = b.store
				return pace.Measure(c.Context, cfg)
			})
		},
	}
}

func engineFlag() cli.Flag {
	return &cli.GenericFlag{
		Name: "engine", Value: command.OneOf(engine.Auto, engine.Auto, engine.Direct, engine.SDK),
		Usage: "send HEADs by the engine `NAME`: auto, direct or sdk",
	}
}

func getDuration(c *cli.Context, name string) time.Duration {
	return command.Get[time.Duration](c, name)
}
