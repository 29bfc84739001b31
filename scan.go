package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/output"
	"headcount/scan"
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
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "demo", Usage: "scan an embedded store of 10,000 objects; needs nothing", Category: "which keys"},
			&cli.StringFlag{Name: "start-after", Usage: "begin after this `KEY`", Category: "which keys"},
			&cli.StringFlag{Name: "end-at", Usage: "end with this `KEY`", Category: "which keys"},
			&cli.Int64Flag{Name: "limit", Usage: "end after `N` objects, the first ones", Category: "which keys", DefaultText: "all"},
			&cli.StringFlag{Name: "retry-from", Usage: "list nothing, and ask for the objects that this `FILE` of --errors names", Category: "which keys"},

			&cli.StringSliceFlag{Name: "endpoint-url", Usage: "reach the store at this `URL`; several share the load (the data VIPs of a FlashBlade), and one that is slow gets less", Category: "connection"},
			&cli.StringFlag{Name: "profile", Usage: "take credentials and region from the profile `NAME`", Category: "connection"},
			&cli.StringFlag{Name: "region", Usage: "sign for this `REGION` (default: as configured, else us-east-1; the store may know better)", Category: "connection"},
			&cli.BoolFlag{Name: "no-sign-request", Usage: "send no credentials", Category: "connection"},
			&cli.BoolFlag{Name: "request-payer", Usage: "agree to pay for the requests to somebody else's bucket", Category: "connection"},
			&cli.StringFlag{Name: "ca-bundle", Usage: "trust the certificate authorities in this PEM `FILE`", Category: "connection"},
			&cli.BoolFlag{Name: "no-verify-ssl", Usage: "accept any certificate: unsafe, since anybody may answer in the place of the store", Category: "connection"},
			&cli.StringFlag{Name: "addressing", Value: "auto", Usage: "write the bucket into the path, or before the host: `STYLE` is path, virtual, or auto (virtual for AWS)", Category: "connection"},
			&cli.BoolFlag{Name: "list-objects-v1", Usage: "list by ListObjects, for stores that do not know ListObjectsV2", Category: "connection"},

			&cli.StringFlag{Name: "workers", Value: autoValue, Usage: "send HEADs on `N` connections at once, or on as many as the store rewards: auto", Category: "speed"},
			&cli.StringFlag{Name: "listers", Value: autoValue, Usage: "list `N` ranges of keys at once, or auto: as many as keep the workers busy", Category: "speed"},
			&cli.IntFlag{Name: "pipeline", Value: 1, Usage: "keep `N` HEADs in flight on each connection; not every store bears it", Category: "speed"},
			&cli.StringFlag{Name: "engine", Value: head.AutoName, Usage: "send HEADs by the engine `NAME`: direct, sdk (slower, for every kind of bucket), or auto; or list: take the metadata from a listing that has them (MinIO's), which auto does where they prove to be the same", Category: "speed"},
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
		},
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

