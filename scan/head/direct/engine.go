// Package direct is the engine that signs requests (Signature Version 4) and speaks HTTP/1.1 by itself.
//
// A session is one worker's head.Session: it owns one conn, a connection to the store. It sends HEADs in bursts: up to
// Config.Pipeline requests that are in flight together on the conn. A requestTemplate holds the parts of a request that
// are the same for every key. A response is a head.Result with the parser of answers. A socket is the TCP connection
// below a conn. With it, a HEAD needs two system calls instead of three.
//
// A HEAD allocates nothing and costs little more than its system calls.
package direct

import (
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"headcount/scan/head"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// Name is the engine's name.
const Name = "direct"

// engine is the head.Engine. It connects to the endpoints that the SDK resolves (store.Route).
//
// With a depth over 1, that many HEADs are in flight on one connection (pipelining, RFC 9112 §9.3.2). A store without
// support for that closes the connection or answers out of step. Unanswered HEADs are then sent again, one at a time.
type engine struct {
	store    *store.Store
	limiter  *pace.Limiter
	timeout  time.Duration // of a whole HEAD
	depth    int
	expected *head.Expected
	log      *slog.Logger

	metadataPrefix string               // head.Config.MetadataPrefix
	headers        []head.RequestHeader // of every HEAD, beside those of each signed request

	sessions  atomic.Int64 // sessions made so far; the number lets them start at different endpoints
	scratches sync.Pool    // of *scratch
	templates sync.Map     // of *latestTemplate, by *store.Route

	// The store closes connections between two HEADs without an event of the poller. So every request is written at
	// once, and every read tries before it waits (see socket).
	silentClose    atomic.Bool
	idsRepeat      atomic.Bool // the store gives all requests the same request ID
	pipelineWarned sync.Once   // the log has the warning that pipelining failed
}

// scratch is the working memory that a session needs while it does not wait for the store. Hundreds of sessions wait
// while a few work. The few scratches of the working sessions stay in the processor's cache.
type scratch struct {
	signer    signer
	out       []byte     // the requests of the burst
	responses []response // of the burst
}

// New returns the engine. It cannot send the requests of a Store whose DirectUnsupported is not nil.
func New(cfg head.Config) head.Engine {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	e := &engine{
		store: cfg.Store, limiter: cfg.Limiter, timeout: cfg.Timeout, depth: max(1, cfg.Pipeline),
		expected: cfg.Expected, log: cfg.Log, metadataPrefix: cfg.MetadataPrefix,
		headers: slices.Clone(cfg.Headers),
	}
	if payer := cfg.Store.RequestPayer(); payer != "" {
		e.headers = append(e.headers, head.RequestHeader{Name: "x-amz-request-payer", Value: string(payer)})
	}
	e.scratches.New = func() any { return newScratch(e.depth, e.metadataPrefix) }
	return e
}

func newScratch(depth int, metadataPrefix string) *scratch {
	s := &scratch{signer: newSigner(), responses: make([]response, depth)}
	for i := range s.responses {
		s.responses[i].prefix = metadataPrefix
	}
	return s
}

func (e *engine) Name() string { return Name }

// Session returns a session without a connection. It connects when it sends its first HEAD.
func (e *engine) Session() head.Session {
	s := &session{engine: e, turn: int(e.sessions.Add(1)) - 1}
	s.onWait = s.releaseScratch
	return s
}
