package cli

import (
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/output"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/filter"
	"headcount/scan/head/engine"
)

func scanFlags() []cli.Flag {
	return slices.Concat(
		keyFlags(), objectFlags(), command.ConnectionFlags(), speedFlags(), printFlags(), askFlags(), safetyFlags(),
		command.MessageFlags(),
	)
}

func keyFlags() []cli.Flag {
	return command.Category("which keys",
		&cli.BoolFlag{
			Name: "demo", Usage: "read an embedded store of 10,000 objects; needs no account and no network",
		},
		&cli.StringFlag{Name: "start-after", Usage: "start after this `KEY`"},
		&cli.StringFlag{Name: "end-at", Usage: "stop after this `KEY`"},
		&cli.GenericFlag{
			Name: "limit", Value: command.Int[int64](0, 1, 0), DefaultText: "all",
			Usage: "stop after the first `N` objects of the listing, of which --filter may print fewer",
		},
		&cli.BoolFlag{
			Name:  "all-versions",
			Usage: "read every version and delete marker, and not only the newest version of each key",
		},
		&cli.GenericFlag{
			Name: "list-order", Value: command.OneOf("bytes", "bytes", "any"),
			Usage: "how the store sorts keys: `ORDER` is bytes, as S3 does, or any, for one sequential listing",
		},
		&cli.GenericFlag{
			Name: "retry-from", Value: command.FileName(),
			Usage: "send HEADs for the objects in this `FILE` of --errors, and list nothing",
		},
		&cli.GenericFlag{
			Name: "inventory", Value: command.Parsed("", parseInventoryName),
			Usage: "take the objects from the S3 Inventory of this `MANIFEST`, a file or s3://BUCKET/KEY, and list nothing",
		},
		&cli.GenericFlag{
			Name: "prefixes", Value: command.InputFileName(),
			Usage: "list the prefixes in `FILE`, one a line or as JSON lines, in place of the whole bucket; - is standard input",
		},
		&cli.GenericFlag{
			Name: "keys", Value: command.InputFileName(),
			Usage: "send HEADs for the keys in `FILE`, one a line or as JSON lines, and list nothing; " +
				"- is standard input; keys without an ETag are not pipelined",
		},
		&cli.StringFlag{
			Name: "keys-column", Usage: "read --keys as CSV, whose column with the title `NAME` has the keys",
		},
	)
}

func objectFlags() []cli.Flag {
	return command.Category("which objects",
		&cli.BoolFlag{Name: "all", Usage: "print objects without custom metadata too"},
		&cli.GenericFlag{
			Name: "filter", Value: command.Parsed("", filter.Compile), DefaultText: "those with custom metadata",
			Usage: "print the objects for which `EXPR` is true, with or without custom metadata, as " +
				`'metadata.owner == "alice" && size > 1e6'`,
		},
		&cli.BoolFlag{
			Name: "explain", Usage: "print what --filter reads, and the requests that it costs; send none",
		},
	)
}

func speedFlags() []cli.Flag {
	return command.Category("speed",
		&cli.GenericFlag{
			Name: "workers", Value: command.AutoInt(scan.WorkersAuto, 1, command.WorkersMax),
			Usage: "send HEADs on `N` connections at once; auto finds the best number",
		},
		&cli.GenericFlag{
			Name: "listers", Value: command.AutoInt(scan.ListersAuto, 1, command.ListersMax),
			Usage: "list `N` ranges of keys at once; auto lists as many as keep the workers busy",
		},
		&cli.GenericFlag{
			Name: "pipeline", Value: command.Int(1, 1, command.PipelineMax),
			Usage: "keep `N` HEADs in flight on each connection; not every store supports more than 1",
		},
		&cli.GenericFlag{
			Name: "engine", Value: command.OneOf(engine.Auto, engine.Auto, engine.Direct, engine.SDK, engine.List),
			Usage: "send HEADs by the engine `NAME`; sdk is slower and reaches every kind of bucket; " +
				"list reads the metadata from the listing of MinIO",
		},
		&cli.GenericFlag{
			Name: "rate", Value: command.Positive(command.RateMax), DefaultText: "no limit",
			Usage: "send at most `N` requests per second in all; 429 and 503 slow it down further",
		},
		&cli.GenericFlag{
			Name: "timeout", Value: command.PositiveDuration(30 * time.Second),
			Usage: "fail a request that has no complete answer after this `DURATION`",
		},
		&cli.GenericFlag{
			Name: "retry-for", Value: command.PositiveDuration(15 * time.Minute),
			Usage: "stop when no HEAD has succeeded, or a LIST has failed, for this `DURATION`",
		},
	)
}

