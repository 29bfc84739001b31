package scan

import (
	"headcount/scan/checkpoint"
	"headcount/scan/list"
)

// Sink turns Records into bytes and stores them: a file, standard output, a count. The workers encode: each of them
// adds Records to Chunks of its own, all at once. One goroutine commits: it calls Commit, Sync and Close, one after the
// other.
//
// A Checkpoint counts a page only after Commit and then Sync have returned nil. A run is complete only after Close has
// returned nil.
type Sink interface {
	// NewChunk returns an empty Chunk, perhaps one that Commit has taken back. Workers call it concurrently.
	NewChunk() Chunk

	// Commit takes the Records of one page, in the order of its Chunks: all of them, or it returns an error, which ends
	// the run. It is called once for each page that lists objects, even if no object has a Record. It may keep bytes in
	// memory until Sync. It takes the Chunks back; page is valid until Commit returns.
	Commit(page *list.Page, chunks []Chunk) error

	// Sync returns when the Records of all committed pages are on disk, and the Position behind them: a later run that
	// begins there continues this one. A Sink that nobody can continue, such as standard output, returns the zero
	// Position. After a failed Commit its error says that there is no such Position.
	Sync() (checkpoint.Position, error)

	// Close ends the output. It is called once, last, also after an error.
	Close() error
}

// GroupingSink is a Sink that writes Records in groups, and prefers large ones: the Records between two Syncs.
type GroupingSink interface {
	Sink

	// SyncDue reports whether the next Checkpoint of a running scan is worth a Sync. Until it is, the Checkpoint before
	// stays. Sync is called at the end of a run in any case. The goroutine that calls Commit calls SyncDue.
	SyncDue() bool
}

// EndingSink is a Sink whose output says whether it is that of a complete run.
type EndingSink interface {
	Sink

	// End is called once, before Close. complete is set if every key of the Range has its Outcome, and nothing failed
	// that ends a run.
	End(complete bool)
}

// Chunk is the encoded Records of some neighbouring objects of one page. One worker uses it at a time.
type Chunk interface {
	// Add appends a Record. The Record is valid until Add returns (see Record.Clone).
	Add(*Record)
}

// FailureSink stores the objects that failed. One goroutine calls its methods, in the order of the committed pages;
// what Sink says of Sync and Close holds here too.
type FailureSink interface {
	// Add stores the failures of one page.
	Add(page []*ObjectError) error
	Sync() (checkpoint.Position, error)
	Close() error
}

// FailureFunc is a FailureSink that calls a function for each object and stores nothing.
type FailureFunc func(*ObjectError) error

// Add calls f for each failure.
func (f FailureFunc) Add(page []*ObjectError) error {
	for _, e := range page {
		if err := f(e); err != nil {
			return err
		}
	}
	return nil
}

// Sync returns the zero Position.
func (FailureFunc) Sync() (checkpoint.Position, error) { return checkpoint.Position{}, nil }

// Close does nothing.
func (FailureFunc) Close() error { return nil }

// discard is the Sink and FailureSink of a Config that names none: the run only counts.
type discard struct{}

func (discard) NewChunk() Chunk                    { return discardedChunk{} }
func (discard) Commit(*list.Page, []Chunk) error   { return nil }
func (discard) Add([]*ObjectError) error           { return nil }
func (discard) Sync() (checkpoint.Position, error) { return checkpoint.Position{}, nil }
func (discard) Close() error                       { return nil }

type discardedChunk struct{}

func (discardedChunk) Add(*Record) {}
