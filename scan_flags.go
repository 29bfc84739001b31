package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/output"
	"headcount/scan"
	"headcount/scan/exit"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/store"
)

// parseScan checks the flags of scan against each other.
func parseScan(c *cli.Context) (*scanJob, error) {
	job := &scanJob{demo: c.Bool("demo"), resume: c.Bool("resume")}
	bucket, prefix, err := parseBucket(c)
	if err != nil {
		return nil, err
	}
	job.scan.Prefix = prefix
	for _, parse := range []func(*cli.Context, *scanJob) error{parseKeys, parseSpeed, parseSafety, parsePrint} {
		if err := parse(c, job); err != nil {
			return nil, err
		}
	}
	if job.dry, err = parseDryRun(c); err != nil {
		return nil, err
	}
	job.store, err = parseStore(c, bucket, job.scan.Workers)
	return job, err
}

// parseBucket reads what is scanned.
func parseBucket(c *cli.Context) (bucket, prefix string, err error) {
	switch {
	case c.Bool("demo") && c.NArg() > 0:
		return "", "", exit.Usagef("leave one of them out", "--demo scans an embedded store, and %s is another", c.Args().First())
	case c.Bool("demo"):
		for _, flag := range []string{"endpoint-url", "profile", "region", "ca-bundle", "no-verify-ssl", "addressing", "request-payer"} {
			if c.IsSet(flag) {
				return "", "", exit.Usagef("leave one of them out", "--demo needs no connection, and --%s is about one", flag)
			}
		}
		return demoBucket, "", nil
	case c.NArg() == 0:
		return "", "", exit.Usagef(uriHint+"; or try: headcount scan --demo", "no bucket is named")
	case c.NArg() > 1:
		return "", "", exit.Usagef("run headcount once for each", "%d buckets are named", c.NArg())
	}
	return parseURI(c.Args().First())
}

// parseKeys reads which of its keys.
func parseKeys(c *cli.Context, job *scanJob) error {
	cfg := &job.scan
	cfg.Range = list.Range{After: c.String("start-after"), Through: c.String("end-at")}
	cfg.Limit, cfg.ListV1 = c.Int64("limit"), c.Bool("list-objects-v1")
	if rng := cfg.Range; rng.Through != "" && rng.Through <= rng.After {
		return exit.Usagef("keys are compared as bytes", "no key lies after %q and up to %q", rng.After, rng.Through)
	}
	if c.IsSet("limit") && cfg.Limit < 1 {
		return exit.Usagef("give a number from 1 on", "--limit %d is out of range", cfg.Limit)
	}
	return nil
}

// parseSpeed reads how fast, and how its HEADs are sent.
func parseSpeed(c *cli.Context, job *scanJob) (err error) {
	cfg := &job.scan
	cfg.Pipeline, cfg.Rate, cfg.Timeout, cfg.RetryFor = c.Int("pipeline"), c.Float64("rate"), c.Duration("timeout"), c.Duration("retry-for")
	if cfg.Workers, err = parseWorkers(c.String("workers")); err != nil {
		return err
	}
	if cfg.Listers, err = parseListers(c.String("listers")); err != nil {
		return err
	}
	for _, flag := range []string{"limit", "retry-from"} {
		if cfg.Listers != scan.ListersAuto && cfg.Listers != 1 && c.IsSet(flag) {
			return exit.Usagef("leave one of them out", "with --%s there is one lister, and --listers %d asks for more", flag, cfg.Listers)
		}
	}
	if c.IsSet("rate") && !(cfg.Rate > 0 && cfg.Rate <= rateMax) { // so that NaN is refused too
		return exit.Usagef(fmt.Sprintf("give a number over 0, and at most %d", rateMax), "--rate %v is out of range", cfg.Rate)
	}
	if cfg.Pipeline < 1 || cfg.Pipeline > pipelineMax {
		return exit.Usagef(fmt.Sprintf("give a number from 1 to %d", pipelineMax), "--pipeline %d is out of range", cfg.Pipeline)
	}
	for _, flag := range []string{"timeout", "retry-for"} {
		if c.Duration(flag) <= 0 {
			return exit.Usagef(durationHint, "--%s must be longer than nothing", flag)
		}
	}
	cfg.Engine, err = parseEngine(c)
	return err
}

