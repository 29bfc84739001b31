package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"

	"headcount/output"
	"headcount/output/console"
	"headcount/output/fileset"
	"headcount/output/report"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/field"
	"headcount/scan/forecast"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/store"
)

// job is a command line of scan, parsed and checked.
type job struct {
	demo   bool
	store  store.Config
	scan   scan.Config
	fields []field.Field
	names  fileset.Names
	resume bool

	dryRun bool
	price  *forecast.Price // of a dry run; nil: AWS's prices
}

// run scans, or estimates the scan for --dry-run.
func (j *job) run(ctx context.Context, reporter *report.Reporter, stdout, stderr io.Writer) error {
	if j.demo {
		demo, err := startDemo()
		if err != nil {
			return err
		}
		defer demo.Close()
		j.store.Endpoints, j.store.Isolated = []string{demo.url}, true
	}
	if name := j.names.RetryFrom; name != "" {
		var err error
		if j.scan.Keys, err = readKeys(name, j.scan.Prefix); err != nil {
			return exit.Usagef("name a file that --errors has written",
				"--retry-from %s: %v", name, exit.WithoutPath(err))
		}
	}
	opened, err := command.OpenStore(ctx, j.store)
	if err != nil {
		return err
	}
	defer opened.Close()
	if err := j.checkSupported(opened); err != nil {
		return err
	}
	if j.dryRun {
		return j.estimate(ctx, reporter, opened, stdout, stderr)
	}
	return j.scanStore(ctx, reporter, opened, stdout, stderr)
}

// scanStore scans the opened store.
func (j *job) scanStore(
	ctx context.Context, reporter *report.Reporter, opened *store.Store, stdout, stderr io.Writer,
) error {
	files, err := fileset.Open(&j.names, stdout, stderr)
	if err != nil {
		return err
	}
	defer files.Close()
	failures := fileset.NewFailures(files.Errors)
	records := output.Stream(stdout)
	if files.Output != nil {
		records = files.Output
	}
	j.scan.Sink, j.scan.Failures = output.NewJSONLines(records, j.fields), failures
	j.scan.Store, j.scan.Log, j.scan.MaxAttempts = opened, reporter.Log, opened.MaxAttempts()
	s, err := j.prepare(reporter, files)
	if err != nil {
		return err
	}
	stopProgress := reporter.StartProgress(s.Progress)
	stats, err := s.Run(ctx)
	stopProgress()

	if exit.Code(err) != exit.Pipe { // a reader that closed the pipe wants no summary
		reporter.PrintFailures(failures.First(), failures.More())
		reporter.PrintSummary(&stats)
		if j.names.Checkpoint != "" && !stats.Complete {
			reporter.PrintResumeHint(j.names.Checkpoint)
		}
	}
	err = cmp.Or(err, files.WriteStats(&stats))
	if err == nil && stats.Failed > 0 {
		err = exit.Errorf(exit.Failures, failures.Hint(), "%s failed", console.Count(stats.Failed, "object", "objects"))
	}
	return err
}

// prepare makes the scan, with its checkpoint. It changes the files last, after everything that can refuse the run.
func (j *job) prepare(reporter *report.Reporter, files *fileset.Set) (*scan.Scan, error) {
	file, earlier, err := j.openCheckpoint(j.scan.Store.EndpointURLs(), files)
	if err != nil {
		return nil, err
	}
	if file != nil {
		j.scan.OnCheckpoint, j.scan.Resume = file.Save, earlier
		j.logCheckpoint(reporter, earlier)
	}
	s, err := scan.New(j.scan)
	if err != nil {
		return nil, err
	}
	if file != nil && earlier == nil {
		if err := file.SaveInitial(j.scan.Range); err != nil {
			return nil, err
		}
	}
	return s, files.Truncate(earlier)
}

