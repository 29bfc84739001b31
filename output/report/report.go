// Package report writes messages about a run on standard error: the log, the progress, the failed objects, the summary,
// and the error at the end. Records and other data never go there.
//
// A Config says how much is written, and in which form. A Reporter is the Config of one run together with its log and
// the status line of the terminal.
package report

import (
	"io"
	"log"
	"log/slog"

	"headcount/output/console"
	"headcount/scan/exit"
)

// Config is how much a run reports, and in which form. The zero value reports everything from slog.LevelInfo on, as
// text.
type Config struct {
	Quiet      bool // errors only
	NoProgress bool
	Level      slog.Level // of the log
	JSON       bool       // every line is a JSON object
}

// Reporter reports on one run. Its methods are for the goroutine of the run; Log and Status may be used concurrently.
type Reporter struct {
	Config
	Status *console.StatusLine // all text on standard error passes through it
	Log    *slog.Logger

	results       *slog.Logger // of what is reported whatever the level of the log, with JSON
	drawsProgress bool         // on the status line; otherwise progress is logged
}

// Open returns a Reporter that writes to stderr. It draws the progress if stderr is a terminal (console.CanDraw),
// unless the records appear on a terminal too, where they would tear the line. records is the stream of the records;
// nil: they go elsewhere.
//
// Open also redirects the standard logger to the log, since net/http writes some messages there.
func (c Config) Open(records, stderr io.Writer) *Reporter {
	if c.Quiet {
		c.Level = max(c.Level, slog.LevelError)
	}
	status := console.NewStatusLine(stderr)
	lines := console.EscapingWriter(status)
	options := &slog.HandlerOptions{Level: c.Level}
	var handler slog.Handler = slog.NewTextHandler(status, options)
	if c.JSON {
		handler = slog.NewJSONHandler(lines, options)
	}
	log.SetFlags(0)
	log.SetOutput(slog.NewLogLogger(handler, slog.LevelDebug).Writer())
	return &Reporter{
		Config: c, Status: status, Log: slog.New(handler), results: slog.New(slog.NewJSONHandler(lines, nil)),
		drawsProgress: console.CanDraw(stderr) && !console.IsTerminal(records) && !c.JSON,
	}
}

// LogResult logs what a run reports at its end, with JSON. --log-level chooses among the messages of the log, and does
// not hide the result.
func (r *Reporter) LogResult(message string, args ...any) { r.results.Info(message, args...) }

// ReportError logs err if every line is a JSON object, and then returns it marked as reported. As text, the program
// prints the error of every command, with or without a Reporter.
func (r *Reporter) ReportError(err error) error {
	if err == nil || !r.JSON {
		return err
	}
	if !exit.IsSilent(err) {
		r.Log.Error(err.Error(), "hint", exit.Hint(err))
	}
	return exit.Reported(err)
}
