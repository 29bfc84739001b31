package output

import "headcount/scan"

// Discard is a scan.Sink that keeps nothing, for runs of which only the account is wanted. Its zero value is ready.
type Discard struct{}

// NewChunk returns a Chunk that drops its Records.
func (Discard) NewChunk() scan.Chunk { return discarded{} }

// Commit does nothing.
func (Discard) Commit([]scan.Chunk) error { return nil }

type discarded struct{}

func (discarded) Add(*scan.Record) {}
