package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/bench/heads"
	"headcount/bench/s3sim"
	"headcount/output/console"
	"headcount/output/fileset"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/head/engine"
)

const headDescription = `Measures how many HEADs per second a store answers, and how fast: of a bucket, which it only reads, or without a URI of an
embedded store in a process of its own. It lists some keys, the first below the prefix, and sends HEADs for them, again and again.

    headcount bench head s3://my-bucket
    headcount bench head --workers 1,2,4…1024 --html head.html s3://my-bucket/logs/
    headcount bench head --rate 5000 --duration 1m s3://my-bucket
    headcount bench head --endpoint-url https://flashblade.example.com --pipeline 8 --json head.json --benchfmt head.txt s3://my-bucket
    headcount bench head --rate 1000 --latency 5ms --stall 500ms --stall-every 10s --duration 30s

Each worker has a connection, and sends its next HEAD when the last one is answered: a closed loop. The workers go through the
keys in order, again and again, each from a place of its own. For a sweep, --workers names several numbers, and a step is held
for each; with … between two of them, each number is twice the one before.

With --rate HEADs are planned at fixed times, whatever the store does: an open loop. Their latency counts from the planned
start, so that a store that stalls cannot hide it by being asked nothing meanwhile. There are as many connections as it takes,
--workers at most, and a connection that has to be made takes its time from the HEAD that it is made for. Below stands the
latency from when HEADs were sent: it is less where all connections were waiting. What was planned and could not be sent before
the end is told as late, and counts with the time for which it had waited by then. After 32 failures in a row, each of them at
once, but one HEAD is sent every 50 ms until one is answered.

Each step begins with a second (a fifth of --duration, if that is less) that does not count, in which connections are made.
What is in flight at its end is waited for, for 2 seconds at most.

Only 200 is success. Every other answer is an error by its status, a 404 too, and what has no answer is one by its class;
neither is sent again. What the store closes a kept connection on, instead of an answer, is: it counts from when it was sent
first, and is told as sent again. Of each class the text of one failure stands below the table. The connections in the table are
workers that were ever answered: each has one at a time, and not all need be open at once.

Latencies are of what succeeded, and of what waited in vain until --timeout. A step in which nothing succeeds is the last one,
and the exit code is 1. A signal ends it, and what was measured until then is told, with what had waited for a second or more.

The first keys may be in one partition of the store: --workers and --rate say what that bears, and not the whole store.

Exit codes: 0 every step was held; 1 fatal, or no HEAD succeeded; 2 usage; 5 output could not be written; 130, 143 stopped.`

func headCommand() *cli.Command {
	return &cli.Command{
		Name:        "head",
		Usage:       "measure how many HEADs per second a store answers, and how fast",
		ArgsUsage:   "[s3://BUCKET[/PREFIX]]",
		Description: headDescription,
		Flags: slices.Concat([]cli.Flag{
			&cli.StringFlag{Name: "workers", Value: "64", Usage: "send HEADs on `N` connections at once, or on each of several numbers in turn: 1,2,4…1024; with --rate on N at most", DefaultText: "64; with --rate 1024", Category: "what to measure"},
			&cli.Float64Flag{Name: "rate", Usage: "plan `N` HEADs per second, at fixed times", DefaultText: "as many as are answered", Category: "what to measure"},
			&cli.DurationFlag{Name: "duration", Value: 10 * time.Second, Usage: "hold each step for this `DURATION`, 100ms at least", Category: "what to measure"},
			&cli.IntFlag{Name: "keys-max", Value: 10_000, Usage: "send HEADs for `N` keys at most", Category: "what to measure"},
			&cli.IntFlag{Name: "pipeline", Value: 1, Usage: "keep `N` HEADs in flight on each connection; not every store bears it", Category: "what to measure"},
			&cli.GenericFlag{Name: "engine", Value: command.OneOf(engine.Auto, engine.Auto, engine.Direct, engine.SDK), Usage: "send HEADs by the engine `NAME`", Category: "what to measure"},
			&cli.DurationFlag{Name: "timeout", Value: 30 * time.Second, Usage: "give a request this `DURATION`, answer included", Category: "what to measure"},
		}, command.ConnectionFlags(), embeddedFlags(), inCategory("telling",
			&cli.StringFlag{Name: "json", Usage: "write the figures of every step to `FILE`, as JSON; replaces its content"},
			&cli.StringFlag{Name: "benchfmt", Usage: "write the figures to `FILE` in the format of Go's benchmarks, for benchstat, over what it holds"},
			&cli.StringFlag{Name: "html", Usage: "write a page with pictures to `FILE`, over what it holds"},
			&cli.BoolFlag{Name: "quiet", Usage: "print only errors on standard error"},
		)),
		Action: func(c *cli.Context) error {
			cfg, err := parseHead(c)
			if err != nil {
				return err
			}
			screen := console.NewStatusLine(c.App.ErrWriter)
			if !c.Bool("quiet") {
				cfg.OnStep = func(s *heads.Step) { console.PrintLine(screen, "%s", s) }
				if console.IsTerminal(c.App.ErrWriter) {
					cfg.OnProgress = func(p heads.Progress) { screen.Draw(console.Fit(p.String(), screen.Columns())) }
				}
			}
			return measureHeads(c, cfg, screen)
		},
	}
}