// parseScan checks the flags of scan against each other.
func parseScan(c *cli.Context) (*scanJob, error) {
	job := &scanJob{demo: c.Bool("demo"), resume: c.Bool("resume")}
	var bucket, prefix string
	switch {
	case job.demo && c.NArg() > 0:
		return nil, usagef("leave one of them out", "--demo scans an embedded store, and %s is another", c.Args().First())
	case job.demo:
		for _, flag := range []string{"endpoint-url", "profile", "region", "ca-bundle", "no-verify-ssl", "addressing", "request-payer"} {
			if c.IsSet(flag) {
				return nil, usagef("leave one of them out", "--demo needs no connection, and --%s is about one", flag)
			}
		}
		bucket = demoBucket
	case c.NArg() == 0:
		return nil, usagef(uriHint+"; or try: headcount scan --demo", "no bucket is named")
	case c.NArg() > 1:
		return nil, usagef("run headcount once for each", "%d buckets are named", c.NArg())
	default:
		var err error
		if bucket, prefix, err = parseURI(c.Args().First()); err != nil {
			return nil, err
		}
	}

	workers, err := parseWorkers(c.String("workers"))
	if err != nil {
		return nil, err
	}
	rate := c.Float64("rate")
	if c.IsSet("rate") && !(rate > 0 && rate <= rateMax) { // so that NaN is refused too
		return nil, usagef(fmt.Sprintf("give a number over 0, and at most %d", rateMax), "--rate %v is out of range", rate)
	}
	listers, err := parseListers(c.String("listers"))
	if err != nil {
		return nil, err
	}
	for _, flag := range []string{"limit", "retry-from"} {
		if listers != scan.ListersAuto && listers != 1 && c.IsSet(flag) {
			return nil, usagef("leave one of them out", "with --%s there is one lister, and --listers %d asks for more", flag, listers)
		}
	}
	pipeline, engine := c.Int("pipeline"), c.String("engine")
	if pipeline < 1 || pipeline > pipelineMax {
		return nil, usagef(fmt.Sprintf("give a number from 1 to %d", pipelineMax), "--pipeline %d is out of range", pipeline)
	}
	switch engine {
	case head.AutoName, head.DirectName:
	case head.ListName:
		for _, flag := range []string{"list-objects-v1", "retry-from"} {
			if c.IsSet(flag) && (c.Bool(flag) || flag == "retry-from") {
				return nil, usagef("leave one of them out", "--engine list needs ListObjectsV2 with metadata, and --%s is without", flag)
			}
		}
	case head.SDKName:
		if pipeline > 1 {
			return nil, usagef("leave one of them out", "--engine sdk does not pipeline")
		}
	default:
		return nil, usagef("there are auto, direct, sdk and list", "there is no engine %q", engine)
	}
	for _, flag := range []string{"timeout", "retry-for", "checkpoint-every"} {
		if c.Duration(flag) <= 0 {
			return nil, usagef("give a duration as 30s or 15m", "--%s must be longer than nothing", flag)
		}
	}
	rng := list.Range{After: c.String("start-after"), Through: c.String("end-at")}
	if rng.Through != "" && rng.Through <= rng.After {
		return nil, usagef("keys are compared as bytes", "no key lies after %q and up to %q", rng.After, rng.Through)
	}
	if job.dry, err = parseDryRun(c); err != nil {
		return nil, err
	}
	if job.names, err = parseFiles(c); err != nil {
		return nil, err
	}
	if job.resume && job.names.checkpoint == "" {
		return nil, usagef("--checkpoint FILE --resume", "--resume needs to know from where")
	}
	if c.IsSet("checkpoint-every") && job.names.checkpoint == "" {
		return nil, usagef("--checkpoint FILE --checkpoint-every 1s", "--checkpoint-every is about a checkpoint, and there is none")
	}
	if c.IsSet("max-errors") && c.Int64("max-errors") < 1 {
		return nil, usagef("give a number from 1 on", "--max-errors %d is out of range", c.Int64("max-errors"))
	}
	if c.IsSet("limit") && c.Int64("limit") < 1 {
		return nil, usagef("give a number from 1 on", "--limit %d is out of range", c.Int64("limit"))
	}
	if job.fields, err = parseFields(c.String("fields")); err != nil {
		return nil, err
	}
	unlisted := output.Unlisted(job.fields)
	if engine == head.ListName && len(unlisted) > 0 {
		return nil, usagef("leave --engine out, or print key,metadata,size,etag,last_modified,storage_class",
			"no listing gives %s, which --engine list would have to leave out", strings.Join(unlisted, ", "))
	}
	if job.store, err = parseStore(c, bucket, workers); err != nil {
		return nil, err
	}
	job.scan = scan.Config{
		Prefix: prefix, Range: rng, Limit: c.Int64("limit"), ListV1: c.Bool("list-objects-v1"),
		All: c.Bool("all"), Ordered: c.Bool("ordered"),
		MetadataOnly: len(unlisted) == 0,
		Engine:       engine, Listers: listers, Workers: workers, Pipeline: pipeline, Rate: rate,
		Timeout: c.Duration("timeout"), RetryFor: c.Duration("retry-for"), FailedMax: c.Int64("max-errors"),
		KeepEvery: c.Duration("checkpoint-every"),
	}
	return job, nil
}

// autoValue is what flags are given that find their number by themselves.
const autoValue = "auto"

