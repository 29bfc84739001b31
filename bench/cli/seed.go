package cli

import (
	"context"

	"github.com/urfave/cli/v2"

	"headcount/bench/s3sim"
	"headcount/bench/seed"
	"headcount/output/console"
	"headcount/output/fileset"
	"headcount/output/report"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
)

const seedDescription = `Puts objects with custom metadata into a bucket, below PREFIX/headcount-seed/ and nowhere else.
Only this command and bench clean, which removes these objects again, write to a bucket.

    headcount bench seed s3://my-bucket
    headcount bench seed --objects 1000000 --workers 256 --shape dated s3://my-bucket/test
    headcount bench seed --metadata large --size 1024 --rate 500 s3://my-bucket
    headcount bench seed --endpoint-url https://flashblade.example.com s3://my-bucket
    headcount bench seed --stats stats.json --no-progress s3://my-bucket
    headcount bench seed --from photos s3://my-bucket/photos

It lists the folder first, and puts only the missing objects, so the same command continues a run that was stopped. It
compares only keys: objects of another --metadata or --size stay as they are, and so do objects of another --shape or
beyond --objects. It lists only once: an object that somebody else puts under a missing key during the run may be
overwritten.

The keys are those of bench serve with the same --shape and --objects. The kinds of --metadata are

    none    only the marker
    small   id, owner
    usual   as bench serve has them: id, owner, and project for every third; one object in ten has none
    large   id and eight more; with the marker 1,700 bytes, near the limit of S3, 2 KB
    mixed   one of those above, chosen by the key

id is the 64-bit FNV-1a hash of the key, in hex, so that every reader of the metadata can be checked. The body repeats
it: from --size 16 on, each object has an ETag of its own. --pipeline of scan and bench head distinguishes answers by
their ETags, and sends the HEADs of objects with the same ETag one at a time. Every object has the marker headcount-seed
in its metadata, with the same hash. bench clean leaves objects without the marker alone.

With --from the objects are the files of a directory and its subdirectories. Their content type follows from the
extension of the name, and their metadata are those that s3fs writes: uid, gid, mode, mtime. Links and other files that
are not regular are left out. Only missing keys are put, so a file that has changed since is not put again.

The rate adapts as in scan: 429 and 503 slow it down. A PUT that fails for a transient reason is sent again, up to 10
times. --retry-for limits the wait for a store that answers nothing. The run stops if the store refuses every PUT: 32
before the first success, or 300 in a row later, as a full store does.

Exit codes: 0 every object is present; 1 fatal; 2 usage; 3 some objects failed; 5 --stats could not be written; 129,
130, 143 stopped.`

func seedCommand() *cli.Command {
	return &cli.Command{
		Name:        "seed",
		Usage:       "put objects with known metadata into a bucket (it writes)",
		ArgsUsage:   "s3://BUCKET[/PREFIX]",
		Description: seedDescription,
		Flags: writeFlags(command.Category("what to put",
			&cli.GenericFlag{Name: "objects", Value: command.Int[int64](objectsDefault, 1, seed.ObjectsMax),
				Usage: "put `N` objects, less those that are present"},
			&cli.GenericFlag{Name: "shape", Value: command.OneOf(s3sim.Flat, seed.Shapes()...),
				Usage: "make keys of the shape `NAME`"},
			&cli.GenericFlag{
				Name: "metadata", Value: command.OneOf(seed.Usual, seed.Metadatas()...),
				Usage: "give objects the metadata of the kind `NAME`",
			},
			&cli.GenericFlag{Name: "size", Value: command.Int(seed.SizeDefault, 0, seed.SizeMax),
				Usage: "give each object a body of `N` bytes"},
			&cli.StringFlag{Name: "from", Usage: "put the files of the directory `DIR` instead"},
		)...),
		Action: func(c *cli.Context) error {
			job, open, err := parseSeed(c)
			reporter := command.ParseReport(c).Open(nil, c.App.ErrWriter)
			if err == nil {
				err = job.seedWith(c.Context, reporter, open)
			}
			return reporter.ReportError(err)
		},
	}
}

// openSeed makes a Seed of what the command line names.
type openSeed func(seed.Config) (*seed.Seed, error)

func parseSeed(c *cli.Context) (*writeJob, openSeed, error) {
	job, err := parseWrites(c)
	if err != nil {
		return nil, nil, err
	}
	if c.IsSet("from") {
		open, err := parseFiles(c, job.seed.Prefix)
		return job, open, err
	}
	objects := seed.Objects{
		Count: command.Get[int64](c, "objects"), Shape: command.Get[s3sim.Shape](c, "shape"),
		Metadata: command.Get[seed.Metadata](c, "metadata"),
		Size:     command.Get[int](c, "size"),
	}
	if err := objects.Check(job.seed.Prefix); err != nil {
		return nil, nil, exit.Usagef(helpHint(c), "%v", err)
	}
	return job, func(cfg seed.Config) (*seed.Seed, error) { return seed.New(cfg, objects) }, nil
}

// parseFiles lists the files of --from.
func parseFiles(c *cli.Context, prefix string) (openSeed, error) {
	for _, flag := range []string{"objects", "shape", "metadata", "size"} {
		if c.IsSet(flag) {
			return nil, exit.Usagef("leave one of them out", "--from and --%s: the files are the objects", flag)
		}
	}
	files, err := seed.OpenFiles(c.Context, c.String("from"), prefix)
	if err != nil {
		return nil, err
	}
	return func(cfg seed.Config) (*seed.Seed, error) { return seed.NewFrom(cfg, files), nil }, nil
}

// seedWith puts the objects, and prints the result.
func (job *writeJob) seedWith(ctx context.Context, r *report.Reporter, open openSeed) error {
	return job.run(ctx, r, func(ctx context.Context, cfg seed.Config) (any, error) {
		var failures fileset.Failures
		cfg.OnFailed = func(e *scan.ObjectError) { _ = failures.Add([]*scan.ObjectError{e}) } // fails only with a file
		s, err := open(cfg)
		if err != nil {
			return nil, err
		}
		stop := r.StartWriteProgress("PUT", s.Progress)
		stats, err := s.Run(ctx)
		stop()
		r.PrintFailures(failures.First(), failures.More())
		printSeeded(r, &stats)
		if err == nil && stats.Failed > 0 {
			err = exit.Errorf(exit.Failures, "the same command puts only the missing objects",
				"%s failed", console.Count(stats.Failed, "object", "objects"))
		}
		return &stats, err
	})
}

// printSeeded prints the outcomes of the objects.
func printSeeded(r *report.Reporter, s *seed.Stats) {
	text := console.Count(s.Objects, "object", "objects") + " = " + console.Number(s.Present) + " already present + " +
		console.Number(s.Put) + " put + " + console.Number(s.Failed) + " failed"
	if rest := s.Objects - s.Present - s.Put - s.Failed; rest > 0 {
		text += " + " + console.Number(rest) + " not reached"
	}
	text += ", below " + s.Folder
	if s.Other > 0 {
		text += ", which also holds: " + console.Count(s.Other, "object", "objects")
	}
	if s.Skipped > 0 {
		text += "; left out: " + console.Count(s.Skipped, "file that is not regular", "files that are not regular")
	}
	printWritten(r, s, s.Complete, text, &s.Requests)
}