// durationHint shows how one is written.
const durationHint = "give a duration as 30s or 15m"

func parseEngine(c *cli.Context) (string, error) {
	const without = "--engine list needs ListObjectsV2 with metadata, and --%s is without"
	engine := c.String("engine")
	switch engine {
	case head.AutoName, head.DirectName:
	case head.ListName:
		switch {
		case c.Bool("list-objects-v1"):
			return "", exit.Usagef("leave one of them out", without, "list-objects-v1")
		case c.IsSet("retry-from"):
			return "", exit.Usagef("leave one of them out", without, "retry-from")
		}
	case head.SDKName:
		if c.Int("pipeline") > 1 {
			return "", exit.Usagef("leave one of them out", "--engine sdk does not pipeline")
		}
	default:
		return "", exit.Usagef("there are auto, direct, sdk and list", "there is no engine %q", engine)
	}
	return engine, nil
}

// parseSafety reads the names of the files, and what is about them.
func parseSafety(c *cli.Context, job *scanJob) (err error) {
	cfg := &job.scan
	cfg.MaxFailures, cfg.CheckpointEvery = c.Int64("max-errors"), c.Duration("checkpoint-every")
	if job.names, err = parseFiles(c); err != nil {
		return err
	}
	switch isKept := job.names.checkpoint != ""; {
	case job.resume && !isKept:
		return exit.Usagef("--checkpoint FILE --resume", "--resume needs to know from where")
	case cfg.CheckpointEvery <= 0:
		return exit.Usagef(durationHint, "--checkpoint-every must be longer than nothing")
	case c.IsSet("checkpoint-every") && !isKept:
		return exit.Usagef("--checkpoint FILE --checkpoint-every 1s", "--checkpoint-every is about a checkpoint, and there is none")
	case c.IsSet("max-errors") && cfg.MaxFailures < 1:
		return exit.Usagef("give a number from 1 on", "--max-errors %d is out of range", cfg.MaxFailures)
	}
	return nil
}

// parsePrint reads what of each object is printed.
func parsePrint(c *cli.Context, job *scanJob) (err error) {
	cfg := &job.scan
	cfg.All, cfg.Ordered = c.Bool("all"), c.Bool("ordered")
	if job.fields, err = parseFields(c.String("fields")); err != nil {
		return err
	}
	if unlisted := output.NeedHead(job.fields); cfg.Engine == head.ListName && len(unlisted) > 0 {
		return exit.Usagef("leave --engine out, or print key,metadata,size,etag,last_modified,storage_class",
			"no listing gives %s, which --engine list would have to leave out", strings.Join(unlisted, ", "))
	}
	return nil
}

// autoValue is what flags are given that find their number by themselves.
const autoValue = "auto"

func parseListers(value string) (int, error) {
	if value == autoValue {
		return scan.ListersAuto, nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > listersMax {
		return 0, exit.Usagef(fmt.Sprintf("give auto, or a number from 1 to %d", listersMax), "--listers %s is out of range", value)
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
		return 0, exit.Usagef(hint, "--workers %s is neither auto nor a whole number", text)
	case err != nil || workers < 1 || workers > workersMax:
		return 0, exit.Usagef(hint, "--workers %s is out of range", text)
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
			return names, exit.Usagef("name a file", "--%s - is no file", flag)
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
		return nil, exit.Usagef("--fields all", "all is every field, and stands alone")
	}
	fields, err := output.ParseFields(value)
	if err != nil {
		return nil, exit.Usagef("--fields key,metadata,size", "%v", err)
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
		return cfg, exit.Usagef("there are auto, path and virtual", "there is no addressing %q", cfg.Addressing)
	}
	if err := checkCABundle(cfg.CABundle); err != nil {
		return cfg, exit.Usagef("write --ca-bundle FILE: certificates in PEM", "--ca-bundle %s: %v", cfg.CABundle, err)
	}
	for _, endpoint := range cfg.Endpoints {
		if err := store.CheckEndpoint(endpoint); err != nil {
			return cfg, exit.Usagef("write --endpoint-url https://HOST[:PORT]", "%v", err)
		}
	}
	if cfg.Anonymous && cfg.RequestPayer {
		return cfg, exit.Usagef("leave one of them out", "--request-payer needs somebody to bill, and --no-sign-request names nobody")
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