func printFlags() []cli.Flag {
	return command.Category("what to print",
		&cli.GenericFlag{
			Name: "fields", Value: command.Parsed("key,metadata", parseFields),
			Usage: "print the fields of these `NAMES`, as key,metadata,size,etag,content_type " +
				"(listed above), or all",
		},
		&cli.GenericFlag{
			Name: "format", Value: command.OneOf("", formatNames(anyFormat)...),
			DefaultText: "that of the name of --output, or " + output.Formats()[0].Name,
			Usage:       "print as `FORMAT`: " + describeFormats(),
		},
		&cli.GenericFlag{
			Name: "columns", Value: command.Parsed("", parseColumns), DefaultText: "one column for the metadata",
			Usage: "print a column for each of these `NAMES` of metadata, as owner,project, in csv, parquet and table",
		},
		&cli.BoolFlag{
			Name: "csv-safe", Usage: "print a ' before cells that a spreadsheet would run as a formula",
		},
		&cli.BoolFlag{
			Name: "null", Aliases: []string{"0"},
			Usage: "end each key that --format keys prints with a NUL, for xargs -0; read such keys from --keys",
		},
		&cli.GenericFlag{
			Name: "metadata-prefix", Value: command.Parsed("", parseMetadataPrefix), DefaultText: "x-amz-meta- alone",
			Usage: "print headers that begin with `PREFIX` as custom metadata too, as x-goog-meta-",
		},
		&cli.BoolFlag{Name: "ordered", Usage: "print in the order of keys, and not as pages finish"},
		&cli.GenericFlag{
			Name: "output", Value: command.OutputFileName(), DefaultText: "standard output",
			Usage: "write the records to `FILE`, replacing its content; x.csv chooses the format, x.csv.zst compresses",
		},
	)
}

func safetyFlags() []cli.Flag {
	return command.Category("safety",
		&cli.BoolFlag{
			Name: "dry-run", Usage: "list only, and print what the scan would take: requests, time, price",
		},
		&cli.GenericFlag{
			Name: "price", Value: command.Parsed("", parsePrice), DefaultText: "AWS's, if the store is AWS",
			Usage: "calculate the price of a dry run from `LIST,HEAD`, in US dollars per 1,000 requests",
		},
		&cli.GenericFlag{
			Name: "checkpoint", Value: command.FileName(),
			Usage: "save progress to `FILE`, so that --resume can continue",
		},
		&cli.GenericFlag{
			Name: "checkpoint-every", Value: command.PositiveDuration(time.Second),
			Usage: "save progress once per `DURATION`; a killed run repeats the work since then, and all pages in flight",
		},
		&cli.BoolFlag{
			Name: "resume", Usage: "continue the run of --checkpoint, or start one if there is none",
		},
		&cli.BoolFlag{
			Name:  "verify-listing",
			Usage: "list again at the end; objects that the first listing missed fail, and --errors names them",
		},
		&cli.GenericFlag{
			Name: "max-errors", Value: command.Int[int64](0, 1, 0), DefaultText: "never",
			Usage: "stop when `N` objects have failed",
		},
		&cli.GenericFlag{
			Name: "missing", Value: command.FileName(),
			Usage: "write the objects that are gone, or that --keys names and do not exist, to `FILE` as JSON lines",
		},
		&cli.GenericFlag{
			Name: "errors", Value: command.FileName(),
			Usage: "write the failed objects to `FILE` as JSON lines, replacing its content",
		},
	)
}
