package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"headcount/output"
	"headcount/output/console"
	"headcount/output/fileset"
	"headcount/output/report"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/field"
	"headcount/scan/filter"
	"headcount/scan/forecast"
	"headcount/scan/head/engine"
	"headcount/scan/hint"
	"headcount/scan/list"
	"headcount/scan/list/keylist"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

// job is a command line of scan or list, parsed and checked.
type job struct {
	command string
	demo    bool
	store   store.Config
	scan    scan.Config
	fields  []field.Field // that are printed
	names   fileset.Names
	resume  bool
	filter  *filter.Filter // nil: there is none
	explain bool
	headers []string // of --header

	inventory struct {
		name    string // of the manifest; empty: there is none
		created time.Time
	}
	known     []string       // the Fields that the source has without a HEAD; nil: those of a LIST
	chosen    string         // the value of --fields; empty: there is none
	headFlags []string       // flags about HEADs that are given
	keys      keylist.Config // of the file that names the keys, if there is one
	prefixes  keylist.Config // of the file that names the prefixes, if there is one

	format  output.Format
	options output.Options

	dryRun bool
	price  *forecast.Price // of a dry run; nil: AWS's prices
}

// run scans, or estimates the scan for --dry-run.
func (j *job) run(ctx context.Context, reporter *report.Reporter, stdout, stderr io.Writer) error {
	if err := j.names.Check(stdout, stderr); err != nil {
		return err
	}
	if err := checkBinary(&j.format, &j.names, console.IsTerminal(stdout) && !j.dryRun); err != nil {
		return err
	}
	if j.demo {
		demo, err := startDemo()
		if err != nil {
			return err
		}
		defer demo.Close()
		j.store.Endpoints, j.store.Isolated = []string{demo.url}, true
	}
	if name := j.names.RetryFrom; name != "" {
		keys, err := readKeys(ctx, name, j.scan.Prefix)
		if err != nil {
			return err
		}
		defer keys.Close()
		j.scan.Keys = keys
	}
	if j.inventory.name != "" {
		done, err := j.openInventory(ctx, reporter)
		if err != nil {
			return err
		}
		defer done()
	}
	if err := j.readPrefixes(ctx, reporter); err != nil {
		return err
	}
	if j.keys.Open != nil {
		keys := keylist.New(j.keys)
		defer keys.Close()
		j.scan.Keys = keys
	}
	opened, err := command.OpenStore(ctx, j.store)
	if err != nil {
		return err
	}
	defer opened.Close()
	if err := cmp.Or(j.checkSupported(opened), j.checkCustomerKey(opened.EndpointURLs())); err != nil {
		return err
	}
	if sendsNothing := j.scan.Keys != nil && j.scan.NoHeads; !sendsNothing {
		if err := opened.FetchCredentials(ctx); err != nil {
			return err
		}
	}
	if j.dryRun {
		return j.estimate(ctx, reporter, opened, stdout)
	}
	return j.scanStore(ctx, reporter, opened, stdout)
}

