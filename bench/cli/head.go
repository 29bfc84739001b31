package cli

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/bench/heads"
	"headcount/bench/s3sim"
	"headcount/output/console"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/head/engine"
)

const headDescription = `Measures how many HEADs per second a store answers, and their latency. It only reads the
bucket. Without a URI it measures a synthetic store that it starts in a process of its own. It lists the first keys
below the prefix, and then sends HEADs for these keys, again and again.

    headcount bench head s3://my-bucket
    headcount bench head --workers 1,2,4…1024 --html head.html s3://my-bucket/logs/
    headcount bench head --rate 5000 --duration 1m s3://my-bucket
    headcount bench head --pipeline 8 --json head.json --benchfmt head.txt s3://my-bucket
    headcount bench head --rate 1000 --latency 5ms --stall 500ms --stall-every 10s --duration 30s

Closed loop, the default: each worker has one connection, and sends its next HEAD after the answer to the last one. For
a sweep, name several numbers of workers: each is measured in a step of its own. After … each number is twice the one
before.

Open loop, with --rate: HEADs are planned at fixed times, whatever the store does. Their latency counts from the planned
start, so that it includes the time that a stall of the store delays them. There are as many connections as needed, and
--workers at most. Making a connection counts as latency of the HEAD that needs it. A second row has the latency from
the time at which HEADs were sent; it is lower if all connections were waiting. HEADs that could not be sent before the
end are reported as not sent, and count with the time that they had waited. After 32 immediate failures in a row, only
one HEAD is sent every 50 ms until one is answered.

Each step begins with a warm-up of one second (a fifth of --duration, if that is less), in which connections are made.
It does not count. At its end a step waits for the HEADs in flight, for 2 seconds at most.

Only 200 is success. Every other answer, a 404 too, is an error of its status; a HEAD without an answer is an error of
its class. None of them is sent again, with one exception: a HEAD on a kept connection that the store closes instead of
answering. It is sent again on a new connection, counts from when it was sent first, and is reported as sent again.
Below the table there is the text of one failure of each class. The column "connections" counts workers that were ever
answered, each with one connection at a time.

Latencies are those of HEADs that succeeded, and of HEADs that waited in vain until --timeout. A step in which no HEAD
succeeds is the last one, and the exit code is 1. After a signal the results until then are printed; they include HEADs
that had waited for a second or more.

The first keys may be in one partition of the store. The results are then those of the partition, and not of the whole
store.

Exit codes: 0 every step ended; 1 fatal, or no HEAD succeeded; 2 usage; 5 output could not be written; 129,
130, 143 stopped.`

func headCommand() *cli.Command {
	return &cli.Command{
		Name:        "head",
		Usage:       "measure how many HEADs per second a store answers, and their latency",
		ArgsUsage:   "[s3://BUCKET[/PREFIX]]",
		Description: headDescription,
		Flags: slices.Concat(command.Category("what to measure",
			&cli.GenericFlag{
				Name: "workers", Value: command.Parsed("", parseSweep), DefaultText: "64; with --rate 1024",
				Usage: "send HEADs on `N` connections at once, or on several numbers in turn: 1,2,4…1024; with --rate on N at most",
			},
			&cli.GenericFlag{Name: "rate", Value: command.Positive(command.RateMax),
				Usage: "plan `N` HEADs per second, at fixed times", DefaultText: "closed loop"},
			&cli.GenericFlag{Name: "duration", Value: command.Duration(10*time.Second, durationMin),
				Usage: "measure each step for `DURATION`"},
			&cli.GenericFlag{Name: "keys-max", Value: command.Int(10_000, 1, 0),
				Usage: "send HEADs for `N` keys at most"},
			&cli.GenericFlag{
				Name: "pipeline", Value: command.Int(1, 1, command.PipelineMax),
				Usage: "keep `N` HEADs in flight on each connection; not every store supports it",
			},
			&cli.GenericFlag{Name: "engine", Value: command.OneOf(engine.Auto, engine.Auto, engine.Direct, engine.SDK),
				Usage: "send HEADs by the engine `NAME`"},
			&cli.GenericFlag{
				Name: "timeout", Value: command.PositiveDuration(30 * time.Second),
				Usage: "fail a request that has no complete answer after this `DURATION`",
			},
		), command.ConnectionFlags(), embeddedFlags(), command.Category("messages",
			&cli.GenericFlag{Name: "json", Value: command.FileName(),
				Usage: "write the results to `FILE` as JSON, replacing its content"},
			&cli.GenericFlag{
				Name: "benchfmt", Value: command.FileName(),
				Usage: "write the results to `FILE` in the format of Go's benchmarks, for benchstat, replacing its content",
			},
			&cli.GenericFlag{Name: "html", Value: command.FileName(),
				Usage: "write a page with charts to `FILE`, replacing its content"},
			&cli.BoolFlag{Name: "quiet", Usage: "print only errors on standard error"},
		)),
		Action: func(c *cli.Context) error {
			cfg, err := parseHead(c)
			if err != nil {
				return err
			}
			return measureHeads(c, cfg)
		},
	}
}

// embeddedFlags returns the flags about the embedded store, which is measured if no bucket is named.
func embeddedFlags() []cli.Flag {
	return command.Category("the embedded store",
		&cli.GenericFlag{Name: "objects", Value: command.Int[int64](objectsDefault, 1, 0), Usage: "serve `N` objects"},
		&cli.GenericFlag{Name: "latency", Value: command.Duration(0, 0), Usage: "add `DURATION` to every HEAD"},
		&cli.GenericFlag{Name: "stall", Value: command.Duration(0, 0),
			Usage: "answer nothing for `DURATION`, repeatedly (--stall-every)"},
		&cli.GenericFlag{Name: "stall-every", Value: command.Duration(0, 0), Usage: "begin a stall every `DURATION`"},
	)
}

