package main

import (
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"headcount/bench/listing"
	"headcount/bench/s3sim"
	"headcount/output/console"
	"headcount/scan/command"
)

const listingDescription = `Lists buckets with keys of different shapes, each in a store in a process of its own. It
measures how much faster many listers are than one, how many of them list at once, and the LISTs that they send beyond
the pages of the bucket. The listing is that of this source, in this process.

    go run ./bench/dev listing
    go run ./bench/dev listing --check --objects 10000000
    go run ./bench/dev listing --shape skewed,long --listers 16 --latency 20ms

--check demands that 64 listers have 45 times the speed of one, that the LISTs beyond the pages are at most 5 % and four
for each lister, and that every key is listed once. It exits with 4 if one bucket misses that (go run itself then exits
with 1).`

func listingCommand() *cli.Command {
	return &cli.Command{
		Name:        "listing",
		Usage:       "measure how much faster many listers are than one",
		Description: listingDescription,
		Flags: append([]cli.Flag{
			&cli.GenericFlag{
				Name: "shape", Value: command.Subset(listing.Shapes()), DefaultText: "all",
				Usage: "list keys of the shapes with these `NAMES`: " + joinNames(listing.Shapes()),
			},
			&cli.GenericFlag{Name: "objects", Value: command.Int[int64](1_000_000, 1, 0),
				Usage: "put `N` objects into each bucket"},
			&cli.GenericFlag{Name: "latency", Value: command.Duration(100*time.Millisecond, 0),
				Usage: "answer each LIST after this `DURATION`"},
			&cli.GenericFlag{Name: "listers", Value: command.Int(64, 1, command.ListersMax),
				Usage: "list with `N` listers"},
			&cli.GenericFlag{Name: "alone", Value: command.PositiveDuration(5 * time.Second),
				Usage: "list with one lister for this `DURATION`"},
			storeFlag(),
		}, resultFlags()...),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			cfg := listing.Config{
				Shapes: listing.Shapes(), Objects: command.Get[int64](c, "objects"), Latency: getDuration(c, "latency"),
				Listers: command.Get[int](c, "listers"), AloneFor: getDuration(c, "alone"),
			}
			if shapes := command.Get[[]s3sim.Shape](c, "shape"); shapes != nil {
				cfg.Shapes = shapes
			}
			cfg.OnRun = func(r listing.Run) {
				if !c.Bool("quiet") {
					console.PrintLine(c.App.ErrWriter, "%s: %.0f keys/s, %.1f times the speed of one lister", r.Shape,
						r.KeysPerSecond, r.SpeedUp())
				}
			}
			return runBenchmark(c, func(b binaries) (listing.Runs, error) {
				cfg.Store = b.store
				return listing.Measure(c.Context, cfg)
			})
		},
	}
}

func joinNames[T ~string](names []T) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = string(name)
	}
	return strings.Join(texts, ", ")
}
