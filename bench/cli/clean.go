package cli

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

const cleanDescription = `Removes the objects that bench seed has put below PREFIX/headcount-seed/, and nothing else. It
lists that folder, sends a HEAD for each object, and deletes the object if its metadata have the marker headcount-seed
with the hash of the key. It prints the objects without the marker, and leaves them.

    headcount bench clean s3://my-bucket
    headcount bench clean --yes --stats stats.json s3://my-bucket/test
    headcount bench clean --yes --rate 500 --endpoint-url https://flashblade.example.com s3://my-bucket

It prints the number of objects and asks for confirmation, unless --yes is given. Each object is deleted by its own
DELETE, right after its HEAD. A DELETE that must be sent again follows another HEAD. An object that somebody writes
between HEAD and DELETE is deleted; no other of theirs is. It takes only one --endpoint-url: a second endpoint might lag
behind, or be another store, and delete an object that the first has not checked. In a bucket with versions the old
versions stay, below a delete marker. At the end it lists the folder again, and reports if more objects are there than
it has left.

Exit codes: 0 no object is left; 1 fatal, or the answer was not yes; 2 usage, also if standard input is no terminal and
--yes is missing; 3 some objects failed, were left because they are not bench seed's, or are still listed; 5 --stats
could not be written; 129, 130, 143 stopped.`

func cleanCommand() *cli.Command {
	return &cli.Command{
		Name:        "clean",
		Usage:       "remove the objects that bench seed has put (it deletes)",
		ArgsUsage:   "s3://BUCKET[/PREFIX]",
		Description: cleanDescription,
		Flags:       writeFlags(&cli.BoolFlag{Name: "yes", Usage: "do not ask for confirmation"}),
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

// cleanJob is a checked command line of bench clean.
type cleanJob struct {
	*writeJob
	answers io.Reader // the confirmation is read from here; nil: do not ask
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
		return nil, exit.Usagef("--yes removes without asking", "standard input is no terminal, so nobody can confirm")
	}
	return &cleanJob{writeJob: writes, answers: c.App.Reader}, nil
}

// clean removes the objects, and prints the result.
func (job *cleanJob) clean(ctx context.Context, r *report.Reporter) error {
	return job.run(ctx, r, func(ctx context.Context, cfg seed.Config) (any, error) {
		var (
			failures fileset.Failures
			foreign  foreign
		)
		cfg.OnFailed = func(e *scan.ObjectError) { _ = failures.Add([]*scan.ObjectError{e}) } // fails only with a file
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
			err = exit.Errorf(exit.Failures,
				"does a proxy answer instead of the store, or does somebody put objects? the same command tries again",
				"%s removed or gone are still listed", console.Count(stats.Left, "object that was",
					"objects that were"))
		case stats.Failed > 0:
			err = exit.Errorf(exit.Failures, "the same command tries again", "%s failed",
				console.Count(stats.Failed, "object", "objects"))
		case stats.Foreign > 0:
			err = exit.Errorf(exit.Failures, "", "%s not bench seed's were left",
				console.Count(stats.Foreign, "object that is", "objects that are"))
		}
		return &stats, err
	})
}

// ask returns nil if the user confirms. If there is nothing to remove, it does not ask.
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
		line, _ := bufio.NewReader(job.answers).ReadString('\n') // without an answer the line is empty
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

// foreignPrinted is how many foreign objects are printed.
const foreignPrinted = 10

// foreign counts the objects that are not bench seed's, and keeps the first few to be printed.
type foreign struct {
	first []string
	count int64
}

func (f *foreign) add(target string) {
	if f.count++; len(f.first) < foreignPrinted {
		f.first = append(f.first, target)
	}
}

// printForeign prints the objects that were left.
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

// printCleaned prints the outcomes of the objects.
func printCleaned(r *report.Reporter, s *seed.CleanStats) {
	text := console.Count(s.Listed, "object", "objects") + " listed = " + console.Number(s.Removed) + " removed + " +
		console.Number(s.Foreign) + " left + " + console.Number(s.Gone) + " gone + " + console.Number(s.Failed) +
		" failed"
	if rest := s.Listed - s.Removed - s.Foreign - s.Gone - s.Failed; rest > 0 {
		text += " + " + console.Number(rest) + " not reached"
	}
	text += ", below " + s.Folder
	if s.Left > 0 {
		text += ", where more are still listed: " + console.Number(s.Left)
	}
	printWritten(r, s, s.Complete, text, &s.Requests)
}
