// Package head sends HEADs for the objects of a listing and returns their metadata.
//
// An Engine is a way to send HEADs. A Session sends the HEADs of one worker. A Batch is the list.Entries that a
// Session asks for. A Result is the outcome of one HEAD. A Header is one header field of an answer.
//
// An Engine only reports answers and failures. The scan decides what an answer means and whether to send another HEAD.
// So the same rules of retries, pace and counting apply to all engines. One conformance suite, package headtest, tests
// them.
//
// The engines are packages of their own: head/direct and head/sdk. Package head/engine opens one by its name.
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
	// Name is the name that --engine takes.
	Name() string

	// Session returns a new Session for one worker. It sends nothing.
	Session() Session
}

// Session sends the HEADs of one worker. It must not be used concurrently.
type Session interface {
	// Head claims entries of batch, sends one HEAD for each of them, and calls onResult with each Result, in the order
	// of batch. Before it sends, it waits for the Limiter. It does not retry, with one exception: see Result.Resent.
	//
	// The Result belongs to the Session. The Result and all that it points to are valid until onResult returns.
	//
	// Head returns an error only when ctx ends: the cause of ctx. It has called onResult for a part of the entries by
	// then. A failure of one object is in the object's Result.
	Head(ctx context.Context, batch *Batch, onResult func(*Result)) error

	// Trust returns which Results so far are final. The Session goes on to vouch for earlier Results while it sends: a
	// caller that holds the Results of one Head call may ask again during the next one.
	Trust() Trust

	// Settle decides about all Results so far: afterwards each is final or in doubt. It may wait for two latencies of
	// the store, and send HEADs of its own. It returns an error only when ctx ends: the cause of ctx.
	Settle(ctx context.Context) error

	// Close frees what the Session holds. It is called once, as the last method.
	Close()
}

// RequestHeader is a header of a request.
type RequestHeader struct{ Name, Value string }

// Config configures an Engine. Store and Limiter are required.
type Config struct {
	Store    *store.Store
	Limiter  *pace.Limiter // every HEAD waits for it
	Timeout  time.Duration // of a whole HEAD, from the end of that wait
	Pipeline int           // HEADs in flight on one connection; below 1 means 1. Only the direct engine uses it.
	Expected *Expected     // differences from the LIST; nil expects none

	// MetadataPrefix begins the names of headers that are custom metadata too, in lower case; empty: only those with the
	// constant MetadataPrefix are.
	MetadataPrefix string

	// Headers are further headers of every HEAD, as x-amz-checksum-mode. Their names are in lower case and begin with
	// x-amz-; they are signed.
	Headers []RequestHeader

	Log *slog.Logger // nil discards
}
