package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"headcount/bench/seed"
	"headcount/output/console"
	"headcount/output/fileset"
	"headcount/output/report"
	"headcount/scan"
	"headcount/scan/command"
	"headcount/scan/exit"
)

const cleanDescription = `Removes what bench seed has put below PREFIX/headcount-seed/, and nothing else: it lists that folder, sends a HEAD for each
object, and deletes it if its metadata have the marker headcount-seed, with the hash of its key. What has not is told, and stays.

    headcount bench clean s3://my-bucket
    headcount bench clean --yes --stats stats.json s3://my-bucket/test
    headcount bench clean --yes --rate 500 --endpoint-url https://flashblade.example.com s3://my-bucket

It says how many objects there are, and asks, unless --yes is given. Each is deleted by a DELETE of its own, right after its HEAD, and
a DELETE that has to be sent again has another HEAD before it: what somebody writes over an object in between is deleted, and
nothing else of his. One --endpoint-url alone is taken: another might be behind, or another store, and delete what the first has not
looked at. In a bucket with versions, old versions stay, below a delete marker. At the end it lists the folder again, and says so if more
is there than it has left.

Exit codes: 0 nothing is left; 1 fatal, or the answer was not yes; 2 usage; 3 some objects failed, are not bench seed's and were
left, or are listed still; 5 --stats could not be written; 130, 143 stopped.`

func cleanCommand() *cli.Command {
	return &cli.Command{
		Name:        "clean",
		Usage:       "remove what bench seed has put, and nothing else (it deletes)",
		ArgsUsage:   "s3://BUCKET[/PREFIX]",
		Description: cleanDescription,
		Flags:       writeFlags(&cli.BoolFlag{Name: "yes", Usage: "do not ask"}),
		Action: func(c *cli.Context) error {
			job, err := parseClean(c)
			reporter := command.ParseReport(c).Open(nil, c.App.ErrWriter)
			if err == nil {
				err = job.clean(c.Context, reporter)
			}
			return reporter.ReportError(err)
		},
	}
}

// cleanJob is what the command line of clean asks for.
type cleanJob struct {
	*writeJob
	answers io.Reader // of whom is asked; nil: nobody is
}

func parseClean(c *cli.Context) (*cleanJob, error) {
	writes, err := parseWrites(c)
	switch {
	case err != nil:
		return nil, err
	case len(writes.store.Endpoints) > 1:
		return nil, exit.Usagef("give one --endpoint-url", "%v", seed.ErrSeveralEndpoints)
	case c.Bool("yes"):
		return &cleanJob{writeJob: writes}, nil
	case !console.IsTerminal(c.App.Reader):
		return nil, exit.Usagef("--yes removes without asking", "standard input is no terminal, and nobody can be asked")
	}
	return &cleanJob{writeJob: writes, answers: c.App.Reader}, nil
}

// clean removes the objects, and says what came of it.
func (job *cleanJob) clean(ctx context.Context, r *report.Reporter) error {
	return job.run(ctx, r, func(ctx context.Context, cfg seed.Config) (any, error) {
		var (
			failures fileset.Failures
			foreign  foreign
		)
		cfg.OnFailed = func(e *scan.ObjectError) { _ = failures.Add(e) } // without a file it cannot fail
		c, err := seed.NewClean(cfg, foreign.add)
		if err == nil && job.answers != nil {
			err = job.ask(ctx, r, c)
		}
		if err != nil {
			return nil, err
		}
		stop := r.StartWriteProgress("DELETE", c.Progress)
		stats, err := c.Run(ctx)
		stop()
		r.PrintFailures(failures.First(), failures.More())
		printForeign(r, &foreign)
		printCleaned(r, &stats)
		switch {
		case err != nil:
		case stats.Left > 0:
			err = exit.Errorf(exit.Failures, "does something answer in the store's place, or does somebody put objects? the same command tries again",
				"%s taken for removed or gone are listed still", console.Count(stats.Left, "object that was", "objects that were"))
		case stats.Failed > 0:
			err = exit.Errorf(exit.Failures, "the same command tries again", "%s failed", console.Count(stats.Failed, "object", "objects"))
		case stats.Foreign > 0:
			err = exit.Errorf(exit.Failures, "", "%s not bench seed's were left", console.Count(stats.Foreign, "object that is", "objects that are"))
		}
		return &stats, err
	})
}

// ask returns nil if somebody says yes. Where there is nothing to remove, nobody is asked.
func (job *cleanJob) ask(ctx context.Context, r *report.Reporter, c *seed.Clean) error {
	n, err := c.Count(ctx)
	if n == 0 || err != nil {
		return err
	}
	question := "remove " + console.Count(n, "object", "objects") + " below " + c.Folder() + "? type yes: "
	if _, err := io.WriteString(r.Status, console.Printable(question)); err != nil {
		return err
	}
	answered := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(job.answers).ReadString('\n') // what is no answer is no yes
		answered <- strings.TrimSpace(line)
	}()
	select {
	case answer := <-answered:
		if answer != "yes" {
			return errors.New("nothing was removed: the answer was not yes")
		}
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// foreignPrinted is how many of them are printed.
const foreignPrinted = 10

// foreign are objects that are not bench seed's: the first few, to be told of.
type foreign struct {
	first []string
	count int64
}

func (f *foreign) add(target string) {
	if f.count++; len(f.first) < foreignPrinted {
		f.first = append(f.first, target)
	}
}

// printForeign tells of what was left.
func printForeign(r *report.Reporter, f *foreign) {
	for _, target := range f.first {
		if r.JSON {
			r.Log.Error("left", "target", target)
			continue
		}
		console.PrintLine(r.Status, "headcount: left: %s: without the marker of bench seed", target)
	}
	more := f.count - int64(len(f.first))
	switch {
	case more == 0:
	case r.JSON:
		r.Log.Error("more left", "objects", more)
	default:
		console.PrintLine(r.Status, "headcount: left: and %s more", console.Number(more))
	}
}

// printCleaned tells what became of every object.
func printCleaned(r *report.Reporter, s *seed.CleanStats) {
	text := console.Count(s.Listed, "object", "objects") + " listed = " + console.Number(s.Removed) + " removed + " + console.Number(s.Foreign) + " left + " +
		console.Number(s.Gone) + " gone + " + console.Number(s.Failed) + " failed"
	if rest := s.Listed - s.Removed - s.Foreign - s.Gone - s.Failed; rest > 0 {
		text += " + " + console.Number(rest) + " not reached"
	}
	text += ", below " + s.Folder
	if s.Left > 0 {
		text += ", where still more are listed: " + console.Number(s.Left)
	}
	printWritten(r, s, s.Complete, text, &s.Requests)
}