// scanStore scans the opened store.
func (j *job) scanStore(
	ctx context.Context, reporter *report.Reporter, opened *store.Store, stdout io.Writer,
) error {
	files, err := fileset.Open(ctx, &j.names)
	if err != nil {
		return err
	}
	defer files.Close()
	failures := fileset.NewFailures(files.Errors)
	records := output.Stream(ctx, stdout)
	if files.Output != nil {
		records = files.Output
	}
	sink, err := j.format.New(records, &j.options)
	if err != nil {
		return err
	}
	j.scan.Sink, j.scan.Failures = sink, failures
	if files.Missing != nil {
		j.scan.Missing = output.NewFailureLines(files.Missing)
	}
	j.scan.Store, j.scan.Log, j.scan.MaxAttempts = opened, reporter.Log, opened.MaxAttempts()
	j.logNoEffect(reporter)
	file, err := j.openCheckpoint(reporter, files, sink)
	if err != nil {
		return err
	}
	defer file.Close()
	if j.format.Headed && j.scan.Resume == nil && !records.Empty() {
		return exit.Usagef("write to a new file", "%s cannot be appended to the content of standard output", j.format.Name)
	}
	s, err := scan.New(j.scan)
	if err != nil {
		return err
	}
	defer j.limitHeap()()
	startProgress := reporter.StartProgress
	if j.scan.NoHeads {
		startProgress = reporter.StartListProgress
	}
	stopProgress := startProgress(s.Progress)
	stats, err := s.Run(ctx)
	stopProgress()
	stats.Inventory = j.inventoryStats()

	err = writeStats(files, &stats, &stats, err)
	if exit.Code(err) != exit.Pipe { // a reader that closed the pipe wants no summary
		reporter.PrintFailures(failures.First(), failures.More())
		reporter.PrintSummary(&stats)
		j.reportNoKeys(reporter, &stats)
		if empty := s.EmptyPrefixes(&stats); len(empty) > 0 {
			reporter.PrintEmptyPrefixes(empty, hint.ForEmptyPrefix(j.store.Bucket, empty[0]))
		}
		if file.Resumable() && !stats.Complete {
			reporter.PrintResumeHint(j.names.Checkpoint)
		}
	}
	if tooMany := (*scan.FailuresError)(nil); errors.As(err, &tooMany) {
		return exit.Errorf(exit.Code(err), failures.Hint()+"; "+tooMany.Hint(), "%v", err)
	}
	if err != nil {
		return err
	}
	return j.completeError(&stats, failures)
}

// completeError returns the error of a run that is complete, and not good: objects failed, or nothing of what an
// earlier run has named exists.
func (j *job) completeError(stats *metrics.Stats, failures *fileset.Failures) error {
	switch {
	case stats.Failed > 0:
		whereNamed := failures.Hint()
		hint := whereNamed
		// Objects of --retry-from are those that were refused before, while others were not.
		if refused := scan.HintIfAllRefused(stats); refused != "" && j.names.RetryFrom == "" {
			hint = refused + "; " + whereNamed
		}
		if refused := j.hintIfAskedRefused(stats, failures.BadVersion()); refused != "" {
			hint = refused + "; " + whereNamed
		}
		return exit.Errorf(exit.Failures, hint, "%s failed", console.Count(stats.Failed, "object", "objects"))
	case j.scan.Keys != nil && stats.Listed > 0 && stats.Gone == stats.Listed:
		return j.nothingFoundError(stats.Listed)
	}
	return nil
}

// nothingFoundError returns the error of a run that finds none of the named objects.
func (j *job) nothingFoundError(named int64) error {
	hint := "if its objects were deleted since, nothing is left to do"
	switch j.namedBy() {
	case "--retry-from":
		hint = "was the file written by a scan of this bucket? " + hint
	case "--inventory":
		hint = "is this endpoint the one of the inventory's bucket? " + hint
	default:
		hint = "is this their bucket? a key begins with neither s3:// nor the name of the bucket, and is not URL-encoded"
		if file, ok := j.scan.Keys.(*keylist.File); ok {
			hint = cmp.Or(file.HintIfNoneFound(), hint)
		}
	}
	return exit.Errorf(exit.Failures, hint, "s3://%s has none of the %s of %s",
		j.store.Bucket, console.Count(named, "object", "objects"), j.namedBy())
}

