package headtest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// TB is a *testing.T or a *rapid.T.
type TB interface {
	Helper()
	Error(args ...any)
	Fatal(args ...any)
	Cleanup(func())
	Context() context.Context
}

// NewEngine makes the Engine that is tested.
type NewEngine func(head.Config) head.Engine

// Timeout is the timeout of a HEAD in tests that wait for none: longer than the slowest machine needs.
const Timeout = time.Minute

// OpenSession opens a Session of the Engine that newEngine makes, for a store at these URLs. It sets the Store of
// cfg, and sets Limiter and Timeout where they are missing.
func OpenSession(t TB, newEngine NewEngine, cfg head.Config, urls ...string) head.Session {
	t.Helper()
	opened, err := store.Open(t.Context(), store.Config{
		Bucket: "b", Endpoints: urls, Isolated: true, Region: "us-east-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(opened.Close)
	return OpenSessionOn(t, opened, newEngine, cfg)
}

// OpenSessionOn is OpenSession for an open Store.
func OpenSessionOn(t TB, opened *store.Store, newEngine NewEngine, cfg head.Config) head.Session {
	t.Helper()
	cfg.Store = opened
	if cfg.Limiter == nil {
		cfg.Limiter = new(pace.Limiter)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = Timeout
	}
	session := newEngine(cfg).Session()
	t.Cleanup(session.Close)
	return session
}

// Head sends HEADs for entries and returns copies of their Results.
func Head(t TB, session head.Session, entries []list.Entry) []head.Result {
	t.Helper()
	results := HeadBatch(t, session, head.NewBatch(entries))
	if len(results) != len(entries) {
		t.Fatal(len(results), "results for", len(entries), "keys")
	}
	return results
}

// HeadBatch sends HEADs for a batch and returns copies of their Results.
func HeadBatch(t TB, session head.Session, batch *head.Batch) []head.Result {
	t.Helper()
	var results []head.Result
	err := session.Head(t.Context(), batch, func(r *head.Result) { results = append(results, clone(r)) })
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// clone copies a Result out of its Session's memory.
func clone(r *head.Result) head.Result {
	c := *r
	c.Metadata, c.Headers, c.OtherPrefix = cloneHeaders(r.Metadata), cloneHeaders(r.Headers), bytes.Clone(r.OtherPrefix)
	return c
}

func cloneHeaders(fields []head.Header) []head.Header {
	copies := make([]head.Header, len(fields))
	for i, f := range fields {
		copies[i] = head.Header{Name: bytes.Clone(f.Name), Value: bytes.Clone(f.Value)}
	}
	return copies
}

// Expect sends HEADs for keys, and expects Answer for each of them.
func Expect(t TB, session head.Session, keys ...string) {
	t.Helper()
	for i, r := range Head(t, session, Entries(keys...)) {
		if !IsAnswer(&r, keys[i]) {
			t.Error(fmt.Sprintf("%s: status %d, error %v, metadata %s", keys[i], r.Status, r.Err, r.Metadata))
		}
	}
}

// Class returns the Class of a Result's error, or nothing if the Result has no error.
func Class(r *head.Result) fault.Class {
	if r.Err == nil {
		return ""
	}
	return fault.ClassOf(r.Err)
}

// headKeys sends HEADs for keys whose LIST had neither ETag nor size.
func headKeys(t *testing.T, session head.Session, keys ...string) []head.Result {
	t.Helper()
	return Head(t, session, unlistedEntries(keys))
}

func unlistedEntries(keys []string) []list.Entry {
	entries := make([]list.Entry, len(keys))
	for i, key := range keys {
		entries[i] = list.Entry{Key: key, Size: -1}
	}
	return entries
}
