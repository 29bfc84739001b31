package main

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/bench/peers"
	"headcount/bench/peers/gosdk"
	"headcount/bench/pinned"
	"headcount/bench/s3sim"
	"headcount/output/console"
	"headcount/scan/command"
	"headcount/scan/exit"
)

const peersDescription = `Measures headcount beside the ways in which people read the metadata of a bucket otherwise, against the same servers: HEADs
per second, CPU time for each HEAD, memory. The ways:

    boto3            Python: boto3, one HEAD after the other
    boto3-threads    the same in a pool of threads (--workers)
    boto3-processes  the same in a pool of processes (--pool)
    aiohttp          Python: asyncio, aiohttp, a signature made by hand (--workers)
    rclone           rclone lsjson -R -M
    go               Go: aws-sdk-go-v2, a pool of goroutines (--pool)
    rust             Rust: aws-sdk-s3, a task of tokio for each key, --workers of them at a time
    sdk, direct      headcount's engines (--workers)
    pipelined        direct with 8 HEADs in flight on each of a quarter of the connections

Before a way is timed, its records are compared with those of direct; where they differ, it is not. Python, cargo and rclone
are not needed: a way without its tool is listed as absent. What is written in Python and Rust is built the first time, from
the packages of pip and cargo, in the folder headcount/peers of the user's cache folder, and stays there.

    headcount bench peers
    headcount bench peers --versitygw --check --json peers.json
    headcount bench peers --ways boto3-threads,go,direct --latency 0,5ms --rounds 1
    headcount bench peers --ways go,direct --pool 64 --latency 20ms

Slow ways are given fewer objects, or they would take minutes. What a process takes to start is in its figures, and told beside
them, since of few objects it is much. Memory is that of the largest process. --versitygw measures on versitygw too, a real S3
server, which is built from bench/servers: it needs Go, and the source.

--check demands that direct sends more HEADs per second than every peer, for less CPU, and without latency for 1/100 of the
CPU of boto3, 1/10 of that of rust and 1/12 of that of go; with latency, of a way that has as many HEADs in flight, 95 % of the
HEADs per second. It exits with 4 if that is missed.`

func peersCommand() *cli.Command {
	return &cli.Command{
		Name:        "peers",
		Usage:       "measure headcount beside other ways to do the same",
		Description: peersDescription,
		Flags: append([]cli.Flag{
			&cli.Int64Flag{Name: "objects", Value: 200_000, Usage: "`N` objects for direct; slow ways are given down to a fortieth"},
			&cli.IntFlag{Name: "rounds", Value: 3, Usage: "run each way `N` times"},
			&cli.IntFlag{Name: "workers", Value: 64, Usage: "keep `N` HEADs in flight, where the way has no pool of its own"},
			&cli.IntFlag{Name: "pool", Value: 2 * runtime.NumCPU(), Usage: "have `N` processes of boto3, and N goroutines of go", DefaultText: "twice the cores"},
			&cli.StringFlag{Name: "latency", Value: "0,1ms,20ms", Usage: "`DURATIONS` that synthetic servers add to every HEAD, one server for each"},
			&cli.BoolFlag{Name: "versitygw", Usage: "measure on versitygw too"},
			&cli.GenericFlag{Name: "ways", Value: command.Subset(peers.Ways()), Usage: "run the ways of these `NAMES`, as boto3,go,direct", DefaultText: "all"},
		}, figureFlags()...),
		Action: func(c *cli.Context) error {
			cfg, err := parsePeers(c)
			if err != nil {
				return err
			}
			if !c.Bool("quiet") {
				cfg.Told = func(format string, args ...any) { console.PrintLine(c.App.ErrWriter, format, args...) }
				cfg.Ran = func(r peers.Run) {
					console.PrintLine(c.App.ErrWriter, "%s: round %d of %d: %s: %.0f HEADs/s, %.1f µs CPU per HEAD",
						r.Server, r.Round, cfg.Rounds, r.Way, r.HeadsPerSecond, r.CPUMicrosPerHead)
				}
			}
			return measureAs(c, func() (*peers.Report, error) { return peers.Measure(c.Context, cfg) })
		},
	}
}