// measureHeads measures, and writes the results, even if the measurement ends with an error.
func measureHeads(c *cli.Context, cfg heads.Config) error {
	files, err := openHeadFiles(c)
	if err != nil {
		return err
	}
	status := console.NewStatusLine(c.App.ErrWriter)
	if !c.Bool("quiet") {
		cfg.OnStep = func(s *heads.Step) { console.PrintLine(status, "%s", s) }
		if console.CanDraw(c.App.ErrWriter) {
			cfg.OnProgress = func(p heads.Progress) { status.Draw(console.Fit(p.String(), status.Columns())) }
		}
	}
	report, err := heads.Measure(c.Context, cfg)
	status.Draw("")
	if errors.As(err, new(*heads.ConfigError)) {
		files.close()
		const otherwise = "see --engine, --profile, --region, the AWS_ variables and ~/.aws/config"
		return exit.Usagef(cmp.Or(exit.Hint(err), otherwise), "%v", err)
	}
	err = cmp.Or(err, files.finish(report))
	if len(report.Steps) > 0 {
		err = cmp.Or(err, scan.WrapOutput(report.Write(command.Stdout(c))))
	}
	return err
}

// workersDefault is the number of connections of a closed loop.
const workersDefault = 64

// openWorkersDefault is the greatest number of connections of an open loop: 1,000 HEADs per second need as many while
// the store stalls for a second.
const openWorkersDefault = 1024

// durationMin is the shortest step. Its warm-up of 20 ms is enough to make connections, and the kernel counts the use
// of the processors in units of 10 ms.
const durationMin = 100 * time.Millisecond

func parseHead(c *cli.Context) (heads.Config, error) {
	cfg := heads.Config{
		Workers: command.Get[[]int](c, "workers"), Rate: command.Get[float64](c, "rate"),
		Duration: command.Get[time.Duration](c, "duration"),
		KeysMax:  command.Get[int](c, "keys-max"), Pipeline: command.Get[int](c, "pipeline"),
		Engine:  command.Get[string](c, "engine"),
		Timeout: command.Get[time.Duration](c, "timeout"), ListV1: c.Bool("list-objects-v1"),
		Version: command.Version(), Command: command.CommandLine(c),
	}
	if err := parseHeadStore(c, &cfg); err != nil {
		return cfg, err
	}
	if cfg.Engine == engine.SDK && cfg.Pipeline > 1 {
		return cfg, command.Conflict("--engine sdk", fmt.Sprintf("--pipeline %d", cfg.Pipeline),
			"the sdk engine does not pipeline")
	}
	if cfg.Rate > 0 {
		return cfg, checkOpenLoop(&cfg)
	}
	if cfg.Workers == nil {
		cfg.Workers = []int{workersDefault}
	}
	return cfg, nil
}

// checkOpenLoop checks and completes the Config of an open loop.
func checkOpenLoop(cfg *heads.Config) error {
	switch {
	case len(cfg.Workers) > 1:
		return exit.Usagef("give one number of workers: the most connections",
			"--rate: there is one step, and --workers names several")
	case cfg.Pipeline > 1:
		return command.Conflict("--rate", fmt.Sprintf("--pipeline %d", cfg.Pipeline),
			"each planned HEAD is sent at a time of its own")
	case heads.PlannedHeads(cfg.Rate, cfg.Duration) == 0:
		return exit.Usagef(fmt.Sprintf("--duration %.0fs plans one", math.Ceil(1/cfg.Rate)),
			"--rate %v plans no HEAD in %v", cfg.Rate, cfg.Duration)
	case cfg.Workers == nil:
		cfg.Workers = []int{openWorkersDefault}
	}
	return nil
}

// parseHeadStore reads the store that is measured: that of a bucket, or the embedded one.
func parseHeadStore(c *cli.Context, cfg *heads.Config) (err error) {
	switch c.NArg() {
	case 0:
		for _, f := range command.ConnectionFlags() {
			if name := f.Names()[0]; c.IsSet(name) {
				return exit.Usagef("name a bucket: s3://BUCKET[/PREFIX]", "--%s is for a bucket, and none is named",
					name)
			}
		}
		return parseEmbedded(c, cfg)
	case 1:
		for _, f := range embeddedFlags() {
			if name := f.Names()[0]; c.IsSet(name) {
				return command.Conflict("--"+name, c.Args().First(), "--"+name+" is for the embedded store")
			}
		}
		var name string
		if name, cfg.Prefix, err = command.ParseURI(c.Args().First()); err == nil {
			cfg.Store, err = command.ParseStore(c, name, 1)
		}
		return err
	}
	return exit.Usagef("run it once for each", "%d buckets are named", c.NArg())
}

func parseEmbedded(c *cli.Context, cfg *heads.Config) (err error) {
	cfg.Embedded = &heads.EmbeddedStore{
		Objects: command.Get[int64](c, "objects"), Latency: command.Get[time.Duration](c, "latency"),
		Stall: command.Get[time.Duration](c, "stall"), StallEvery: command.Get[time.Duration](c, "stall-every"),
	}
	if _, err := s3sim.New(s3sim.Options{
		Objects: cfg.Embedded.Objects, Latency: cfg.Embedded.Latency, Stall: cfg.Embedded.Stall,
		StallEvery: cfg.Embedded.StallEvery,
	}); err != nil {
		return exit.Usagef(helpHint(c), "%s", strings.TrimPrefix(err.Error(), "s3sim: "))
	}
	cfg.Embedded.Program, err = os.Executable()
	return err
}
