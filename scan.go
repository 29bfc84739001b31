package main

import (
	"cmp"
	"context"
	"io"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/output"
	"headcount/scan"
	"headcount/scan/exit"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/store"
)

// workersMax is where a typing error is more likely than a machine that could do it: each has a connection.
const workersMax = 16384

// listersMax is where a typing error is more likely than a store that bears it.
const listersMax = 1024

// rateMax is more than any machine can send in a second.
const rateMax = 1_000_000_000

// pipelineMax is what fits into the read buffers of servers, 64 KiB, with requests of 500 bytes.
const pipelineMax = 128

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
		Flags: slices.Concat([]cli.Flag{
			&cli.BoolFlag{Name: "demo", Usage: "scan an embedded store of 10,000 objects; needs nothing", Category: "which keys"},
			&cli.StringFlag{Name: "start-after", Usage: "begin after this `KEY`", Category: "which keys"},
			&cli.StringFlag{Name: "end-at", Usage: "end with this `KEY`", Category: "which keys"},
			&cli.Int64Flag{Name: "limit", Usage: "end after `N` objects, the first ones", Category: "which keys", DefaultText: "all"},
			&cli.StringFlag{Name: "retry-from", Usage: "list nothing, and ask for the objects that this `FILE` of --errors names", Category: "which keys"},
		}, connectionFlags(), []cli.Flag{
			&cli.StringFlag{Name: "workers", Value: autoValue, Usage: "send HEADs on `N` connections at once, or on as many as the store rewards: auto", Category: "speed"},
			&cli.StringFlag{Name: "listers", Value: autoValue, Usage: "list `N` ranges of keys at once, or auto: as many as keep the workers busy", Category: "speed"},
			&cli.IntFlag{Name: "pipeline", Value: 1, Usage: "keep `N` HEADs in flight on each connection; not every store bears it", Category: "speed"},
			&cli.StringFlag{Name: "engine", Value: head.AutoName, Usage: "send HEADs by the engine `NAME`: direct, sdk (slower, for every kind of bucket), or auto; or list: take the metadata from a listing that has them (MinIO's)", Category: "speed"},
			&cli.Float64Flag{Name: "rate", Usage: "send at most `N` requests per second, all workers together; a store that asks for less gets less anyway", DefaultText: "what the store bears", Category: "speed"},
			&cli.DurationFlag{Name: "timeout", Value: 30 * time.Second, Usage: "give a request this `DURATION`, answer included", Category: "speed"},
			&cli.DurationFlag{Name: "retry-for", Value: 15 * time.Minute, Usage: "wait for a store that answers nothing for this `DURATION`", Category: "speed"},

			&cli.BoolFlag{Name: "all", Usage: "print objects without custom metadata too", Category: "what to print"},
			&cli.StringFlag{Name: "fields", Value: "key,metadata", Usage: "print the fields of these `NAMES`, as key,metadata,size,etag,content_type (the README lists them), or all", Category: "what to print"},
			&cli.BoolFlag{Name: "ordered", Usage: "print in the order of keys, whichever page is finished first", Category: "what to print"},
			&cli.StringFlag{Name: "output", Value: "-", Usage: "write the records to `FILE`, over what it holds, and compress them if it is named .gz or .zst", Category: "what to print", DefaultText: "standard output"},

			&cli.BoolFlag{Name: "dry-run", Usage: "list only, and print what the scan would take: requests, time, price", Category: "safety"},
			&cli.StringFlag{Name: "price", Usage: "reckon a dry run by the prices `LIST,HEAD`, in US dollars per 1,000 requests", Category: "safety", DefaultText: "AWS's, if the store is AWS"},
			&cli.StringFlag{Name: "checkpoint", Usage: "keep in `FILE` where the run stands", Category: "safety"},
			&cli.DurationFlag{Name: "checkpoint-every", Value: time.Second, Usage: "keep where the run stands once in this `DURATION`: so much is done again after a kill", Category: "safety"},
			&cli.BoolFlag{Name: "resume", Usage: "go on where the run of --checkpoint stood, if there was one", Category: "safety"},
			&cli.Int64Flag{Name: "max-errors", Usage: "end the run when `N` objects have failed in it", Category: "safety", DefaultText: "never"},
			&cli.StringFlag{Name: "errors", Usage: "write the objects that failed to `FILE`, as JSON lines, over what it holds", Category: "safety"},

			&cli.StringFlag{Name: "stats", Usage: "write the account of the run to `FILE`, as JSON, over what it holds", Category: "telling"},
			&cli.BoolFlag{Name: "quiet", Usage: "print nothing but errors on standard error", Category: "telling"},
			&cli.BoolFlag{Name: "no-progress", Usage: "print no progress", Category: "telling"},
			&cli.StringFlag{Name: "log-level", Value: "info", Usage: "log from this `LEVEL`: debug, info, warn or error", Category: "telling"},
			&cli.StringFlag{Name: "log-format", Value: "text", Usage: "tell in this `FORMAT`: text, or json for everything on standard error", Category: "telling"},
		}),
		Action: func(c *cli.Context) error {
			how, err := parseVoice(c)
			if err != nil {
				return err
			}
			records := c.App.Writer
			if c.String("output") != "-" || c.Bool("dry-run") { // whose report comes last
				records = nil
			}
			voice := how.open(records, c.App.ErrWriter)
			job, err := parseScan(c)
			if err == nil {
				err = job.run(c.Context, voice, c.App.Writer, c.App.ErrWriter)
			}
			return voice.tell(err)
		},
	}
}