// embeddedFlags are those of the store that there is without a URI.
func embeddedFlags() []cli.Flag {
	return inCategory("the embedded store",
		&cli.Int64Flag{Name: "objects", Value: demoObjects, Usage: "`N` objects"},
		&cli.DurationFlag{Name: "latency", Usage: "`DURATION` added to every HEAD"},
		&cli.DurationFlag{Name: "stall", Usage: "answer nothing for this `DURATION`, and then go on, again and again"},
		&cli.DurationFlag{Name: "stall-every", Usage: "`DURATION` from the begin of a stall to that of the next"},
	)
}

// inCategory puts flags below a heading of the help.
func inCategory(name string, flags ...cli.Flag) []cli.Flag {
	for _, f := range flags {
		switch f := f.(type) {
		case *cli.StringFlag:
			f.Category = name
		case *cli.BoolFlag:
			f.Category = name
		case *cli.Int64Flag:
			f.Category = name
		case *cli.DurationFlag:
			f.Category = name
		}
	}
	return flags
}

// measureHeads measures, and writes what was measured, however that ended.
func measureHeads(c *cli.Context, cfg heads.Config, screen *console.StatusLine) error {
	forms := []struct {
		flag  string
		write func(*heads.Report, io.Writer) error
		file  *fileset.Document
	}{
		{flag: "benchfmt", write: (*heads.Report).WriteBenchmarks},
		{flag: "html", write: (*heads.Report).WritePage},
	}
	asJSON, err := fileset.OpenDocument("--json", c.String("json"))
	for i := range forms {
		if err == nil {
			forms[i].file, err = fileset.OpenDocument("--"+forms[i].flag, c.String(forms[i].flag))
		}
	}
	if err == nil {
		err = distinctFiles(c, map[string]*fileset.Document{"json": asJSON, "benchfmt": forms[0].file, "html": forms[1].file})
	}
	if err != nil {
		return err
	}
	report, err := heads.Measure(c.Context, cfg)
	screen.Draw("")
	if errors.As(err, new(*heads.ConfigError)) { // the files hold what they held
		return exit.Usagef("see --engine, --profile, --region, the AWS_ variables and ~/.aws/config", "%v", err)
	}
	errs := []error{err, asJSON.FinishJSON(report)}
	for _, form := range forms {
		if form.file == nil {
			continue
		}
		var text bytes.Buffer
		if len(report.Steps) > 0 {
			errs = append(errs, form.write(report, &text))
		}
		errs = append(errs, finishForm(form.file, text.Bytes()))
	}
	if len(report.Steps) > 0 {
		errs = append(errs, scan.WrapOutput(report.Write(c.App.Writer)))
	}
	return cmp.Or(errs...)
}

