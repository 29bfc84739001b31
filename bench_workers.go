package main

import (
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/bench/workers"
	"headcount/output/console"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/head/engine"
)

const workersDescription = `Scans stores that answer a HEAD after 0.5, 5 and 50 ms, each a bench serve in a process of its own, with fixed numbers of
workers and with --workers auto: how many objects per second each brings, and how soon auto brings what the best does.

    headcount bench workers
    headcount bench workers --check --json workers.json
    headcount bench workers --latency 20ms --duration 20s

The best fixed number runs again before and after auto, and auto is compared with that, from the fifth second on.

--check demands 90 % of what the best fixed number brings, reached within 5 s. It exits with 4 if one store misses that.`

func workersCommand() *cli.Command {
	return &cli.Command{
		Name:        "workers",
		Usage:       "measure whether --workers auto finds what a store rewards",
		Description: workersDescription,
		Flags: append([]cli.Flag{
			&cli.DurationFlag{Name: "latency", Usage: "measure a store that answers after this `DURATION`, and no other", DefaultText: "500µs, 5ms and 50ms"},
			&cli.DurationFlag{Name: "duration", Value: 10 * time.Second, Usage: "let auto scan for this `DURATION`, and each fixed number for a quarter of it"},
			&cli.GenericFlag{Name: "engine", Value: command.OneOf(engine.Auto, engine.Auto, engine.Direct, engine.SDK), Usage: "send HEADs by the engine `NAME`"},
		}, figureFlags()...),
		Action: func(c *cli.Context) error {
			cfg, err := parseBenchWorkers(c)
			if err != nil {
				return err
			}
			cfg.Ran = func(latency time.Duration, r workers.Run) {
				switch {
				case c.Bool("quiet"):
				case r.Workers == scan.WorkersAuto:
					console.PrintLine(c.App.ErrWriter, "%v: auto, %d at the end: %.0f objects/s", latency, r.Found, r.ObjectsPerSecond)
				default:
					console.PrintLine(c.App.ErrWriter, "%v: %s: %.0f objects/s", latency, console.Count(int64(r.Workers), "worker", "workers"), r.ObjectsPerSecond)
				}
			}
			return measureAs(c, func() (workers.Cases, error) { return workers.Measure(c.Context, cfg) })
		},
	}
}

func parseBenchWorkers(c *cli.Context) (workers.Config, error) {
	cfg := workers.Config{
		Lasts: c.Duration("duration"), Latencies: workers.Latencies(), Numbers: workers.Numbers(), Engine: command.Get[string](c, "engine"),
	}
	if err := checkFigures(c); err != nil {
		return cfg, err
	}
	switch {
	case cfg.Lasts <= 0:
		return cfg, exit.Usagef("give a duration as 10s or 1m", "--duration must be longer than nothing")
	case c.Duration("latency") < 0:
		return cfg, exit.Usagef("give a duration as 500us or 20ms", "--latency must not be below nothing")
	}
	if c.IsSet("latency") {
		cfg.Latencies = []time.Duration{c.Duration("latency")}
	}
	var err error
	cfg.Program, err = os.Executable()
	return cfg, err
}