// estimate prints a forecast of the scan, and makes no records.
func (j *job) estimate(
	ctx context.Context, reporter *report.Reporter, opened *store.Store, stdout, stderr io.Writer,
) error {
	files, err := fileset.Open(&j.names, stdout, stderr)
	if err != nil {
		return err
	}
	defer files.Close()
	j.scan.Store, j.scan.Log, j.scan.MaxAttempts = opened, reporter.Log, opened.MaxAttempts()
	stats, err := forecast.Run(ctx, forecast.Config{
		Scan: j.scan, Price: j.price, StartProgress: reporter.StartListProgress,
	})
	if err == nil {
		err = report.WriteForecast(stdout, stats.DryRun)
	}
	if exit.Code(err) != exit.Pipe { // a reader that closed the pipe wants no summary
		reporter.PrintForecastSummary(stats)
	}
	return cmp.Or(err, files.WriteStats(stats))
}

// openCheckpoint opens the checkpoint of the job, if it has one. It returns the Checkpoint of the earlier run that the
// job continues, or nil.
func (j *job) openCheckpoint(urls []string, files *fileset.Set) (*checkpoint.File, *checkpoint.Checkpoint, error) {
	if j.names.Checkpoint == "" {
		return nil, nil, nil
	}
	return checkpoint.Open(j.names.Checkpoint, j.resume, j.parameters(urls), files.CheckpointFiles())
}

// logCheckpoint logs how far the earlier run came, and how records on standard output differ from those in a file.
func (j *job) logCheckpoint(reporter *report.Reporter, earlier *checkpoint.Checkpoint) {
	if earlier != nil {
		reporter.LogResume(j.names.Checkpoint, earlier.Stats.Listed, earlier.Stats.Runs)
	}
	if j.names.Output == "" {
		reporter.LogRepeats()
	}
}

// parameters returns the parameters that the records of the job depend on.
func (j *job) parameters(urls []string) map[string]string {
	p := map[string]string{
		"bucket": j.store.Bucket, "prefix": j.scan.Prefix,
		"start-after": j.scan.Range.After, "end-at": j.scan.Range.Through,
		"all": fmt.Sprint(j.scan.All), "output": "standard output", checkpoint.Endpoints: strings.Join(urls, " "),
	}
	p["fields"] = strings.Join(field.Names(j.fields), ",")
	if j.demo {
		p[checkpoint.Endpoints] = "demo" // its port is another one in each run
	}
	if j.names.Output != "" {
		p["output"] = "file " + output.Compression(j.names.Output)
	}
	if j.names.Errors != "" {
		p["errors"] = "file " + output.Compression(j.names.Errors)
	}
	if j.scan.Limit > 0 {
		p["limit"] = fmt.Sprint(j.scan.Limit)
	}
	if j.scan.Keys != nil {
		p["retry-from"] = j.scan.Keys.Hash()
	}
	return p
}

// checkSupported returns a usage error about a flag that this kind of bucket does not support.
func (j *job) checkSupported(opened *store.Store) error {
	if err := opened.DirectUnsupported(); err != nil && j.scan.Engine == engine.Direct {
		return exit.Usagef("leave --engine out, or give --engine sdk",
			"the direct engine cannot reach this bucket: %v", err)
	}
	if !opened.Unordered() {
		return nil
	}
	for _, flag := range []struct {
		given      bool
		name, hint string
	}{
		{j.scan.Range != (list.Range{}), "--start-after and --end-at", "scan the whole bucket"},
		{j.scan.Ordered, "--ordered", "leave --ordered out"},
		{j.names.Checkpoint != "", "--checkpoint", "leave --checkpoint out"},
	} {
		if flag.given {
			return exit.Usagef(flag.hint, "a directory bucket has no order of keys for %s", flag.name)
		}
	}
	return nil
}

// readKeys reads the failed objects of an earlier run from its file of --errors.
func readKeys(name, prefix string) (*list.Keys, error) {
	f, err := output.OpenToRead(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := output.ReadFailureLines(f)
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
