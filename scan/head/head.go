// Package head asks for the metadata of objects: an Engine sends HEADs and hands back Results.
//
// An Engine tries everything once and judges nothing: it tells what the store answered, and the scan decides what
// that means and whether to ask again. So all engines are retried, paced and counted by the same rules, and one
// conformance suite (package headtest) holds for each of them.
package head

import (
	"context"
	"log/slog"
	"time"

	"headcount/scan/pace"
	"headcount/scan/store"
)

// Engine is a way to send HEADs. Its methods may be called concurrently.
type Engine interface {
	// Name is what --engine calls it.
	Name() string

	// Session returns a new Session for one worker. It sends nothing.
	Session() Session
}

// Session sends the HEADs of one worker. It is not called concurrently.
type Session interface {
	// Head sends one HEAD for each entry that it can claim of batch, just before it is sent, and calls each once for every one of them, in the
	// order of batch, with what became of it. It tries every HEAD once (but see Result.Lost) and waits for its pace before it does.
	//
	// The Result belongs to the Session: it and all that it points to are valid until each returns.
	//
	// Head returns an error when ctx ends, its cause; each was called then for the entries before. What fails for one
	// object is in its Result.
	Head(ctx context.Context, batch *Batch, each func(*Result)) error

	// Close gives back what the Session holds. It is called once, last.
	Close()
}

// Config says how HEADs are sent. Store and Limiter must be set.
type Config struct {
	Store    *store.Store
	Limiter  *pace.Limiter // that every HEAD waits for
	Timeout  time.Duration // of a HEAD, from then on
	Pipeline int           // HEADs in flight on a connection of the direct engine; below 1 is 1
	Log      *slog.Logger  // nil: silent
}
