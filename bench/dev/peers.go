package main

import (
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/bench/peers"
	"headcount/bench/pinned"
	"headcount/bench/s3sim"
	"headcount/output/console"
	"headcount/scan/command"
	"headcount/scan/exit"
)

const peersDescription = `Compares headcount with the other ways in which people read the metadata of a bucket, on the
same servers: HEADs per second, CPU time for each HEAD, memory. The clients:

    boto3            Python: boto3, one HEAD after the other
    boto3-threads    the same in a pool of threads (--workers)
    boto3-processes  the same in a pool of processes (--pool)
    aiohttp          Python: asyncio and aiohttp, with a signature of our own (--workers)
    rclone           rclone lsjson -R -M
    go               Go: aws-sdk-go-v2, a pool of goroutines (--pool)
    rust             Rust: aws-sdk-s3, a task of tokio for each key, --workers of them at a time
    sdk, direct      headcount's engines (--workers)
    pipelined        direct with 8 HEADs in flight on each of a quarter of the connections

Before a client is timed, its records are compared with those of direct. A client whose records differ is rejected, and
not timed. Python, cargo and rclone are optional: a client without its tool is listed as absent. The programs in Python
and Rust are built the first time, from packages of pip and cargo, in the folder headcount/peers of the user's cache
folder, and stay there.

    go run ./bench/dev peers
    go run ./bench/dev peers --versitygw --check --json peers.json
    go run ./bench/dev peers --clients boto3-threads,go,direct --latency 0,5ms --rounds 1
    go run ./bench/dev peers --clients go,direct --pool 64 --latency 20ms

Slow clients get fewer objects, or they would take minutes. The figures of a client include its start, which the table
also has by itself, since it matters where the objects are few. The memory is that of the largest process. --versitygw
also measures on versitygw, a real S3 server, which is built from bench/servers.

--check demands that direct sends more HEADs per second than every peer, for less CPU. Without latency it demands 1/100
of the CPU of boto3, 1/10 of that of rust and 1/12 of that of go; with latency, 95 % of the HEADs per second of a client
with as many HEADs in flight. It exits with 4 if one of these is missed (go run itself then exits with 1).`

func peersCommand() *cli.Command {
	return &cli.Command{
		Name:        "peers",
		Usage:       "compare headcount with other programs that do the same",
		Description: peersDescription,
		Flags: slices.Concat([]cli.Flag{
			&cli.GenericFlag{
				Name: "objects", Value: command.Int[int64](200_000, 1, 0),
				Usage: "send a HEAD for each of `N` objects by direct; slow clients get down to a fortieth of them",
			},
			&cli.GenericFlag{Name: "rounds", Value: command.Int(3, 1, 0), Usage: "run each client `N` times"},
			&cli.GenericFlag{
				Name: "workers", Value: command.Int(64, 1, command.WorkersMax),
				Usage: "keep `N` HEADs in flight, by the clients that do not use --pool",
			},
			&cli.GenericFlag{
				Name: "pool", Value: command.Int(2*runtime.NumCPU(), 1, command.WorkersMax),
				Usage: "use `N` processes of boto3, and N goroutines of go", DefaultText: "twice the cores",
			},
			&cli.GenericFlag{
				Name: "latency", Value: command.Parsed("0,1ms,20ms", parseLatencies),
				Usage: "add these `DURATIONS` to every HEAD, each on a synthetic server of its own",
			},
			&cli.BoolFlag{Name: "versitygw", Usage: "measure on versitygw too", DisableDefaultText: true},
			clientsFlag(peers.Clients(), "boto3,go,direct"),
		}, binaryFlags(), resultFlags()),
		Action: func(c *cli.Context) error {
			cfg, err := parsePeers(c)
			if err != nil {
				return err
			}
			return runBenchmark(c, func(b binaries) (*peers.Report, error) {
				cfg.Headcount, cfg.Store, cfg.Dev, cfg.Version = b.headcount, b.store, b.dev, b.version
				return peers.Measure(c.Context, cfg)
			})
		},
	}
}

func parsePeers(c *cli.Context) (peers.Config, error) {
	cfg := peers.Config{
		Objects: command.Get[int64](c, "objects"), Rounds: command.Get[int](c, "rounds"),
		Workers: command.Get[int](c, "workers"),
		Pool:    command.Get[int](c, "pool"), Latencies: command.Get[[]time.Duration](c, "latency"),
		Versitygw: c.Bool("versitygw"),
		Clients:   peers.Clients(), OnRun: func(peers.Run) {}, Log: func(string, ...any) {},
	}
	if !c.Bool("quiet") {
		cfg.Log = func(format string, args ...any) { console.PrintLine(c.App.ErrWriter, format, args...) }
		cfg.OnRun = func(r peers.Run) {
			console.PrintLine(c.App.ErrWriter, "%s: round %d of %d: %s: %.0f HEADs/s, %.1f µs CPU per HEAD",
				r.Server, r.Round, cfg.Rounds, r.Client, r.HeadsPerSecond, r.CPUMicrosPerHead)
		}
	}
	if err := noArguments(c); err != nil {
		return cfg, err
	}
	if err := checkSimOptions(c, s3sim.Options{Objects: cfg.Objects}); err != nil {
		return cfg, err
	}
	if clients := command.Get[[]string](c, "clients"); clients != nil {
		cfg.Clients = clients
	}
	if c.Bool("check") && !cfg.HasThresholds() {
		return cfg, exit.Usagef("name direct and a client that is not headcount's", "--check: no threshold is about %s",
			strings.Join(cfg.Clients, ","))
	}
	var err error
	if cfg.Versitygw {
		if cfg.Servers, err = pinned.FindServers(); err != nil {
			return cfg, exit.Usagef("run it in the folder of headcount's source", "--versitygw: %v", err)
		}
	}
	cfg.Cache, _ = peers.CacheFolder() // without a cache folder, the clients that are built there are absent
	return cfg, nil
}

// parseLatencies parses durations with commas between them.
func parseLatencies(text string) ([]time.Duration, error) {
	const hint = "write --latency 0,1ms,20ms"
	var all []time.Duration
	for word := range strings.SplitSeq(text, ",") {
		d, err := time.ParseDuration(word)
		switch {
		case err != nil:
			return nil, command.BadValue(hint, "not a list of durations")
		case d < 0 || d > peers.LatencyMax:
			return nil, command.BadValue(hint, "out of range: from 0 to "+peers.LatencyMax.String())
		case slices.Contains(all, d):
			return nil, command.BadValue(hint, "a duration is named twice")
		}
		all = append(all, d)
	}
	return all, nil
}
