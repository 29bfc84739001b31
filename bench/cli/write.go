package cli

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
	"headcount/output/fileset"
	"headcount/output/report"
	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/store"
)

// writeFlags returns the flags of a command that writes to a bucket: its own and the common ones.
func writeFlags(own ...cli.Flag) []cli.Flag {
	return slices.Concat(own, command.ConnectionFlags(), command.Category("speed",
		&cli.GenericFlag{
			Name: "workers", Value: command.Int(seed.WorkersDefault, 1, command.WorkersMax),
			Usage: "keep `N` requests in flight",
		},
		&cli.GenericFlag{
			Name: "rate", Value: command.Positive(command.RateMax), DefaultText: "no limit",
			Usage: "send at most `N` requests per second, all workers together; 429 and 503 slow it down further",
		},
		&cli.GenericFlag{
			Name: "timeout", Value: command.PositiveDuration(30 * time.Second),
			Usage: "fail a request that has no complete answer after this `DURATION`",
		},
		&cli.GenericFlag{
			Name: "retry-for", Value: command.PositiveDuration(15 * time.Minute),
			Usage: "stop when no request has succeeded for this `DURATION`",
		},
	), command.MessageFlags())
}

// writeJob is a checked command line of a command that writes. Nothing is opened yet.
type writeJob struct {
	store store.Config
	seed  seed.Config
	stats string // the file of --stats; empty: none
}

func parseWrites(c *cli.Context) (*writeJob, error) {
	switch {
	case c.NArg() == 0:
		return nil, exit.Usagef(command.URIHint, "no bucket is named")
	case c.NArg() > 1:
		return nil, exit.Usagef("run it once for each", "%d buckets are named", c.NArg())
	}
	bucket, prefix, err := command.ParseURI(c.Args().First())
	if err != nil {
		return nil, err
	}
	job := &writeJob{stats: command.Get[string](c, "stats"), seed: seed.Config{
		Prefix: prefix, ListV1: c.Bool("list-objects-v1"), Workers: command.Get[int](c, "workers"),
		Rate:    command.Get[float64](c, "rate"),
		Timeout: command.Get[time.Duration](c, "timeout"), RetryFor: command.Get[time.Duration](c, "retry-for"),
	}}
	job.store, err = command.ParseStore(c, bucket, job.seed.Workers)
	return job, err
}

// run opens the file of --stats and the store, calls write, and writes the statistics that write returns, even if write
// fails. The statistics are nil if write failed before it began.
func (job *writeJob) run(ctx context.Context, r *report.Reporter,
	write func(context.Context, seed.Config) (stats any, err error)) error {
	named := []fileset.NamedFile{fileset.Written("--stats", job.stats)}
	if err := fileset.CheckDistinct(append(named, fileset.AWSFiles()...)); err != nil {
		return err
	}
	file, err := fileset.OpenDocument(ctx, "--stats", job.stats)
	if err != nil {
		return err
	}
	defer file.Close()
	opened, err := command.OpenStore(ctx, job.store)
	if err != nil {
		return err
	}
	defer opened.Close()
	if err := opened.FetchCredentials(ctx); err != nil {
		return err
	}
	cfg := job.seed
	cfg.Store, cfg.Log = opened, r.Log
	stats, err := write(ctx, cfg)
	if stats != nil {
		return cmp.Or(err, file.FinishJSON(stats))
	}
	return err
}

// printWritten prints the outcomes of the objects, and the requests that were sent.
func printWritten(r *report.Reporter, stats any, complete bool, objects string, q *seed.Requests) {
	state := "complete"
	if !complete {
		state = "not complete"
	}
	switch {
	case r.Quiet:
		return
	case r.JSON:
		r.LogResult(state, "stats", stats)
		return
	}
	console.PrintLine(r.Status, "%s: %s", state, objects)
	console.PrintLine(r.Status, "%s objects/s, %.1f s in all; %s",
		console.Number(int64(q.ObjectsPerSecond)), q.DurationSeconds, console.Count(int64(q.Workers), "worker",
			"workers"))
	for _, op := range []string{"list", "head", "put", "delete"} {
		if sent := q.Sent[op]; len(sent) > 0 {
			console.PrintLine(r.Status, "%ss by status: %s%s", strings.ToUpper(op), byStatus(sent), latencyText(q, op))
		}
	}
}

// byStatus formats counts by status: 10,000 × 200, 3 × 503.
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