func parseListers(value string) (int, error) {
	if value == autoValue {
		return scan.ListersAuto, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > listersMax {
		return 0, usagef(fmt.Sprintf("give auto, or a number from 1 to %d", listersMax), "--listers %s is out of range", value)
	}
	return n, nil
}

// parseWorkers reads how many there are to be; scan.WorkersAuto: as many as the store rewards.
func parseWorkers(text string) (int, error) {
	if text == autoValue {
		return scan.WorkersAuto, nil
	}
	hint := fmt.Sprintf("give a number from 1 to %d, or auto", workersMax)
	workers, err := strconv.ParseInt(text, 0, 64)
	switch {
	case err != nil && !errors.Is(err, strconv.ErrRange):
		return 0, usagef(hint, "--workers %s is neither auto nor a whole number", text)
	case err != nil || workers < 1 || workers > workersMax:
		return 0, usagef(hint, "--workers %s is out of range", text)
	}
	return int(workers), nil
}

func parseFiles(c *cli.Context) (fileNames, error) {
	names := fileNames{
		output: c.String("output"), errors: c.String("errors"), stats: c.String("stats"),
		checkpoint: c.String("checkpoint"), retryFrom: c.String("retry-from"),
	}
	for _, flag := range []string{"errors", "stats", "checkpoint", "retry-from"} {
		if c.String(flag) == "-" {
			return names, usagef("name a file", "--%s - is no file", flag)
		}
	}
	if names.output == "-" {
		names.output = ""
	}
	return names, nil
}

// readKeys reads which objects failed in an earlier run.
func readKeys(name, prefix string) (*list.Keys, error) {
	f, err := output.OpenToRead(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := output.ReadFailures(f)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		if !strings.HasPrefix(entries[i].Key, prefix) {
			return nil, fmt.Errorf("object %d is not below the prefix %q", i+1, prefix)
		}
	}
	return list.NewKeys(entries), nil
}

func parseFields(value string) ([]output.Field, error) {
	if names := strings.Split(value, ","); len(names) > 1 && slices.Contains(names, "all") {
		return nil, usagef("--fields all", "all is every field, and stands alone")
	}
	fields, err := output.ParseFields(value)
	if err != nil {
		return nil, usagef("--fields key,metadata,size", "%v", err)
	}
	return fields, nil
}

// parseStore reads the flags that say how to reach the bucket.
func parseStore(c *cli.Context, bucket string, workers int) (store.Config, error) {
	if workers == scan.WorkersAuto {
		workers = scan.WorkersAutoMax
	}
	cfg := store.Config{
		Bucket: bucket, Endpoints: c.StringSlice("endpoint-url"), Profile: c.String("profile"),
		Region: c.String("region"), Anonymous: c.Bool("no-sign-request"), RequestPayer: c.Bool("request-payer"),
		CABundle: c.String("ca-bundle"), NoVerifyTLS: c.Bool("no-verify-ssl"),
		Addressing: store.Addressing(c.String("addressing")), Connections: workers,
	}
	switch cfg.Addressing {
	case store.AddressingAuto, store.AddressingPath, store.AddressingVirtual:
	default:
		return cfg, usagef("there are auto, path and virtual", "there is no addressing %q", cfg.Addressing)
	}
	if err := checkCABundle(cfg.CABundle); err != nil {
		return cfg, usagef("write --ca-bundle FILE: certificates in PEM", "--ca-bundle %s: %v", cfg.CABundle, err)
	}
	for _, endpoint := range cfg.Endpoints {
		if err := store.CheckEndpoint(endpoint); err != nil {
			return cfg, usagef("write --endpoint-url https://HOST[:PORT]", "%v", err)
		}
	}
	if cfg.Anonymous && cfg.RequestPayer {
		return cfg, usagef("leave one of them out", "--request-payer needs somebody to bill, and --no-sign-request names nobody")
	}
	return cfg, nil
}

// checkCABundle says what is wrong with a file of certificate authorities, where one is named. The SDK does not say which
// of its sources was wrong.
func checkCABundle(name string) error {
	if name == "" {
		return nil
	}
	pem, err := os.ReadFile(name)
	if err != nil {
		return bareError(err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return errors.New("there is no certificate in it")
	}
	return nil
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
			return usagef("name a file that --errors has written", "--retry-from %s: %v", name, bareError(err))
		}
	}
	opened, err := store.Open(ctx, job.store)
	if err != nil {
		return usagef("see --profile, --region, the AWS_ variables and ~/.aws/config", "%v", err)
	}
	defer opened.Close()
	if opened.Unordered() && job.scan.Range != (list.Range{}) {
		return usagef("scan the whole bucket", "a directory bucket has no order in which --start-after and --end-at mean something")
	}
	if err := opened.Unusual(); err != nil && job.scan.Engine == head.DirectName {
		return usagef("leave --engine out, or give --engine sdk", "the direct engine cannot reach this bucket: %v", err)
	}
	if opened.Unordered() && job.scan.Ordered {
		return usagef("leave --ordered out", "a directory bucket has no order of keys")
	}
	if opened.Unordered() && job.names.checkpoint != "" {
		return usagef("leave --checkpoint out", "a directory bucket has no order in which a run could be gone on with")
	}
	if job.dry != nil {
		return job.runDry(ctx, voice, opened, stdout, stderr)
	}
	files, err := openFiles(&job.names, stdout, stderr)
	if err != nil {
		return err
	}
	checkpoint, from, err := openCheckpoint(job, opened.URLs(), files)
	if err != nil {
		_ = files.close() // nothing was written
		return err
	}
	failures := newFailures(files.errors)

	job.scan.Store, job.scan.Log = opened, voice.log
	var records io.Writer = stdout
	if files.output != nil {
		records = files.output
	}
	job.scan.Sink = output.NewLines(records, job.fields)
	job.scan.Failed = failures.add
	job.scan.TriesMax = opened.AttemptsMax()
	if checkpoint != nil {
		job.scan.Keep, job.scan.From = checkpoint.keep, from
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

	if exitCode(err) != exitPipe { // who closed the pipe has seen enough
		voice.failures(failures.first, failures.more())
		voice.account(&stats)
		if checkpoint != nil && !stats.Complete {
			voice.resumable(checkpoint.name)
		}
	}
	err = firstError(err, files.end(&stats))
	if err == nil && stats.Failed > 0 {
		err = &objectsFailed{count: stats.Failed, hint: failures.hint()}
	}
	return err
}
