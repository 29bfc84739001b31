package command

import (
	"log/slog"

	"github.com/urfave/cli/v2"

	"headcount/output/report"
)

// MessageFlags returns the flags about standard error and about the file of --stats. ParseReport reads all of them but
// --stats.
func MessageFlags() []cli.Flag {
	return Category("messages",
		&cli.GenericFlag{
			Name: "stats", Value: FileName(),
			Usage: "write the statistics of the run to `FILE` as JSON, replacing its content",
		},
		&cli.BoolFlag{Name: "quiet", Usage: "print only errors on standard error"},
		&cli.BoolFlag{Name: "no-progress", Usage: "print no progress"},
		&cli.GenericFlag{
			Name: "log-level", Value: OneOf("info", "debug", "info", "warn", "error"),
			Usage: "log messages from this `LEVEL` on",
		},
		&cli.GenericFlag{
			Name: "log-format", Value: OneOf("text", "text", "json"),
			Usage: "write standard error in this `FORMAT`; json makes every line an object",
		},
	)
}

// ParseReport reads the message flags.
func ParseReport(c *cli.Context) report.Config {
	var level slog.Level
	if err := level.UnmarshalText([]byte(Get[string](c, "log-level"))); err != nil {
		panic(err) // each choice of the flag is a level
	}
	return report.Config{
		Quiet: c.Bool("quiet"), NoProgress: c.Bool("no-progress"),
		Level: level, JSON: Get[string](c, "log-format") == "json",
	}
}
