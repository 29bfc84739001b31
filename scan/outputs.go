package scan

import (
	"cmp"
	"maps"

	"headcount/scan/checkpoint"
	"headcount/scan/list"
)

// outputs are what a run writes to. Only the committer uses them.
type outputs struct {
	sink     Sink
	failures FailureSink
	gone     FailureSink
	listOnly func(*list.Page) // nil: HEADs are sent

	begin   func() error // nil: there is nothing to replace
	begun   bool
	partial bool // a page was written in part, or as a whole and not counted
}

// start replaces the results of an earlier run, before the first page is written.
func (o *outputs) start() error {
	if o.begun {
		return nil
	}
	if o.begin != nil {
		if err := o.begin(); err != nil {
			return err
		}
	}
	o.begun = true
	return nil
}

// write writes one page.
func (o *outputs) write(p *page) error {
	if err := o.start(); err != nil {
		return err
	}
	o.partial = true
	if len(p.Entries) > 0 { // otherwise the page only says that its Range has no more keys
		if err := o.sink.Commit(p.Page, p.chunks()); err != nil {
			return &OutputError{Err: err}
		}
	}
	if err := o.fail(p.failures); err != nil {
		return err
	}
	if len(p.gone) > 0 {
		if err := o.gone.Add(p.gone); err != nil {
			return &OutputError{What: "missing keys", Err: err}
		}
	}
	if o.listOnly != nil && len(p.Entries) > 0 {
		o.listOnly(p.Page)
	}
	o.partial = false
	return nil
}

// fail stores objects that failed.
func (o *outputs) fail(failures []*ObjectError) error {
	if len(failures) == 0 {
		return nil
	}
	if err := o.failures.Add(failures); err != nil {
		return &OutputError{What: "failures", Err: err}
	}
	return nil
}

// sync returns the Positions of the sinks, those that have one, when all that is committed is on disk.
func (o *outputs) sync() (map[string]checkpoint.Position, error) {
	output, err := o.sink.Sync()
	if err != nil {
		return nil, &OutputError{Err: err}
	}
	failures, err := o.failures.Sync()
	if err != nil {
		return nil, &OutputError{What: "failures", Err: err}
	}
	gone, err := o.gone.Sync()
	if err != nil {
		return nil, &OutputError{What: "missing keys", Err: err}
	}
	positions := map[string]checkpoint.Position{
		checkpoint.PositionOutput: output, checkpoint.PositionErrors: failures, checkpoint.PositionMissing: gone,
	}
	maps.DeleteFunc(positions, func(_ string, at checkpoint.Position) bool { return at == checkpoint.Position{} })
	return positions, nil
}

// close closes all sinks and returns the first error. complete is for an EndingSink.
func (o *outputs) close(complete bool) error {
	if ending, ok := o.sink.(EndingSink); ok {
		ending.End(complete)
	}
	sinkErr, failuresErr, goneErr := o.sink.Close(), o.failures.Close(), o.gone.Close()
	if err := cmp.Or(sinkErr, failuresErr, goneErr); err != nil {
		return &OutputError{Err: err}
	}
	return nil
}
