package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/bench/engines"
	"headcount/bench/s3sim"
	"headcount/output/console"
	"headcount/scan/command"
	"headcount/scan/exit"
)

const enginesDescription = `Measures the CPU time of a client's process for each object, and compares the engines with
the floor. The floor sends the same HEAD again and again on as many connections, and does nothing else. The clients run
in turn, each in a process of its own, against the synthetic store in another.

    go run ./bench/dev engines
    go run ./bench/dev engines --check --json engines.json
    go run ./bench/dev engines --clients floor,direct,sdk --rounds 3
    go run ./bench/dev engines --latency 20ms --workers 512 --clients direct,gosdk --check

The table has the medians of the rounds, and in brackets the least and the greatest value. Ratios are between runs of
one round: to the floor, to sdk, and to gosdk, a program without headcount in which the SDK also does the listing. For
clients over TLS they are to floor-tls and sdk-tls.

To compare two builds, run one after the other, several times in turn, against the same store:

    go run ./bench/dev engines --binary ./old --store-binary ./new --json old.json
    go run ./bench/dev engines --binary ./new --store-binary ./new --json new.json

--check compares the medians with the thresholds that the engines must reach: CPU, or with --latency objects per second.
It checks the thresholds of the clients that run. It exits with 4 if one is missed (go run itself then exits with 1).`

func enginesCommand() *cli.Command {
	return &cli.Command{
		Name:        "engines",
		Usage:       "compare the CPU cost of the engines with the floor",
		Description: enginesDescription,
		Flags: slices.Concat([]cli.Flag{
			// The thresholds were set with 64 workers and 8 HEADs pipelined. With 200,000 objects, the 20 ms of CPU for
			// the start and the end of a process are 1 % of a floor of 9 µs.
			&cli.GenericFlag{Name: "objects", Value: command.Int[int64](200_000, 1, 0),
				Usage: "send a HEAD for each of `N` objects in a run"},
			&cli.GenericFlag{Name: "rounds", Value: command.Int(5, 1, 0), Usage: "run each client `N` times"},
			&cli.GenericFlag{Name: "workers", Value: command.Int(64, 1, command.WorkersMax),
				Usage: "keep `N` HEADs in flight, each on a connection of its own"},
			&cli.GenericFlag{
				Name: "pipeline", Value: command.Int(8, 1, command.PipelineMax),
				Usage: "keep `N` HEADs in flight on each connection of pipelined, which has a quarter of the connections",
			},
			&cli.GenericFlag{Name: "latency", Value: command.Duration(0, 0), Usage: "add `DURATION` to every HEAD"},
			clientsFlag(engines.Clients(), "floor,sdk"),
		}, binaryFlags(), resultFlags()),
		Action: func(c *cli.Context) error {
			cfg, err := parseEngines(c)
			if err != nil {
				return err
			}
			return runBenchmark(c, func(b binaries) (*engines.Report, error) {
				cfg.Headcount, cfg.Store, cfg.Dev, cfg.Version = b.headcount, b.store, b.dev, b.version
				return engines.Measure(c.Context, cfg)
			})
		},
	}
}

// clientsFlag returns the flag --clients of a benchmark with these clients.
func clientsFlag(clients []string, example string) cli.Flag {
	return &cli.GenericFlag{
		Name: "clients", Value: command.Subset(clients), DefaultText: "all",
		Usage: "run the clients with these `NAMES`, as " + example + ": " + strings.Join(clients, ", "),
	}
}

func parseEngines(c *cli.Context) (engines.Config, error) {
	cfg := engines.Config{
		Objects: command.Get[int64](c, "objects"), Rounds: command.Get[int](c, "rounds"),
		Workers:  command.Get[int](c, "workers"),
		Pipeline: command.Get[int](c, "pipeline"), Latency: getDuration(c, "latency"), Clients: engines.Clients(),
	}
	cfg.OnRun = func(r engines.Run) {
		if !c.Bool("quiet") {
			console.PrintLine(c.App.ErrWriter, "round %d of %d: %s: %.2f µs CPU per object, %.1f k objects/s",
				r.Round, cfg.Rounds, r.Client, r.CPUMicrosPerObject, r.ObjectsPerSecond/1e3)
		}
	}
	if err := noArguments(c); err != nil {
		return cfg, err
	}
	if err := checkSimOptions(c, s3sim.Options{Objects: cfg.Objects, Latency: cfg.Latency}); err != nil {
		return cfg, err
	}
	if clients := command.Get[[]string](c, "clients"); clients != nil {
		cfg.Clients = clients
	}
	if c.Bool("check") && !cfg.HasThresholds() {
		return cfg, exit.Usagef("leave --clients out", "--check: no threshold is about %s",
			strings.Join(cfg.Clients, ","))
	}
	return cfg, nil
}

// checkSimOptions refuses options that the synthetic store refuses.
func checkSimOptions(c *cli.Context, o s3sim.Options) error {
	if _, err := s3sim.New(o); err != nil {
		return exit.Usagef(helpHint(c), "%s", strings.TrimPrefix(err.Error(), "s3sim: "))
	}
	return nil
}
