// Package cli is the command line of scan and list: it turns flags into the configuration of a scan, and connects the
// scan with its files, its checkpoint and its messages. Package main alone imports it.
package cli

import (
	"github.com/urfave/cli/v2"

	"headcount/scan/command"
	"headcount/scan/field"
)

const description = `Prints the custom metadata of every object in a bucket, as JSON lines on standard output:

    headcount scan --demo
    headcount scan s3://my-bucket/logs/ > metadata.jsonl

It lists the bucket and sends one HEAD per object. Objects without custom metadata are counted and not printed, unless
--all is given, or --filter chooses others. Messages go to standard error. More examples:

    headcount scan --endpoint-url https://flashblade.example.com s3://my-bucket
    headcount scan --workers 256 --pipeline 8 s3://my-bucket
    headcount scan --no-sign-request --fields key,size,metadata s3://public-bucket
    headcount scan --filter 'metadata.owner == "alice" && size > 1e6' s3://my-bucket
    headcount scan --stats stats.json --errors errors.jsonl --all s3://my-bucket
    headcount scan --columns owner,project --output objects.csv s3://my-bucket
    headcount scan --output metadata.jsonl.zst --checkpoint scan.checkpoint --resume s3://my-bucket
    headcount scan --retry-from errors.jsonl --errors still.jsonl s3://my-bucket
    headcount scan --keys keys.txt --missing missing.jsonl s3://my-bucket
    headcount scan --prefixes folders.txt s3://my-bucket
    headcount scan --dry-run --rate 1000 s3://my-bucket

With --checkpoint, a run that was stopped or killed continues with --resume. The file of --output then has each record
once. Standard output may have some records twice.

With --dry-run, the command only lists. It counts objects and bytes, and prints the number of requests, the duration and
the price of the scan. Without --rate, it measures the speed for at most 4 seconds with HEADs for some objects.

Credentials, region and endpoint have the same sources as those of the AWS CLI: the AWS_ variables, the files in ~/.aws,
single sign-on, the metadata service of the machine. AWS_MAX_ATTEMPTS, or max_attempts in ~/.aws/config, also limits
the HEADs for one object: it fails after that many failures while other objects succeed (without it: 10).

Exit codes: 0 complete; 1 fatal; 2 usage; 3 complete, but some objects failed; 5 output could not be written;
129, 130, 143, 141 stopped by SIGHUP, SIGINT, SIGTERM, a reader that closed the pipe. The output ends with a whole page.
With exit code 5 or 141, or after a second signal, the last line may be cut.`

// Command returns the command scan.
func Command() *cli.Command {
	return &cli.Command{
		Name:        "scan",
		Usage:       "print the custom metadata of every object in a bucket (the default command)",
		ArgsUsage:   "s3://BUCKET[/PREFIX]",
		Description: description + fieldHelp(field.Every()),
		Flags:       scanFlags(),
		Action:      run,
	}
}

// run is the Action of scan and of list.
func run(c *cli.Context) error {
	records := command.Stdout(c)
	if command.Get[string](c, "output") != "" || c.Bool("dry-run") { // a dry run prints after the progress
		records = nil
	}
	reporter := command.ParseReport(c).Open(records, c.App.ErrWriter)
	j, err := parse(c)
	switch {
	case err != nil:
	case j.explain:
		err = j.explainFilter(command.Stdout(c))
	default:
		err = j.run(c.Context, reporter, command.Stdout(c), c.App.ErrWriter)
	}
	return reporter.ReportError(err)
}
