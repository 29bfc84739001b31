package main

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

const seedDescription = `Puts objects with custom metadata into a bucket, below PREFIX/headcount-seed/ and nowhere else. This command writes, and
bench clean, which removes just those again; no other does.

    headcount bench seed s3://my-bucket
    headcount bench seed --objects 1000000 --workers 256 --shape dated s3://my-bucket/test
    headcount bench seed --metadata large --size 1024 --rate 500 --endpoint-url https://flashblade.example.com s3://my-bucket
    headcount bench seed --stats stats.json --no-progress s3://my-bucket

Run again, it lists what is there, and puts only what is missing: so a run that was stopped is gone on with. Of what is there only
the key counts: objects of another --metadata or --size stay as they are, and those of another --shape or beyond --objects too.
It looks once, at the beginning: what somebody else puts under one of the missing keys while it runs may be written over.

The keys are those of bench serve with the same --shape and --objects. The metadata are

    none    nothing but the marker
    small   id, owner
    usual   as those of bench serve: id, owner, and for every third project; one object of ten has none
    large   id and eight more; with the marker 1,700 bytes, near the 2 KB that S3 allows
    mixed   one of those before, by the key

id is the 64-bit FNV-1a hash of the whole key, in hex, so that whatever reads them can be checked. The body repeats it, so that from
--size 16 on each object has an ETag of its own: by that --pipeline of scan and bench head tells the answers apart, and objects that
share one are asked for one at a time. Every object has the marker headcount-seed among its metadata, with the same hash; without it
bench clean leaves it alone.

The pace is that of scan: 429 and 503 slow it down, what meets passing trouble is put again, up to 10 times, and --retry-for is
how long a store is waited for that answers nothing. It ends where the store refuses everything: 32 PUTs before any was taken, or 300
in a row, as where it is full.

Exit codes: 0 every object is there; 1 fatal; 2 usage; 3 some objects failed; 5 --stats could not be written; 130, 143 stopped.`

func seedCommand() *cli.Command {
	return &cli.Command{
		Name:        "seed",
		Usage:       "put objects with known metadata into a bucket (it writes)",
		ArgsUsage:   "s3://BUCKET[/PREFIX]",
		Description: seedDescription,
		Flags: writeFlags(
			&cli.Int64Flag{Name: "objects", Value: 10_000, Usage: "have `N` objects there", Category: "what to put"},
			&cli.GenericFlag{Name: "shape", Value: command.OneOf(s3sim.Flat, seed.Shapes()...), Usage: "make keys of the shape `NAME`", Category: "what to put"},
			&cli.GenericFlag{Name: "metadata", Value: command.OneOf(seed.Usual, seed.Metadatas()...), Usage: "give objects the metadata of the kind `NAME`", Category: "what to put"},
			&cli.IntFlag{Name: "size", Value: seed.SizeDefault, Usage: "give each a body of `N` bytes", Category: "what to put"},
		),
		Action: func(c *cli.Context) error {
			job, objects, err := parseSeed(c)
			reporter := command.ParseReport(c).Open(nil, c.App.ErrWriter)
			if err == nil {
				err = job.seedWith(c.Context, reporter, objects)
			}
			return reporter.ReportError(err)
		},
	}
}

func parseSeed(c *cli.Context) (*writeJob, seed.Objects, error) {
	objects := seed.Objects{
		Count: c.Int64("objects"), Shape: command.Get[s3sim.Shape](c, "shape"), Metadata: command.Get[seed.Metadata](c, "metadata"), Size: c.Int("size"),
	}
	job, err := parseWrites(c)
	if err != nil {
		return nil, objects, err
	}
	if err := objects.Check(job.seed.Prefix); err != nil {
		return nil, objects, exit.Usagef("headcount bench seed --help", "%v", err)
	}
	return job, objects, nil
}

// seedWith puts the objects, and says what came of it.
func (job *writeJob) seedWith(ctx context.Context, r *report.Reporter, objects seed.Objects) error {
	return job.run(ctx, r, func(ctx context.Context, cfg seed.Config) (any, error) {
		var failures fileset.Failures
		cfg.OnFailed = func(e *scan.ObjectError) { _ = failures.Add(e) } // without a file it cannot fail
		s, err := seed.New(cfg, objects)
		if err != nil {
			return nil, err
		}
		stop := r.StartWriteProgress("PUT", s.Progress)
		stats, err := s.Run(ctx)
		stop()
		r.PrintFailures(failures.First(), failures.More())
		printSeeded(r, &stats)
		if err == nil && stats.Failed > 0 {
			err = exit.Errorf(exit.Failures, "the same command puts only what is missing", "%s failed", console.Count(stats.Failed, "object", "objects"))
		}
		return &stats, err
	})
}

// printSeeded tells what became of every object.
func printSeeded(r *report.Reporter, s *seed.Stats) {
	text := console.Count(s.Objects, "object", "objects") + " = " + console.Number(s.Present) + " already present + " + console.Number(s.Put) + " put + " + console.Number(s.Failed) + " failed"
	if rest := s.Objects - s.Present - s.Put - s.Failed; rest > 0 {
		text += " + " + console.Number(rest) + " not reached"
	}
	text += ", below " + s.Folder
	if s.Other > 0 {
		text += ", which also holds: " + console.Count(s.Other, "object", "objects")
	}
	printWritten(r, s, s.Complete, text, &s.Requests)
}