func parseHead(c *cli.Context) (heads.Config, error) {
	cfg := heads.Config{
		Rate: c.Float64("rate"), Duration: c.Duration("duration"), KeysMax: c.Int("keys-max"), Pipeline: c.Int("pipeline"),
		Engine: command.Get[string](c, "engine"), Timeout: c.Duration("timeout"), ListV1: c.Bool("list-objects-v1"), Version: command.Version(), Command: command.CommandLine(c),
	}
	for _, parse := range []func(*cli.Context, *heads.Config) error{parseHeadStore, parseHeadSteps, parseHeadSpeed, parseHeadFiles} {
		if err := parse(c, &cfg); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
}

// parseHeadStore reads what is measured: a bucket, or the embedded store.
func parseHeadStore(c *cli.Context, cfg *heads.Config) (err error) {
	const hint = "leave one of them out"
	switch c.NArg() {
	case 0:
		for _, f := range command.ConnectionFlags() {
			if name := f.Names()[0]; c.IsSet(name) {
				return exit.Usagef("name a bucket: s3://BUCKET[/PREFIX]", "the embedded store needs no connection, and --%s is about one", name)
			}
		}
		return parseEmbedded(c, cfg)
	case 1:
		for _, f := range embeddedFlags() {
			if name := f.Names()[0]; c.IsSet(name) {
				return exit.Usagef(hint, "--%s is about the embedded store, and %s is another", name, c.Args().First())
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
	cfg.Embedded = &heads.EmbeddedStore{Objects: c.Int64("objects"), Latency: c.Duration("latency"), Stall: c.Duration("stall"), StallEvery: c.Duration("stall-every")}
	if cfg.Embedded.Objects < 1 {
		return exit.Usagef("give a number from 1 on", "--objects %d is out of range", cfg.Embedded.Objects)
	}
	if _, err := s3sim.New(s3sim.Options{
		Objects: cfg.Embedded.Objects, Latency: cfg.Embedded.Latency, Stall: cfg.Embedded.Stall, StallEvery: cfg.Embedded.StallEvery,
	}); err != nil {
		return exit.Usagef("headcount bench head --help", "%s", strings.TrimPrefix(err.Error(), "s3sim: "))
	}
	cfg.Embedded.Program, err = os.Executable()
	return err
}

// openWorkers is how many connections there are at most where a rate is planned: those that a stall of a second needs at 1,000 HEADs per second.
const openWorkers = 1024

// durationMin is the shortest Step: a warm-up below 20 ms makes no connections, and what the kernel counts of the processors is by 10 ms.
const durationMin = 100 * time.Millisecond

// parseHeadSteps reads which steps are held.
func parseHeadSteps(c *cli.Context, cfg *heads.Config) (err error) {
	if cfg.Workers, err = parseSweep(c.String("workers")); err != nil {
		return err
	}
	if !c.IsSet("rate") {
		return nil
	}
	switch {
	case !(cfg.Rate > 0 && cfg.Rate <= command.RateMax): // so that NaN is refused too
		return exit.Usagef(fmt.Sprintf("give a number over 0, and at most %d", command.RateMax), "--rate %v is out of range", cfg.Rate)
	case len(cfg.Workers) > 1:
		return exit.Usagef("give one number: with --rate it is that of the connections at most", "--rate is held once, and --workers %s is a sweep", c.String("workers"))
	case cfg.Pipeline > 1:
		return exit.Usagef("leave one of them out", "with --rate each HEAD is sent at a time of its own, and --pipeline %d sends several at once", cfg.Pipeline)
	case cfg.Duration >= durationMin && heads.PlannedHeads(cfg.Rate, cfg.Duration) == 0: // what is shorter is refused as it is
		return exit.Usagef(fmt.Sprintf("give it more time: --duration %.0fs", math.Ceil(1/cfg.Rate)), "at --rate %v no HEAD is planned in %v", cfg.Rate, cfg.Duration)
	case !c.IsSet("workers"):
		cfg.Workers = []int{openWorkers}
	}
	return nil
}

// parseSweep reads numbers of workers with commas between them. An ellipsis stands for those between its neighbours, each twice the one before.
func parseSweep(text string) (all []int, err error) {
	const ellipsis = "…"
	refuse := func(format string, args ...any) ([]int, error) {
		hint := fmt.Sprintf("give numbers from 1 to %d, as 64, or 1,2,4…1024", command.WorkersMax)
		return nil, exit.Usagef(hint, "--workers %s: %s", text, fmt.Sprintf(format, args...))
	}
	spaced := strings.ReplaceAll(strings.ReplaceAll(text, "...", ellipsis), ellipsis, ","+ellipsis+",")
	words := slices.DeleteFunc(strings.Split(spaced, ","), func(word string) bool { return word == "" })
	for i, word := range words {
		if word == ellipsis && i > 0 && i+1 < len(words) && words[i-1] != ellipsis {
			continue
		}
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > command.WorkersMax {
			return refuse("%q is no number of workers", word)
		}
		if i > 1 && words[i-1] == ellipsis {
			last := all[len(all)-1]
			if n <= last {
				return refuse("after … comes a higher number than before it")
			}
			for last *= 2; last < n; last *= 2 {
				all = append(all, last)
			}
		}
		all = append(all, n)
	}
	for i, n := range all {
		if slices.Contains(all[:i], n) {
			return refuse("%d is named twice", n)
		}
	}
	if len(all) == 0 {
		return refuse("there is no number")
	}
	return all, nil
}

// parseHeadSpeed checks how HEADs are sent.
func parseHeadSpeed(c *cli.Context, cfg *heads.Config) error {
	for _, flag := range []string{"duration", "timeout"} {
		if c.Duration(flag) <= 0 {
			return exit.Usagef("give a duration as 30s or 15m", "--%s must be longer than nothing", flag)
		}
	}
	switch {
	case cfg.Duration < durationMin:
		return exit.Usagef(fmt.Sprintf("give it %v or more", durationMin), "--duration %v is too short for a figure", cfg.Duration)
	case cfg.KeysMax < 1:
		return exit.Usagef("give a number from 1 on", "--keys-max %d is out of range", cfg.KeysMax)
	case cfg.Pipeline < 1 || cfg.Pipeline > command.PipelineMax:
		return exit.Usagef(fmt.Sprintf("give a number from 1 to %d", command.PipelineMax), "--pipeline %d is out of range", cfg.Pipeline)
	case cfg.Engine == engine.SDK && cfg.Pipeline > 1:
		return exit.Usagef("leave one of them out", "--engine sdk does not pipeline")
	}
	return nil
}