// scanJob is what the command line of scan asks for, checked; nothing is opened yet.
type scanJob struct {
	demo   bool
	store  store.Config
	scan   scan.Config
	fields []output.Field
	names  fileNames
	resume bool
	dry    *dryRun // nil: it scans
}

// run opens what the job names, scans, and says what came of it.
func (job *scanJob) run(ctx context.Context, voice *voice, stdout, stderr io.Writer) error {
	if job.demo {
		demo, err := startDemo()
		if err != nil {
			return err
		}
		defer demo.Close()
		job.store.Endpoints, job.store.Isolated = []string{demo.url}, true
	}
	if name := job.names.retryFrom; name != "" {
		var err error
		if job.scan.Keys, err = readKeys(name, job.scan.Prefix); err != nil {
			return exit.Usagef("name a file that --errors has written", "--retry-from %s: %v", name, bareError(err))
		}
	}
	opened, err := store.Open(ctx, job.store)
	if err != nil {
		return exit.Usagef("see --profile, --region, the AWS_ variables and ~/.aws/config", "%v", err)
	}
	defer opened.Close()
	if err := job.suits(opened); err != nil {
		return err
	}
	if job.dry != nil {
		return job.runDry(ctx, voice, opened, stdout, stderr)
	}
	files, err := openFiles(&job.names, stdout, stderr)
	if err != nil {
		return err
	}
	checkpoint, from, err := openCheckpoint(job, opened.EndpointURLs(), files)
	if err != nil {
		_ = files.close() // nothing was written
		return err
	}
	failures := newFailures(files.errors)

	job.scan.Store, job.scan.Log = opened, voice.log
	records := output.Stream(stdout)
	if files.output != nil {
		records = files.output
	}
	job.scan.Sink = output.NewJSONLines(records, job.fields)
	job.scan.Failures = failures
	job.scan.MaxAttempts = opened.MaxAttempts()
	if checkpoint != nil {
		job.scan.OnCheckpoint, job.scan.Resume = checkpoint.keep, from
		voice.checkpoint(job, from)
	}
	s, err := scan.New(job.scan)
	if err != nil {
		return err
	}
	if checkpoint != nil && from == nil {
		if err := checkpoint.begin(job.scan.Range); err != nil {
			_ = files.close() // nothing was written
			return &openError{flag: "--checkpoint", name: checkpoint.name, err: err}
		}
	}
	if err := files.begin(from); err != nil {
		return err
	}
	stopTelling := voice.follow(s.Progress)
	stats, err := s.Run(ctx)
	stopTelling()

	if exit.Code(err) != exit.Pipe { // who closed the pipe has seen enough
		voice.failures(failures.first, failures.more())
		voice.account(&stats)
		if checkpoint != nil && !stats.Complete {
			voice.resumable(checkpoint.name)
		}
	}
	err = cmp.Or(err, files.end(&stats))
	if err == nil && stats.Failed > 0 {
		err = &objectsFailed{count: stats.Failed, hint: failures.hint()}
	}
	return err
}

// suits says what is asked of the bucket that it cannot do.
func (job *scanJob) suits(opened *store.Store) error {
	if err := opened.DirectUnsupported(); err != nil && job.scan.Engine == head.DirectName {
		return exit.Usagef("leave --engine out, or give --engine sdk", "the direct engine cannot reach this bucket: %v", err)
	}
	switch {
	case !opened.Unordered():
	case job.scan.Range != (list.Range{}):
		return exit.Usagef("scan the whole bucket", "a directory bucket has no order in which --start-after and --end-at mean something")
	case job.scan.Ordered:
		return exit.Usagef("leave --ordered out", "a directory bucket has no order of keys")
	case job.names.checkpoint != "":
		return exit.Usagef("leave --checkpoint out", "a directory bucket has no order in which a run could be gone on with")
	}
	return nil
}
