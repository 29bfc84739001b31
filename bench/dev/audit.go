package main

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/bench/audit"
	"headcount/bench/s3sim"
	"headcount/output/console"
	"headcount/output/fileset"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
)

const auditDescription = `Measures what a filter and the formats cost beyond the scan: CPU time for each object, and
memory. Each case runs in a process of its own, in turn with the others, against one synthetic store.

    go run ./bench/dev audit --check
    go run ./bench/dev audit --objects 10000000 --rounds 1 --json audit.json

scan makes the Record of every object, and drops it. listing lists only; listed filter has a filter that the LIST
decides. The table has the medians of the rounds, and in brackets the least and the greatest value. Differences are
between runs of one round.

--check compares the medians with the thresholds, and exits with 4 if one is missed (go run itself then exits with 1).`

func auditCommand() *cli.Command {
	return &cli.Command{
		Name:        "audit",
		Usage:       "measure what filters and formats cost beyond the scan",
		Description: auditDescription,
		Flags: slices.Concat([]cli.Flag{
			&cli.GenericFlag{Name: "objects", Value: command.Int[int64](1_000_000, 1, 0), Usage: "scan `N` objects in a run"},
			&cli.GenericFlag{Name: "rounds", Value: command.Int(5, 1, 0), Usage: "run each case `N` times"},
		}, scanFlags(), binaryFlags(), resultFlags()),
		Action: func(c *cli.Context) error {
			cfg := audit.Config{
				Objects: command.Get[int64](c, "objects"), Rounds: command.Get[int](c, "rounds"),
				Workers: command.Get[int](c, "workers"), Pipeline: command.Get[int](c, "pipeline"),
			}
			cfg.OnRun = func(r audit.Run) {
				if !c.Bool("quiet") {
					console.PrintLine(c.App.ErrWriter, "round %d of %d: %s: %.2f µs CPU per object, %.1f s",
						r.Round, cfg.Rounds, r.Case, r.CPUMicrosPerObject, r.WallSeconds)
				}
			}
			if err := noArguments(c); err != nil {
				return err
			}
			if err := checkSimOptions(c, s3sim.Options{Objects: cfg.Objects}); err != nil {
				return err
			}
			return runBenchmark(c, func(b binaries) (*audit.Report, error) {
				cfg.Headcount, cfg.Store, cfg.Dev, cfg.Version = b.headcount, b.store, b.dev, b.version
				return audit.Measure(c.Context, cfg)
			})
		},
	}
}

// scanFlags are the flags of audit, and of the scan in a process of its own. With pipelined HEADs, the scan costs
// little, and the differences are not lost in its noise.
func scanFlags() []cli.Flag {
	return []cli.Flag{
		&cli.GenericFlag{Name: "workers", Value: command.Int(16, 1, command.WorkersMax),
			Usage: "send HEADs on `N` connections"},
		&cli.GenericFlag{Name: "pipeline", Value: command.Int(8, 1, command.PipelineMax),
			Usage: "keep `N` HEADs in flight on each connection"},
	}
}

// auditScanCommand is the case scan of audit, which runs it in a process of its own.
func auditScanCommand() *cli.Command {
	return &cli.Command{
		Name:   audit.ScanCommand,
		Usage:  "scan, and drop the records",
		Hidden: true,
		Flags: append(scanFlags(),
			&cli.StringFlag{Name: "url", Usage: "`URL` of the store"},
			&cli.GenericFlag{Name: "stats", Value: command.FileName(), Usage: "write statistics to `FILE`"},
		),
		Action: func(c *cli.Context) error {
			if !strings.HasPrefix(c.String("url"), "http") {
				return exit.Usagef("--url http://HOST:PORT", "%s needs the URL of a store", audit.ScanCommand)
			}
			file, err := fileset.OpenDocument(c.Context, "--stats", command.Get[string](c, "stats"))
			if err != nil {
				return err
			}
			stats, err := audit.Scan(c.Context, c.String("url"), command.Get[int](c, "workers"), command.Get[int](c, "pipeline"))
			if err != nil {
				file.Close()
				return err
			}
			if file != nil {
				return file.FinishJSON(stats)
			}
			return scan.WrapOutput(json.NewEncoder(command.Stdout(c)).Encode(stats))
		},
	}
}