// openCheckpoint opens the checkpoint of the job, if it has one, and the Checkpoint of the earlier run that the job
// continues. It sets what the scan does when it begins: until then, all files keep what an earlier run has written.
func (j *job) openCheckpoint(
	reporter *report.Reporter, files *fileset.Set, sink output.Sink,
) (*checkpoint.File, error) {
	begin := func(earlier *checkpoint.Checkpoint) error {
		if err := files.Truncate(earlier); err != nil {
			return err
		}
		return scan.WrapOutput(sink.Start())
	}
	if j.names.Checkpoint == "" {
		j.scan.Begin = func() error { return begin(nil) }
		return nil, nil
	}
	file, earlier, err := checkpoint.Open(
		j.names.Checkpoint, j.resume, j.parameters(j.scan.Store.EndpointURLs()), files.CheckpointFiles())
	if err != nil {
		return nil, err
	}
	j.scan.OnCheckpoint, j.scan.Resume = file.Save, earlier
	j.scan.Begin = func() error {
		if earlier == nil { // no later run may resume from the checkpoint of the files that are truncated now
			if err := file.SaveInitial(j.scan.FirstRanges()); err != nil {
				return &scan.OutputError{What: "checkpoint", Err: err}
			}
		}
		return begin(earlier)
	}
	j.logCheckpoint(reporter, earlier)
	return file, nil
}

// estimate prints a forecast of the scan, and makes no records. Of the files it opens that of --stats alone.
func (j *job) estimate(
	ctx context.Context, reporter *report.Reporter, opened *store.Store, stdout io.Writer,
) error {
	files, err := fileset.Open(ctx, &fileset.Names{Stats: j.names.Stats})
	if err != nil {
		return err
	}
	defer files.Close()
	j.scan.Store, j.scan.Log, j.scan.MaxAttempts = opened, reporter.Log, opened.MaxAttempts()
	j.logNoEffect(reporter)
	stats, err := forecast.Run(ctx, forecast.Config{
		Scan: j.scan, Price: j.price, StartProgress: reporter.StartListProgress,
	})
	if err == nil {
		printed := output.Stream(ctx, stdout)
		err = cmp.Or(report.WriteForecast(printed, stats.DryRun), scan.WrapOutput(printed.Close()))
	}
	err = writeStats(files, stats.Stats, stats, err)
	if exit.Code(err) != exit.Pipe { // a reader that closed the pipe wants no summary
		reporter.PrintForecastSummary(stats)
		j.reportNoKeys(reporter, stats.Stats)
	}
	return err
}

// reportNoKeys reports a run that is complete and has listed nothing, since its prefix is the beginning of no key.
func (j *job) reportNoKeys(reporter *report.Reporter, stats *metrics.Stats) {
	isWhole := j.scan.Keys == nil && j.scan.Prefixes == nil && j.scan.Range == (list.Range{})
	if stats.Complete && stats.Listed == 0 && j.scan.Prefix != "" && isWhole {
		reporter.PrintNoKeys(j.scan.Prefix, hint.ForEmptyPrefix(j.store.Bucket, j.scan.Prefix))
	}
}

// writeStats writes the statistics of a run that ended with err, and returns the error of the run. The run is complete
// only when the last of its files is written.
func writeStats(files *fileset.Set, stats *metrics.Stats, text any, err error) error {
	if stats.Complete = err == nil; err != nil {
		stats.Error = err.Error()
	}
	err = cmp.Or(err, files.WriteStats(text))
	stats.Complete = err == nil
	return err
}

// logCheckpoint logs how far the earlier run came, and how records on standard output differ from those in a file.
func (j *job) logCheckpoint(reporter *report.Reporter, earlier *checkpoint.Checkpoint) {
	if earlier != nil {
		reporter.LogResume(j.names.Checkpoint, earlier.Stats.Listed, earlier.Stats.Runs)
		if j.keys.Open != nil && len(earlier.Rest) == 0 { // no Range holds the end of the file
			reporter.Log.Warn("the run was complete: keys that were added to the file since are not read")
		}
	}
	if j.names.Output == "" {
		reporter.LogRepeats()
	}
}

// logNoEffect warns of flags that have no effect.
func (j *job) logNoEffect(reporter *report.Reporter) {
	if j.scan.NoHeads && len(j.headFlags) > 0 {
		reporter.Log.Warn("no HEAD is needed: some flags have no effect", "flags", strings.Join(j.headFlags, " "))
	}
}