func parsePeers(c *cli.Context) (peers.Config, error) {
	cfg := peers.Config{
		Version: command.Version(), Objects: c.Int64("objects"), Rounds: c.Int("rounds"), Workers: c.Int("workers"), Pool: c.Int("pool"),
		Versitygw: c.Bool("versitygw"), Ways: peers.Ways(), Ran: func(peers.Run) {}, Told: func(string, ...any) {},
	}
	if err := checkFigures(c); err != nil {
		return cfg, err
	}
	for flag, value := range map[string]int64{"objects": cfg.Objects, "rounds": int64(cfg.Rounds)} {
		if value < 1 {
			return cfg, exit.Usagef("give a number from 1 on", "--%s %d is out of range", flag, value)
		}
	}
	for flag, value := range map[string]int{"workers": cfg.Workers, "pool": cfg.Pool} {
		if value < 1 || value > command.WorkersMax {
			return cfg, exit.Usagef(fmt.Sprintf("give a number from 1 to %d", command.WorkersMax), "--%s %d is out of range", flag, value)
		}
	}
	if _, err := s3sim.New(s3sim.Options{Objects: cfg.Objects}); err != nil {
		return cfg, exit.Usagef("headcount bench peers --help", "%s", strings.TrimPrefix(err.Error(), "s3sim: "))
	}
	var err error
	if cfg.Latencies, err = parseLatencies(c.String("latency")); err != nil {
		return cfg, err
	}
	if ways := command.Get[[]string](c, "ways"); ways != nil {
		cfg.Ways = ways
	}
	if c.Bool("check") && !cfg.HasBars() {
		return cfg, exit.Usagef("name direct among --ways, and a way that is not headcount's", "--check: no bar is about %s", strings.Join(cfg.Ways, ","))
	}
	if cfg.Versitygw {
		if cfg.Servers, err = pinned.Find(); err != nil {
			return cfg, exit.Usagef("run it in the folder of headcount's source", "--versitygw: %v", err)
		}
	}
	// Where there is no cache folder, the ways are absent that are built there, and nothing else is.
	cfg.Cache, _ = peers.CacheFolder()
	cfg.Program, err = os.Executable()
	return cfg, err
}

// parseLatencies reads durations with commas between them.
func parseLatencies(text string) ([]time.Duration, error) {
	const hint = "write --latency 0,1ms,20ms"
	var all []time.Duration
	for word := range strings.SplitSeq(text, ",") {
		d, err := time.ParseDuration(word)
		switch {
		case err != nil:
			return nil, exit.Usagef(hint, "--latency: %q is not a duration", word)
		case d < 0 || d > peers.LatencyMax:
			return nil, exit.Usagef(hint, "--latency %s is out of range: from 0 to %s", word, peers.LatencyMax)
		case slices.Contains(all, d):
			return nil, exit.Usagef(hint, "--latency %s is named twice", word)
		}
		all = append(all, d)
	}
	return all, nil
}

// gosdkCommand is one of the ways of bench peers. Nobody else has a use for it, so it is hidden.
func gosdkCommand() *cli.Command {
	return &cli.Command{
		Name:      gosdk.Command,
		Usage:     "print the metadata of a bucket's objects, by aws-sdk-go-v2 and a pool of goroutines",
		ArgsUsage: "ENDPOINT BUCKET CONCURRENCY",
		Hidden:    true,
		Action: func(c *cli.Context) error {
			pool, err := strconv.Atoi(c.Args().Get(2))
			if c.NArg() != 3 || err != nil || pool < 1 || pool > command.WorkersMax {
				return exit.Usagef("headcount bench gosdk http://HOST:PORT BUCKET 4", "bench gosdk needs an endpoint, a bucket and a number of goroutines")
			}
			return gosdk.Run(c.Context, gosdk.Config{Endpoint: c.Args().Get(0), Bucket: c.Args().Get(1), Pool: pool}, c.App.Writer)
		},
	}
}
