package cli

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/scan/command"
	"headcount/scan/field"
	"headcount/scan/list/inventory"
)

const listName = "list"

const listDescription = `Prints what the LIST says of every object in a bucket, as JSON lines on standard output:

    headcount list --demo
    headcount list s3://my-bucket/logs/ > objects.jsonl

It lists many ranges of keys at once, and sends no HEADs: it needs the right s3:ListBucket alone. What only a HEAD
knows, as the custom metadata, is printed by: headcount scan. More examples:

    headcount list --delimiter / s3://my-bucket/logs/
    headcount list --format csv --fields key,size s3://my-bucket
    headcount list --filter 'last_modified < date("2025-01-01")' --format keys s3://my-bucket
    headcount list --listers 64 --output objects.jsonl.zst s3://my-bucket
    headcount list --output objects.jsonl --checkpoint list.checkpoint --resume s3://my-bucket

With --delimiter /, a line as {"key":"logs/2026/","prefix":true} stands for all keys that begin with it. Prefixes count
as objects, and --start-after, --end-at and --limit treat them as keys. One lister lists a level.

The connection, the files, the checkpoint and the exit codes are those of: headcount scan --help`

// ListCommand returns the command list.
func ListCommand() *cli.Command {
	return &cli.Command{
		Name:        listName,
		Usage:       "print the keys, sizes and dates of a bucket: the listing, without HEADs",
		ArgsUsage:   "s3://BUCKET[/PREFIX]",
		Description: listDescription + fieldHelp(listedFields()),
		Flags:       listFlags(),
		Action:      run,
	}
}

// listFlags returns the flags of scan, without those about HEADs.
func listFlags() []cli.Flag {
	aboutHeads := append(headFlags(), "header", "checksums", "decode", "retry-from", "all", "columns", "dry-run", "price")
	aboutHeads = append(aboutHeads, "keys", "keys-column", "missing", "tags", "annotations")
	flags := append(levelFlags(), scanFlags()...)
	flags = slices.DeleteFunc(flags, func(f cli.Flag) bool { return slices.Contains(aboutHeads, f.Names()[0]) })
	for _, f := range flags {
		switch f.Names()[0] {
		case "fields":
			fields := f.(*cli.GenericFlag)
			fields.Value = command.Parsed("key,size,last_modified,etag,storage_class", parseListFields)
			fields.Usage = "print the fields of these `NAMES`, of those that a LIST has, or all"
		case "filter":
			filter := f.(*cli.GenericFlag)
			filter.Usage = "print the objects for which `EXPR` is true, as 'size > 1e6 && key endsWith \".gz\"'"
			filter.DefaultText = "all"
		case "listers":
			f.(*cli.GenericFlag).Usage = "list `N` ranges of keys at once; auto lists up to 64"
		case "null":
			f.(*cli.BoolFlag).Usage = "end each key with a NUL, for xargs -0"
		case "retry-for":
			f.(*cli.GenericFlag).Usage = "stop when a LIST has failed for this `DURATION`"
		}
	}
	return flags
}

// headFlags returns the flags that say how HEADs are sent and read.
func headFlags() []string {
	return []string{"workers", "pipeline", "engine", "metadata-prefix", "sse-c-key"}
}

func levelFlags() []cli.Flag {
	return command.Category("which keys",
		&cli.StringFlag{
			Name: "delimiter", DefaultText: "list all levels",
			Usage: "list one level, as /: print each prefix that ends in this `TEXT` once, in place of the keys below it",
		},
	)
}

// parseListFields reads the --fields of list. A field that needs a HEAD is refused, unless an Inventory may have it.
func parseListFields(text string) ([]field.Field, error) {
	fields, err := parseFields(text)
	if err != nil {
		return nil, err
	}
	needHead := field.Names(slices.DeleteFunc(slices.Clone(fields), func(f field.Field) bool { return f.InLists() }))
	if text == "all" {
		return slices.DeleteFunc(fields, func(f field.Field) bool { return slices.Contains(needHead, f.Name) }), nil
	}
	if len(needHead) > 0 {
		if !slices.ContainsFunc(needHead, func(name string) bool {
			return !slices.Contains(inventory.AllFields(), name)
		}) {
			return fields, nil // planHeads decides
		}
		return nil, command.BadValue("headcount scan sends a HEAD for each object, and prints them",
			"no listing has "+strings.Join(needHead, ", "))
	}
	return fields, nil
}