// parameters returns the parameters that the records of the job depend on.
func (j *job) parameters(urls []string) map[string]string {
	p := map[string]string{
		checkpoint.Command: j.command, "bucket": j.store.Bucket, "prefix": j.scan.Prefix,
		"start-after": j.scan.Range.After, "end-at": j.scan.Range.Through,
		"all": fmt.Sprint(j.scan.All), "output": "standard output", checkpoint.Endpoints: strings.Join(urls, " "),
	}
	if j.filter != nil {
		p["filter"] = j.filter.Whole()
	}
	p["fields"] = strings.Join(field.Names(j.fields), ",")
	if j.format.Name != output.Formats()[0].Name {
		p["format"] = j.format.Name
	}
	if j.headers != nil {
		p["header"] = strings.Join(j.headers, ",")
	}
	if j.options.Columns != nil {
		p["columns"] = strings.Join(j.options.Columns, ",")
	}
	for flag, given := range map[string]bool{
		"csv-safe": j.options.Safe, "null": j.options.Null, "all-versions": j.scan.Versions, "ordered": j.scan.Ordered,
	} {
		if given {
			p[flag] = fmt.Sprint(given)
		}
	}
	if j.demo {
		p[checkpoint.Endpoints] = "demo" // its port is another one in each run
	}
	if j.names.Output != "" {
		p["output"] = "file " + output.Compression(j.names.Output)
	}
	if j.names.Errors != "" {
		p["errors"] = "file " + output.Compression(j.names.Errors)
	}
	if j.names.Missing != "" {
		p["missing"] = "file " + output.Compression(j.names.Missing)
	}
	if j.scan.MetadataPrefix != "" {
		p["metadata-prefix"] = j.scan.MetadataPrefix
	}
	if j.scan.Delimiter != "" {
		p["delimiter"] = j.scan.Delimiter
	}
	if j.scan.Limit > 0 {
		p["limit"] = fmt.Sprint(j.scan.Limit)
	}
	if j.scan.ListOrder == list.OrderAny { // the rest of the run is a token of this version of the request
		p["list-order"] = "any"
		if j.scan.ListV1 {
			p["list-order"] = "any, of --list-objects-v1"
		}
	}
	if j.scan.Prefixes != nil {
		p["prefixes"] = prefixesHash(j.scan.Prefixes)
	}
	if flag := j.namedBy(); flag != "" {
		p[strings.TrimPrefix(flag, "--")] = j.scan.Keys.Hash()
	}
	return p
}

// checkSupported returns a usage error about a flag that this kind of bucket does not support.
func (j *job) checkSupported(opened *store.Store) error {
	if err := opened.DirectUnsupported(); err != nil && j.scan.Engine == engine.Direct {
		return exit.Usagef("leave --engine out, or give --engine sdk",
			"the direct engine cannot reach this bucket: %v", err)
	}
	if opened.Unordered() {
		j.scan.ListOrder = list.OrderAny
		return j.checkOrder("a directory bucket")
	}
	return j.checkOrder("--list-order any")
}

// checkOrder returns a usage error about a flag that needs keys in order, where what has none.
func (j *job) checkOrder(what string) error {
	if j.scan.ListOrder != list.OrderAny {
		return nil
	}
	for _, flag := range []struct {
		given      bool
		name, hint string
	}{
		{j.scan.Range.After != "", "--start-after", "scan the whole bucket"},
		{j.scan.Range.Through != "", "--end-at", "scan the whole bucket"},
		{len(j.scan.Prefixes) > 0, "--prefixes", "scan one prefix after the other"},
		{j.scan.Versions, "--all-versions", "leave --all-versions out: it lists versions in the order of keys"},
		{j.scan.Ordered, "--ordered", "leave --ordered out: the records are in the order of the listing"},
		{j.scan.Listers > 1, "--listers", "leave --listers out: one lister follows the continuation tokens"},
	} {
		if flag.given {
			return exit.Usagef(flag.hint, "%s has no order of keys for %s", what, flag.name)
		}
	}
	return nil
}
