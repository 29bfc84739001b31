package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/output/fileset"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/field"
	"headcount/scan/filter"
	"headcount/scan/forecast"
	"headcount/scan/head"
	"headcount/scan/head/engine"
	"headcount/scan/list"
)

// parse reads the command line of scan or list, and checks its flags against each other. The flags that list does not
// have keep their zero values.
func parse(c *cli.Context) (*job, error) {
	j := &job{command: c.Command.Name, demo: c.Bool("demo"), resume: c.Bool("resume")}
	j.scan.NoHeads = j.command == listName
	if err := checkCombinations(c); err != nil {
		return nil, err
	}
	bucket, prefix, err := parseBucket(c)
	if err != nil {
		return nil, err
	}
	j.scan.Prefix = prefix
	for _, parsePart := range []func(*cli.Context, *job) error{
		parseKeys, parseSpeed, parseFiles, parseKeyFiles, parseInventory, parseSafety, parsePrint, parseAsked,
	} {
		if err := parsePart(c, j); err != nil {
			return nil, err
		}
	}
	j.options.Bucket = bucket
	if j.explain {
		return j, nil
	}
	j.store, err = command.ParseStore(c, bucket, j.connections())
	return j, err
}

// connections returns how many requests are in flight at most.
func (j *job) connections() int {
	n, auto, most := j.scan.Workers, scan.WorkersAuto, scan.WorkersAutoMax
	if j.scan.NoHeads {
		n, auto, most = j.scan.Listers, scan.ListersAuto, scan.ListersAutoMax
	}
	if n == auto {
		return most
	}
	return n
}

// parseBucket reads the argument.
func parseBucket(c *cli.Context) (bucket, prefix string, err error) {
	switch {
	case c.Bool("demo"):
		return demoBucket, "", nil
	case c.Bool("explain") && c.NArg() == 0: // it opens none
		return "", "", nil
	case c.NArg() == 0:
		return "", "", exit.Usagef(command.URIHint+"; or try: headcount "+c.Command.Name+" --demo", "no bucket is named")
	case c.NArg() > 1:
		return "", "", exit.Usagef("run headcount once for each", "%d buckets are named", c.NArg())
	}
	return command.ParseURI(c.Args().First())
}

// parseKeys reads which keys are scanned.
func parseKeys(c *cli.Context, j *job) error {
	cfg := &j.scan
	cfg.Range = list.Range{After: c.String("start-after"), Through: c.String("end-at")}
	cfg.Delimiter, cfg.Versions = c.String("delimiter"), c.Bool("all-versions")
	cfg.Limit, cfg.ListV1 = command.Get[int64](c, "limit"), c.Bool("list-objects-v1")
	cfg.ListOrder = map[string]list.Order{"any": list.OrderAny}[command.Get[string](c, "list-order")]
	if rng := cfg.Range; rng.Through != "" && rng.Through <= rng.After {
		return exit.Usagef("keys are compared as bytes", "no key lies after %q and up to %q", rng.After, rng.Through)
	}
	return nil
}

// parseSpeed reads how many requests are sent, and how.
func parseSpeed(c *cli.Context, j *job) error {
	cfg := &j.scan
	cfg.Workers, cfg.Listers = command.Get[int](c, "workers"), command.Get[int](c, "listers")
	cfg.Pipeline, cfg.Rate = command.Get[int](c, "pipeline"), command.Get[float64](c, "rate")
	cfg.Timeout, cfg.RetryFor = command.Get[time.Duration](c, "timeout"), command.Get[time.Duration](c, "retry-for")
	cfg.Engine = command.Get[string](c, "engine")
	return nil
}

func parseFiles(c *cli.Context, j *job) error {
	j.names = fileset.Names{
		Output:     command.Get[string](c, "output"),
		Errors:     command.Get[string](c, "errors"),
		Missing:    command.Get[string](c, "missing"),
		Stats:      command.Get[string](c, "stats"),
		Checkpoint: command.Get[string](c, "checkpoint"),
		RetryFrom:  command.Get[string](c, "retry-from"),
		CABundle:   command.Get[string](c, "ca-bundle"),
	}
	return nil
}

// parseSafety reads the flags about dry runs, failures and checkpoints.
func parseSafety(c *cli.Context, j *job) error {
	j.scan.MaxFailures = command.Get[int64](c, "max-errors")
	j.scan.CheckpointEvery = command.Get[time.Duration](c, "checkpoint-every")
	j.scan.VerifyListing = c.Bool("verify-listing")
	j.dryRun, j.price = c.Bool("dry-run"), command.Get[*forecast.Price](c, "price")
	return nil
}

// parsePrint reads what is printed of each object.
func parsePrint(c *cli.Context, j *job) error {
	cfg := &j.scan
	cfg.All, cfg.Ordered = c.Bool("all"), c.Bool("ordered")
	cfg.MetadataPrefix = command.Get[string](c, "metadata-prefix")
	if err := parseFormat(c, j); err != nil {
		return err
	}
	if err := parseFilter(c, j); err != nil {
		return err
	}
	needHead := slices.DeleteFunc(j.needHead(), func(f field.Field) bool { return f.Name == field.Metadata })
	if cfg.Engine == engine.List && len(needHead) > 0 {
		return exit.Usagef("leave --engine out, or read key,metadata,size,etag,last_modified,storage_class alone",
			"--engine list cannot read %s, which no listing has", strings.Join(field.Names(needHead), ", "))
	}
	return nil
}

