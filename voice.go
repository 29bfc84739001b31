package main

import (
	"io"
	"log"
	"log/slog"

	"github.com/urfave/cli/v2"

	"headcount/output/console"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/command"
	"headcount/scan/exit"
	"headcount/scan/metrics"
)

// voiceConfig is how much a run tells on standard error, and in what form.
type voiceConfig struct {
	quiet, noProgress bool
	level             slog.Level
	json              bool // every line is an object of JSON
}

// messageFlags returns the flags about standard error and the file of --stats.
func messageFlags() []cli.Flag {
	const category = "messages"
	return []cli.Flag{
		&cli.GenericFlag{Name: "stats", Value: command.File(), Usage: "write the statistics of the run to `FILE` as JSON, replacing its content", Category: category},
		&cli.BoolFlag{Name: "quiet", Usage: "print only errors on standard error", Category: category},
		&cli.BoolFlag{Name: "no-progress", Usage: "print no progress", Category: category},
		&cli.GenericFlag{Name: "log-level", Value: command.OneOf("info", "debug", "info", "warn", "error"), Usage: "log messages from this `LEVEL` on", Category: category},
		&cli.GenericFlag{Name: "log-format", Value: command.OneOf("text", "text", "json"), Usage: "write standard error in this `FORMAT`; json makes every line an object", Category: category},
	}
}

func parseVoice(c *cli.Context) voiceConfig {
	v := voiceConfig{quiet: c.Bool("quiet"), noProgress: c.Bool("no-progress"), json: command.Get[string](c, "log-format") == "json"}
	_ = v.level.UnmarshalText([]byte(command.Get[string](c, "log-level"))) // --log-level accepts only levels
	if v.quiet {
		v.level = max(v.level, slog.LevelError)
	}
	return v
}

// voice is what tells on standard error: the log, the progress, the failures, the account at the end, the last error.
// Data goes elsewhere.
type voice struct {
	voiceConfig
	screen *console.StatusLine
	log    *slog.Logger
	draws  bool // the progress is drawn; otherwise it is logged

	listsOnly bool // and its progress is that of a listing
}

// open makes the voice of a run. Progress is drawn for a person who watches: standard error is a terminal then, and the
// records go elsewhere, since they would tear it.
func (v voiceConfig) open(stdout, stderr io.Writer) *voice {
	s := console.NewStatusLine(stderr)
	options := &slog.HandlerOptions{Level: v.level}
	var handler slog.Handler = slog.NewTextHandler(s, options)
	if v.json {
		handler = slog.NewJSONHandler(s, options)
	}
	// net/http tells some things by the standard logger.
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(handler, slog.LevelDebug).Writer())
	return &voice{
		voiceConfig: v, screen: s, log: slog.New(handler),
		draws: console.IsTerminal(stderr) && !console.IsTerminal(stdout) && !v.json,
	}
}

// failures tells of objects that failed: the first few, and how many more there are.
func (v *voice) failures(first []*scan.ObjectError, more int64) {
	for _, e := range first {
		if v.json {
			v.log.Error("failed", "target", e.Target, "status", e.Status, "class", e.Class, "attempts", e.Attempts,
				"request_id", e.RequestID, "error", e.Error())
			continue
		}
		console.PrintLine(v.screen, "headcount: failed: %v (%s, %s)", e, e.Class, console.Count(int64(e.Attempts), "try", "tries"))
	}
	switch {
	case more == 0:
	case v.json:
		v.log.Error("more failed", "objects", more)
	default:
		console.PrintLine(v.screen, "headcount: failed: and %s more", console.Number(more))
	}
}

// account tells what became of every object. It is of whole pages, so it balances however the run ended.
func (v *voice) account(s *metrics.Stats) {
	state := "complete"
	if !s.Complete {
		state = "not complete"
	}
	switch {
	case v.quiet:
		return
	case v.json:
		v.log.Info(state, "stats", s)
		return
	}
	console.PrintLine(v.screen, "%s: %s listed = %s emitted + %s without metadata + %s filtered + %s gone + %s failed",
		state, console.Count(s.Listed, "object", "objects"),
		console.Number(s.Emitted), console.Number(s.WithoutMetadata), console.Number(s.Filtered), console.Number(s.Gone), console.Number(s.Failed))
	console.PrintLine(v.screen, "%s in %.1f s, %s/s; latency p50 %.1f ms, p99 %.1f ms; CPU %.0f µs per object; engine %s, %s",
		console.Count(s.Heads, "HEAD", "HEADs"), s.DurationSeconds, console.Number(int64(s.HeadsPerSecond)), s.HeadLatency.P50, s.HeadLatency.P99,
		s.CPUMicrosPerObject, s.Engine, console.Count(int64(s.Workers), "worker", "workers"))
	console.PrintLine(v.screen, "%s in flight, %s HEAD/s, limited by: %s",
		console.Number(int64(s.InFlight)), console.Number(int64(s.SteadyHeadsPerSecond)), limitName(s.LimitedBy))
	if s.FromListing > 0 {
		console.PrintLine(v.screen, "metadata from the listing, without a HEAD: %s", console.Count(s.FromListing, "object", "objects"))
	}
	if s.Changed > 0 {
		console.PrintLine(v.screen, "overwritten between LIST and HEAD (\"changed\":true): %s", console.Count(s.Changed, "object", "objects"))
	}
	v.limited(s)
}

// limited tells people that there may be more than what was counted.
func (v *voice) limited(s *metrics.Stats) {
	if s.LimitReached {
		console.PrintLine(v.screen, "--limit ended it: there may be more objects")
	}
}

// foreseen tells how far a dry run came; what it found out stands on standard output if that was everything.
func (v *voice) foreseen(s *forecastStats) {
	state := "complete"
	if !s.Complete {
		state = "not complete"
	}
	switch {
	case v.quiet:
	case v.json:
		v.log.Info(state, "stats", s)
	default:
		console.PrintLine(v.screen, "%s: %s listed in %.1f s, and no record made: a dry run", state, console.Count(s.DryRun.Objects, "object", "objects"), s.DurationSeconds)
		v.limited(s.Stats)
	}
}

// limitName is what people are told of what limited a run.
func limitName(by string) string {
	switch by {
	case "cpu":
		return "this machine's CPU"
	case "rate":
		return "--rate"
	case "output":
		return "the writing of the output"
	}
	return by
}

// checkpoint tells from where a run goes on, and what that means for its records.
func (v *voice) checkpoint(job *scanJob, from *checkpoint.Checkpoint) {
	if from != nil {
		v.log.Info("resuming", "checkpoint", job.names.checkpoint, "objects", from.Stats.Listed, "runs", from.Stats.Runs)
	}
	if job.names.output == "" {
		v.log.Info("what standard output has got cannot be taken back: after --resume some records may come twice; --output FILE has each once")
	}
}

// resumable tells that a run that is not complete can be gone on with.
func (v *voice) resumable(name string) {
	switch {
	case v.quiet:
	case v.json:
		v.log.Info("resumable", "checkpoint", name)
	default:
		console.PrintLine(v.screen, "resumable: the same command with --resume goes on from %s", name)
	}
}

// tell tells how a run ended, where that is the voice's to do: people are told by run, as of any other command's end.
func (v *voice) tell(err error) error {
	if err == nil || !v.json {
		return err
	}
	if !exit.IsSilent(err) {
		v.log.Error(err.Error(), "hint", exit.Hint(err))
	}
	return exit.Reported(err)
}
