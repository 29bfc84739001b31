package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/output"
	"headcount/output/console"
	"headcount/output/fileset"
	"headcount/output/report"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/field"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/store"
)

const scanDescription = `Lists the bucket, sends a HEAD for every object, and prints each object's custom metadata as a line of JSON on
standard output; everything else goes to standard error. Objects without custom metadata are counted, not
printed, unless --all is given.

    headcount scan --demo
    headcount scan s3://my-bucket/logs/ > metadata.jsonl
    headcount scan --endpoint-url https://flashblade.example.com s3://my-bucket
    headcount scan --workers 256 --pipeline 8 s3://my-bucket
    headcount scan --no-sign-request --fields key,size,metadata s3://public-bucket
    headcount scan --stats stats.json --errors errors.jsonl --all s3://my-bucket
    headcount scan --output metadata.jsonl.zst --checkpoint scan.checkpoint --resume s3://my-bucket
    headcount scan --retry-from errors.jsonl --errors still.jsonl s3://my-bucket
    headcount scan --dry-run --rate 1000 s3://my-bucket

With --checkpoint a run that was stopped or killed, however it was, goes on with --resume where it stood; --output has each
record once then. Without --output some records may come twice on standard output.

With --dry-run nothing but a listing is made: it counts objects and bytes, and says how many requests the scan would send, for
how long, and what AWS would ask for them. Unless --rate says how fast, it sends HEADs for some objects, for 2 seconds at most.

Credentials, region and endpoint come from where the AWS CLI takes them: the AWS_ variables, the files in ~/.aws,
single sign-on, the metadata service of the machine.

Exit codes: 0 complete; 1 fatal; 2 usage; 3 complete, but some objects failed; 5 output could not be written;
130, 143, 141 stopped by SIGINT, SIGTERM, a reader that went away. What was written is whole pages, unless the exit
code is 5 or 141 or a second signal ended it at once: the last line may be cut then.`

func scanCommand() *cli.Command {
	return &cli.Command{
		Name:        "scan",
		Usage:       "print the custom metadata of every object (the default command)",
		ArgsUsage:   "s3://BUCKET[/PREFIX]",
		Description: scanDescription,
		Flags:       slices.Concat(keyFlags(), command.ConnectionFlags(), speedFlags(), printFlags(), safetyFlags(), command.MessageFlags()),
		Action: func(c *cli.Context) error {
			records := c.App.Writer
			if command.Get[string](c, "output") != "" || c.Bool("dry-run") { // a dry run prints after the progress
				records = nil
			}
			reporter := command.ParseReport(c).Open(records, c.App.ErrWriter)
			job, err := parseScan(c)
			if err == nil {
				err = job.run(c.Context, reporter, c.App.Writer, c.App.ErrWriter)
			}
			return reporter.ReportError(err)
		},
	}
}

// The categories of flags in the help.
const (
	categoryKeys     = "which keys"
	categorySpeed    = "speed"
	categoryPrint    = "what to print"
	categorySafety   = "safety"
	categoryMessages = "messages"
)

func keyFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "demo", Usage: "scan an embedded store of 10,000 objects; needs no account and no network", Category: categoryKeys},
		&cli.StringFlag{Name: "start-after", Usage: "start after this `KEY`", Category: categoryKeys},
		&cli.StringFlag{Name: "end-at", Usage: "stop after this `KEY`", Category: categoryKeys},
		&cli.GenericFlag{Name: "limit", Value: command.Int[int64](0, 1, 0), Usage: "stop after the first `N` objects", Category: categoryKeys, DefaultText: "all"},
		&cli.GenericFlag{Name: "retry-from", Value: command.File(), Usage: "send HEADs for the objects in this `FILE` of --errors, and list nothing", Category: categoryKeys},
	}
}