// parseFilter reads which objects are printed, and decides whether that, and what is printed, needs HEADs.
func parseFilter(c *cli.Context, j *job) error {
	j.explain = c.Bool("explain")
	j.filter = command.Get[*filter.Filter](c, "filter")
	for _, flag := range headFlags() {
		if c.IsSet(flag) {
			j.headFlags = append(j.headFlags, "--"+flag)
		}
	}
	if c.IsSet("fields") {
		j.chosen = c.Generic("fields").(fmt.Stringer).String()
	}
	if err := j.checkVersionFields(); err != nil {
		return err
	}
	return j.planHeads()
}

// planHeads decides whether what is printed, and the filter, need HEADs: by the Fields that the source has without.
func (j *job) planHeads() error {
	cfg := &j.scan
	if j.filter != nil {
		if j.known != nil {
			j.filter.ReadFrom(j.known)
		}
		cfg.Filter = j.filter.Scan()
		if j.asksAll() { // what is known of the objects may have changed
			cfg.Filter.Listed = nil
		}
	}
	needHead := j.needHead()
	if unsaid := field.Names(j.neverSaid()); len(unsaid) > 0 {
		return exit.Usagef("headcount list s3://BUCKET asks the store for what only a LIST says",
			"neither %s nor a HEAD has %s", j.namedBy(), strings.Join(unsaid, ", "))
	}
	switch {
	case j.command != listName:
		cfg.NoHeads = len(needHead) == 0 && (cfg.All || j.filter != nil) && !j.asksAll() &&
			cfg.Engine != engine.List
	case len(needHead) > 0:
		return j.unlistedError(field.Names(needHead))
	}
	cfg.Counted, cfg.ListDetails = nil, false
	for _, f := range j.read() {
		needsHead := slices.Contains(field.Names(needHead), f.Name)
		mayLack := needsHead || f.Ask != field.AskNothing || j.asksAll() && f.Name != field.Key // a LIST says the others
		if f.Name != field.Metadata && !f.Zero && mayLack {
			cfg.Counted = append(cfg.Counted, scan.Presence{Name: f.Name, Has: f.Has})
		}
		cfg.ListDetails = cfg.ListDetails || f.Ask == field.AskDetails && !needsHead
	}
	for _, text := range j.namedTexts() {
		cfg.Counted = append(cfg.Counted, scan.Presence{Name: text.String(), Has: text.Has})
	}
	return nil
}

// namedTexts returns the texts of metadata, and of other Maps, that --columns and --filter name, each once.
func (j *job) namedTexts() (texts []field.NamedText) {
	metadata, _ := field.Parse(field.Metadata) // there is this Field
	for _, name := range j.options.Columns {
		texts = append(texts, field.NamedText{Map: metadata[0], Name: strings.ToLower(name)})
	}
	if j.filter != nil {
		texts = append(texts, j.filter.Texts()...)
	}
	return field.SortTexts(texts)
}

// needHead returns the Fields that are read and that the source has not without a HEAD, each once.
func (j *job) needHead() []field.Field {
	read := j.read()
	if j.scan.Versions && j.known == nil { // the LIST has their IDs
		read = slices.DeleteFunc(read, func(f field.Field) bool { return f.Name == field.VersionID })
	}
	switch {
	case j.known != nil:
		return slices.DeleteFunc(read, func(f field.Field) bool { return slices.Contains(j.known, f.Name) })
	case j.command == listName:
		return slices.DeleteFunc(read, func(f field.Field) bool { return f.InLists() })
	}
	return field.NeedHead(read)
}

// neverSaid returns the Fields that scan reads, and that neither the file that names the objects nor a HEAD has.
func (j *job) neverSaid() []field.Field {
	if j.command == listName || j.namedBy() == "" {
		return nil
	}
	return slices.DeleteFunc(j.read(), func(f field.Field) bool {
		onlyListed := f.Origin == field.FromList && f.Ask == field.AskDetails && f.Header == ""
		return !onlyListed || slices.Contains(j.known, f.Name)
	})
}

// read returns the Fields that the output or the filter reads, each once. Those that list prints by default are only
// printed where the source has them.
func (j *job) read() []field.Field {
	read := slices.Clone(j.fields)
	if j.command == listName && j.known != nil && (j.chosen == "" || j.chosen == allFields) {
		read = nil
	}
	if j.filter != nil {
		for _, f := range j.filter.Fields() {
			if !slices.Contains(field.Names(read), f.Name) {
				read = append(read, f)
			}
		}
	}
	return read
}

// allFields is the value of --fields for all of them.
const allFields = "all"

func parseMetadataPrefix(text string) (string, error) {
	prefix, err := head.ParseMetadataPrefix(text)
	if err != nil {
		return "", command.BadValue("--metadata-prefix x-goog-meta-", err.Error())
	}
	return prefix, nil
}

func parseFields(text string) ([]field.Field, error) {
	const hint = "--fields key,metadata,size"
	if names := strings.Split(text, ","); len(names) > 1 && slices.Contains(names, "all") {
		return nil, command.BadValue("--fields all", "all is every field, and cannot be combined with others")
	}
	fields, err := field.Parse(text)
	if err != nil {
		return nil, command.BadValue(cmp.Or(exit.Hint(err), hint), err.Error())
	}
	return fields, nil
}

func parsePrice(text string) (*forecast.Price, error) {
	price, err := forecast.ParsePrice(text)
	if err != nil {
		return nil, command.BadValue("--price LIST,HEAD in US dollars per 1,000 requests, as 0.005,0.0004", err.Error())
	}
	return price, nil
}
