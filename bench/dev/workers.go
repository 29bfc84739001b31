package main

import (
	"time"

	"github.com/urfave/cli/v2"

	"headcount/bench/s3sim"
	"headcount/bench/workers"
	"headcount/output/console"
	"headcount/scan"
	"headcount/scan/command"
)

const workersDescription = `Scans stores that answer a HEAD after 0.5, 5 and 50 ms, each in a process of its own, with
fixed numbers of workers and with --workers auto. It measures the objects per second of each scan, and how soon auto has
the rate of the best fixed number. The scan is that of this source, in this process.

    go run ./bench/dev workers
    go run ./bench/dev workers --check --json workers.json
    go run ./bench/dev workers --latency 20ms --duration 20s
    go run ./bench/dev workers --latency 5ms --connections-max 24 --excess hang --check

The best fixed number runs again before and after auto. Auto is compared with these two runs, from its fifth second on.

--connections-max measures stores behind a maximum of connections, as load balancers and NATs have one. The fixed
numbers are then half of it, one less, as many, four times and sixteen times as many.

--check demands 90 % of the rate of the best fixed number, reached within 5 s, and 80 % with --connections-max. It exits
with 4 if one store misses that (go run itself then exits with 1).`

func workersCommand() *cli.Command {
	return &cli.Command{
		Name:        "workers",
		Usage:       "measure whether --workers auto finds a good number of workers",
		Description: workersDescription,
		Flags: append([]cli.Flag{
			&cli.GenericFlag{
				Name: "latency", Value: command.Duration(0, 0),
				Usage:       "measure only a store that answers after this `DURATION`",
				DefaultText: "500µs, 5ms and 50ms",
			},
			&cli.GenericFlag{
				Name: "duration", Value: command.PositiveDuration(10 * time.Second),
				Usage: "let auto scan for this `DURATION`, and each fixed number for a quarter of it",
			},
			&cli.GenericFlag{
				Name: "connections-max", Value: command.Int(0, 1, 0), DefaultText: "no limit",
				Usage: "let each store serve `N` connections at once",
			},
			&cli.GenericFlag{
				Name: "excess", Value: command.OneOf(s3sim.ExcessReset, s3sim.Excesses()...),
				Usage: "let the stores treat connections above --connections-max as `NAME` says",
			},
			engineFlag(),
			storeFlag(),
		}, resultFlags()...),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			cfg := workers.Config{
				Duration: getDuration(c, "duration"), Latencies: workers.Latencies(),
				FixedWorkers: workers.FixedWorkers(),
				Engine:       command.Get[string](c, "engine"),
			}
			if cfg.ConnectionsMax = command.Get[int](c, "connections-max"); cfg.ConnectionsMax > 0 {
				cfg.FixedWorkers = workers.FixedWorkersFor(cfg.ConnectionsMax)
				cfg.Excess = command.Get[s3sim.Excess](c, "excess")
			}
			if c.IsSet("latency") {
				cfg.Latencies = []time.Duration{getDuration(c, "latency")}
			}
			cfg.OnRun = func(latency time.Duration, r workers.Run) {
				switch {
				case c.Bool("quiet"):
				case r.Workers == scan.WorkersAuto:
					console.PrintLine(c.App.ErrWriter, "%v: auto, %d at the end: %.0f objects/s", latency,
						r.FinalWorkers, r.ObjectsPerSecond)
				default:
					console.PrintLine(c.App.ErrWriter, "%v: %s: %.0f objects/s", latency,
						console.Count(int64(r.Workers), "worker", "workers"), r.ObjectsPerSecond)
				}
			}
			return runBenchmark(c, func(b binaries) (workers.Cases, error) {
				cfg.Store = b.store
				return workers.Measure(c.Context, cfg)
			})
		},
	}
}