func speedFlags() []cli.Flag {
	return []cli.Flag{
		&cli.GenericFlag{Name: "workers", Value: command.AutoInt(scan.WorkersAuto, 1, command.WorkersMax), Usage: "send HEADs on `N` connections at once; auto finds the best number", Category: categorySpeed},
		&cli.GenericFlag{Name: "listers", Value: command.AutoInt(scan.ListersAuto, 1, command.ListersMax), Usage: "list `N` ranges of keys at once; auto lists as many as keep the workers busy", Category: categorySpeed},
		&cli.GenericFlag{Name: "pipeline", Value: command.Int(1, 1, command.PipelineMax), Usage: "keep `N` HEADs in flight on each connection; not every store supports more than 1", Category: categorySpeed},
		&cli.GenericFlag{Name: "engine", Value: command.OneOf(engine.Auto, engine.Auto, engine.Direct, engine.SDK, engine.List),
			Usage: "send HEADs by the engine `NAME`; sdk is slower and reaches every kind of bucket; list reads the metadata from the listing of MinIO", Category: categorySpeed},
		&cli.GenericFlag{Name: "rate", Value: command.Positive(command.RateMax), Usage: "send at most `N` requests per second, all workers together; 429 and 503 slow it down further", DefaultText: "no limit", Category: categorySpeed},
		&cli.GenericFlag{Name: "timeout", Value: command.PositiveDuration(30 * time.Second), Usage: "fail a request that has no complete answer after this `DURATION`", Category: categorySpeed},
		&cli.GenericFlag{Name: "retry-for", Value: command.PositiveDuration(15 * time.Minute), Usage: "stop when the store has answered nothing for this `DURATION`", Category: categorySpeed},
	}
}

func printFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "all", Usage: "print objects without custom metadata too", Category: categoryPrint},
		&cli.GenericFlag{Name: "fields", Value: command.Parsed("key,metadata", parseFields), Usage: "print the fields of these `NAMES`, as key,metadata,size,etag,content_type (the README lists them), or all", Category: categoryPrint},
		&cli.BoolFlag{Name: "ordered", Usage: "print in the order of keys, and not as pages finish", Category: categoryPrint},
		&cli.GenericFlag{Name: "output", Value: command.OutputFile(), Usage: "write the records to `FILE`, replacing its content; a name in .gz or .zst compresses them", Category: categoryPrint, DefaultText: "standard output"},
	}
}

func safetyFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "dry-run", Usage: "list only, and print what the scan would take: requests, time, price", Category: categorySafety},
		&cli.GenericFlag{Name: "price", Value: command.Parsed("", parsePrice), Usage: "calculate the price of a dry run from `LIST,HEAD`, in US dollars per 1,000 requests", Category: categorySafety, DefaultText: "AWS's, if the store is AWS"},
		&cli.GenericFlag{Name: "checkpoint", Value: command.File(), Usage: "save progress to `FILE`, so that --resume can continue", Category: categorySafety},
		&cli.GenericFlag{Name: "checkpoint-every", Value: command.PositiveDuration(time.Second), Usage: "save progress once per `DURATION`; a killed run repeats at most this much work", Category: categorySafety},
		&cli.BoolFlag{Name: "resume", Usage: "continue the run of --checkpoint, or start one if there is none", Category: categorySafety},
		&cli.GenericFlag{Name: "max-errors", Value: command.Int[int64](0, 1, 0), Usage: "stop when `N` objects have failed", Category: categorySafety, DefaultText: "never"},
		&cli.GenericFlag{Name: "errors", Value: command.File(), Usage: "write the failed objects to `FILE` as JSON lines, replacing its content", Category: categorySafety},
	}
}

// scanJob is what the command line of scan asks for, checked; nothing is opened yet.
type scanJob struct {
	demo   bool
	store  store.Config
	scan   scan.Config
	fields []field.Field
	names  fileset.Names
	resume bool
	dry    *dryRun // nil: it scans
}

