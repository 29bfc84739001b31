package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/bench/seed"
	"headcount/output/console"
	"headcount/scan/exit"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

// writeFlags are those of the commands that write to a bucket.
func writeFlags(own ...cli.Flag) []cli.Flag {
	return slices.Concat(own, connectionFlags(), []cli.Flag{

		&cli.IntFlag{Name: "workers", Value: seed.WorkersDefault, Usage: "have `N` requests in flight at once", Category: "speed"},
		&cli.Float64Flag{Name: "rate", Usage: "send at most `N` requests per second, all workers together; a store that asks for less gets less anyway", DefaultText: "what the store bears", Category: "speed"},
		&cli.DurationFlag{Name: "timeout", Value: 30 * time.Second, Usage: "give a request this `DURATION`, answer included", Category: "speed"},
		&cli.DurationFlag{Name: "retry-for", Value: 15 * time.Minute, Usage: "wait for a store that answers nothing for this `DURATION`", Category: "speed"},

		&cli.StringFlag{Name: "stats", Usage: "write the account of the run to `FILE`, as JSON, over what it holds", Category: "telling"},
		&cli.BoolFlag{Name: "quiet", Usage: "print nothing but errors on standard error", Category: "telling"},
		&cli.BoolFlag{Name: "no-progress", Usage: "print no progress", Category: "telling"},
		&cli.StringFlag{Name: "log-level", Value: "info", Usage: "log from this `LEVEL`: debug, info, warn or error", Category: "telling"},
		&cli.StringFlag{Name: "log-format", Value: "text", Usage: "tell in this `FORMAT`: text, or json for everything on standard error", Category: "telling"},
	})
}

// writeJob is what the command line of a command asks for that writes, checked; nothing is opened yet.
type writeJob struct {
	store store.Config
	seed  seed.Config
	stats string // the name of a file; empty: none
}

func parseWrites(c *cli.Context) (*writeJob, error) {
	switch {
	case c.NArg() == 0:
		return nil, exit.Usagef(uriHint, "no bucket is named")
	case c.NArg() > 1:
		return nil, exit.Usagef("run it once for each", "%d buckets are named", c.NArg())
	case c.String("stats") == "-":
		return nil, exit.Usagef("name a file", "--stats - is no file")
	}
	bucket, prefix, err := parseURI(c.Args().First())
	if err != nil {
		return nil, err
	}
	job := &writeJob{stats: c.String("stats"), seed: seed.Config{
		Prefix: prefix, ListV1: c.Bool("list-objects-v1"), Workers: c.Int("workers"), Rate: c.Float64("rate"),
		Timeout: c.Duration("timeout"), RetryFor: c.Duration("retry-for"),
	}}
	if workers := job.seed.Workers; workers < 1 || workers > workersMax {
		return nil, exit.Usagef(fmt.Sprintf("give a number from 1 to %d", workersMax), "--workers %d is out of range", workers)
	}
	if rate := job.seed.Rate; c.IsSet("rate") && !(rate > 0 && rate <= rateMax) { // so that NaN is refused too
		return nil, exit.Usagef(fmt.Sprintf("give a number over 0, and at most %d", rateMax), "--rate %v is out of range", rate)
	}
	for _, flag := range []string{"timeout", "retry-for"} {
		if c.Duration(flag) <= 0 {
			return nil, exit.Usagef(durationHint, "--%s must be longer than nothing", flag)
		}
	}
	job.store, err = parseStore(c, bucket, job.seed.Workers)
	return job, err
}

// run opens what the job names, lets write do what is to be done, and writes its account, even where it ended with an error: nil,
// where nothing was begun.
func (job *writeJob) run(ctx context.Context, v *voice, write func(context.Context, seed.Config) (account any, err error)) error {
	opened, err := store.Open(ctx, job.store)
	if err != nil {
		return exit.Usagef("see --profile, --region, the AWS_ variables and ~/.aws/config", "%v", err)
	}
	defer opened.Close()
	file, err := openToWrite("--stats", job.stats)
	if err != nil {
		return err
	}
	cfg := job.seed
	cfg.Store, cfg.Log = opened, v.log
	account, err := write(ctx, cfg)
	if account != nil {
		return cmp.Or(err, writeJSON(file, account))
	}
	if file != nil {
		err = cmp.Or(err, file.Close())
	}
	return err
}

// followWrites tells how far a run is that writes, until the function that it returns is called. what is what it does.
func (v *voice) followWrites(what string, progress func() metrics.Progress) (stop func()) {
	counted := &rate{at: time.Now()}
	see := func() metrics.Progress {
		p := progress()
		counted.see(p.Heads, time.Now())
		return p
	}
	switch {
	case v.quiet || v.noProgress:
		return func() {}
	case v.draws:
		stop := every(barPeriod, func() { v.screen.Draw(console.Fit(doneLine(see(), counted, what+"/s"), v.screen.Columns())) })
		return func() { stop(); v.screen.Draw("") }
	}
	return every(logPeriod, func() {
		p := see()
		v.log.Info("writing", "objects", p.Settled, "listed", p.Listed, "listed_all", p.ListedAll,
			"objects_per_second", int64(counted.perSecond()), "failed", p.Failed)
	})
}

// wrote tells what became of every object, and what was sent for that.
func (v *voice) wrote(stats any, complete bool, objects string, q *seed.Requests) {
	state := "complete"
	if !complete {
		state = "not complete"
	}
	switch {
	case v.quiet:
		return
	case v.json:
		v.log.Info(state, "stats", stats)
		return
	}
	console.PrintLine(v.screen, "%s: %s", state, objects)
	console.PrintLine(v.screen, "%s objects/s, %.1f s in all; %s", console.Number(int64(q.ObjectsPerSecond)), q.DurationSeconds, console.Count(int64(q.Workers), "worker", "workers"))
	for _, op := range []string{"list", "head", "put", "delete"} {
		if sent := q.Sent[op]; len(sent) > 0 {
			console.PrintLine(v.screen, "%ss by status: %s%s", strings.ToUpper(op), byStatus(sent), latencyText(q, op))
		}
	}
}

// byStatus writes how many there were of each: 10,000 × 200, 3 × 503.
func byStatus(sent map[string]int64) string {
	var texts []string
	for _, status := range slices.Sorted(maps.Keys(sent)) {
		texts = append(texts, console.Number(sent[status])+" × "+status)
	}
	return strings.Join(texts, ", ")
}

func latencyText(q *seed.Requests, op string) string {
	l, measured := q.Latency[op]
	if !measured {
		return ""
	}
	return fmt.Sprintf("; latency p50 %.1f ms, p99 %.1f ms", l.P50, l.P99)
}