// run opens the files and the store of the job, scans, and reports the result.
func (job *scanJob) run(ctx context.Context, reporter *report.Reporter, stdout, stderr io.Writer) error {
	if job.demo {
		demo, err := startDemo()
		if err != nil {
			return err
		}
		defer demo.Close()
		job.store.Endpoints, job.store.Isolated = []string{demo.url}, true
	}
	if name := job.names.RetryFrom; name != "" {
		var err error
		if job.scan.Keys, err = readKeys(name, job.scan.Prefix); err != nil {
			return exit.Usagef("name a file that --errors has written", "--retry-from %s: %v", name, fileset.WithoutPath(err))
		}
	}
	opened, err := store.Open(ctx, job.store)
	if err != nil {
		return exit.Usagef(command.StoreHint, "%v", err)
	}
	defer opened.Close()
	if err := job.checkSupported(opened); err != nil {
		return err
	}
	if job.dry != nil {
		return job.runDry(ctx, reporter, opened, stdout, stderr)
	}
	files, err := fileset.Open(&job.names, stdout, stderr)
	if err != nil {
		return err
	}
	saved, from, err := job.openCheckpoint(opened.EndpointURLs(), files)
	if err != nil {
		files.Close()
		return err
	}
	failures := fileset.NewFailures(files.Errors)

	job.scan.Store, job.scan.Log = opened, reporter.Log
	records := output.Stream(stdout)
	if files.Output != nil {
		records = files.Output
	}
	job.scan.Sink = output.NewJSONLines(records, job.fields)
	job.scan.Failures = failures
	job.scan.MaxAttempts = opened.MaxAttempts()
	if saved != nil {
		job.scan.OnCheckpoint, job.scan.Resume = saved.Save, from
		job.logCheckpoint(reporter, from)
	}
	s, err := scan.New(job.scan)
	if err != nil {
		return err
	}
	if saved != nil && from == nil {
		if err := saved.SaveInitial(job.scan.Range); err != nil {
			files.Close()
			return err
		}
	}
	if err := files.Truncate(from); err != nil {
		return err
	}
	stopProgress := reporter.StartProgress(s.Progress)
	stats, err := s.Run(ctx)
	stopProgress()

	if exit.Code(err) != exit.Pipe { // a reader that closed the pipe wants no summary
		reporter.PrintFailures(failures.First(), failures.More())
		reporter.PrintSummary(&stats)
		if saved != nil && !stats.Complete {
			reporter.PrintResumeHint(job.names.Checkpoint)
		}
	}
	err = cmp.Or(err, files.Finish(&stats))
	if err == nil && stats.Failed > 0 {
		err = exit.Errorf(exit.Failures, failures.Hint(), "%s failed", console.Count(stats.Failed, "object", "objects"))
	}
	return err
}

// openCheckpoint opens the checkpoint of the job, if it has one.
func (job *scanJob) openCheckpoint(urls []string, files *fileset.Set) (*checkpoint.File, *checkpoint.Checkpoint, error) {
	if job.names.Checkpoint == "" {
		return nil, nil, nil
	}
	return checkpoint.Open(job.names.Checkpoint, job.resume, job.parameters(urls), files.CheckpointFiles())
}

// logCheckpoint logs where the run starts, and how records on standard output differ from those in a file.
func (job *scanJob) logCheckpoint(reporter *report.Reporter, from *checkpoint.Checkpoint) {
	if from != nil {
		reporter.LogResume(job.names.Checkpoint, from.Stats.Listed, from.Stats.Runs)
	}
	if job.names.Output == "" {
		reporter.LogRepeats()
	}
}

// parameters returns the parameters that the records of the job depend on.
func (job *scanJob) parameters(urls []string) map[string]string {
	p := map[string]string{
		"bucket": job.store.Bucket, "prefix": job.scan.Prefix, "start-after": job.scan.Range.After, "end-at": job.scan.Range.Through,
		"all": fmt.Sprint(job.scan.All), "output": "standard output", checkpoint.Endpoints: strings.Join(urls, " "),
	}
	var fields []string
	for _, f := range job.fields {
		fields = append(fields, f.Name)
	}
	p["fields"] = strings.Join(fields, ",")
	if job.demo {
		p[checkpoint.Endpoints] = "demo" // its port is another one in each run
	}
	if job.names.Output != "" {
		p["output"] = "file " + output.Compression(job.names.Output)
	}
	if job.names.Errors != "" {
		p["errors"] = "file " + output.Compression(job.names.Errors)
	}
	if job.scan.Limit > 0 {
		p["limit"] = fmt.Sprint(job.scan.Limit)
	}
	if job.scan.Keys != nil {
		p["retry-from"] = job.scan.Keys.Hash()
	}
	return p
}

// checkSupported returns a usage error about a flag that this kind of bucket does not support.
func (job *scanJob) checkSupported(opened *store.Store) error {
	if err := opened.DirectUnsupported(); err != nil && job.scan.Engine == engine.Direct {
		return exit.Usagef("leave --engine out, or give --engine sdk", "the direct engine cannot reach this bucket: %v", err)
	}
	switch {
	case !opened.Unordered():
	case job.scan.Range != (list.Range{}):
		return exit.Usagef("scan the whole bucket", "a directory bucket has no order in which --start-after and --end-at mean something")
	case job.scan.Ordered:
		return exit.Usagef("leave --ordered out", "a directory bucket has no order of keys")
	case job.names.Checkpoint != "":
		return exit.Usagef("leave --checkpoint out", "a directory bucket has no order in which a run could be gone on with")
	}
	return nil
}
