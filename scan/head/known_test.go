package head_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scriptedEngine is an Engine whose answers are made up, and which notes what it was asked for at once.
type scriptedEngine struct {
	answer func(key string) head.Result
	asked  [][]string
	hints  []string // NewConn and Avoid of each batch
}

func (e *scriptedEngine) Name() string          { return "answering" }
func (e *scriptedEngine) Session() head.Session { return e }
func (e *scriptedEngine) Close()                {}

func (e *scriptedEngine) Head(_ context.Context, batch *head.Batch, each func(*head.Result)) error {
	e.hints = append(e.hints, fmt.Sprint(batch.NewConn, batch.Avoid != nil))
	var keys []string
	for i := 0; ; i++ {
		claimed := batch.Claim(1)
		if i == len(claimed) {
			break
		}
		keys = append(keys, claimed[i].Key)
		r := e.answer(claimed[i].Key)
		each(&r)
		if r.Source != head.FromHead {
			return errors.New("the Result is handed back with what was said of another")
		}
	}
	e.asked = append(e.asked, keys)
	return nil
}

func TestListedSessionAsksForTheRest(t *testing.T) {
	listed := list.Metadata{MatchesHead: true, Items: []list.Item{{Name: "a", Value: "1"}, {Name: "b", Value: ""}}}
	checked, inexact := listed, listed
	checked.Sample, inexact.MatchesHead = true, false
	for depth, want := range map[int]string{1: "[[1] [2] [4]]", 2: "[[1 2] [4]]", 8: "[[1 2] [4]]"} {
		engine := &scriptedEngine{answer: func(key string) head.Result {
			return head.Result{Status: 200, Metadata: []head.Field{{Name: []byte("a"), Value: []byte("1")}, {Name: []byte("b")}}}
		}}
		var entries []list.Entry
		for i := range 6 {
			entries = append(entries, list.Entry{Key: fmt.Sprint(i), Size: -1})
		}
		batch := head.NewBatch(entries)
		batch.Metadata = []list.Metadata{listed, checked, inexact, listed, {}, listed}
		var got []head.MetadataSource
		err := head.WithKnownMetadata(engine, depth).Session().Head(t.Context(), batch, func(r *head.Result) {
			if r.Status != 200 || len(r.Metadata) != 2 || string(r.Metadata[0].Value) != "1" || string(r.Metadata[1].Name) != "b" {
				t.Errorf("answer %d: %+v", len(got), r)
			}
			got = append(got, r.Source)
		})
		all := []head.MetadataSource{head.FromListing, head.MatchesListing, head.FromHead, head.FromListing, head.FromHead, head.FromListing}
		if err != nil || !slices.Equal(got, all) || fmt.Sprint(engine.asked) != want {
			t.Errorf("depth %d: %v, %v; asked %v, want %s", depth, err, got, engine.asked, want)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	batch := head.NewBatch(make([]list.Entry, 1))
	batch.Metadata = []list.Metadata{listed}
	if err := head.WithKnownMetadata(&scriptedEngine{}, 1).Session().Head(ctx, batch, func(*head.Result) { t.Error("answered") }); err != why {
		t.Errorf("after the end: %v", err)
	}
}

// NewConn and Avoid of a batch are those of the first HEAD that is sent for it, and of no other.
func TestKnownMetadataSessionPassesNewConnAndAvoid(t *testing.T) {
	known := list.Metadata{MatchesHead: true}
	engine := &scriptedEngine{answer: func(string) head.Result { return head.Result{Status: 200} }}
	session := head.WithKnownMetadata(engine, 1).Session()
	batch := head.NewBatch(make([]list.Entry, 3))
	for _, metadata := range [][]list.Metadata{{known, {}, {}}, nil, {{}, known, {}}} {
		batch.Reset(make([]list.Entry, 3))
		batch.Metadata = metadata
		batch.NewConn, batch.Avoid = len(engine.hints) < 3, new(store.Address)
		if err := session.Head(t.Context(), batch, func(*head.Result) {}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := fmt.Sprint(engine.hints), "[true true false false true true false true false false]"; got != want {
		t.Errorf("NewConn and Avoid of the batches: %s, want %s", got, want)
	}
	if batch.Reset(nil); batch.NewConn || batch.Avoid != nil || batch.Metadata != nil {
		t.Error("Reset keeps what was set for the batch before")
	}
}

func TestListedSessionCompares(t *testing.T) {
	field := func(name, value string) head.Field { return head.Field{Name: []byte(name), Value: []byte(value)} }
	a, b := field("a", "1"), field("b", "2")
	for name, c := range map[string]struct {
		answer head.Result
		want   head.MetadataSource
	}{
		"the same":              {head.Result{Status: 200, Metadata: []head.Field{a, b}}, head.MatchesListing},
		"another value":         {head.Result{Status: 200, Metadata: []head.Field{a, field("b", "3")}}, head.DiffersFromListing},
		"another name":          {head.Result{Status: 200, Metadata: []head.Field{a, field("c", "2")}}, head.DiffersFromListing},
		"one less":              {head.Result{Status: 200, Metadata: []head.Field{a}}, head.DiffersFromListing},
		"one more":              {head.Result{Status: 200, Metadata: []head.Field{a, b, field("c", "3")}}, head.DiffersFromListing},
		"none":                  {head.Result{Status: 200}, head.DiffersFromListing},
		"some missing":          {head.Result{Status: 200, Metadata: []head.Field{a, b}, Headers: []head.Field{field("x-amz-missing-meta", "1")}}, head.DiffersFromListing},
		"another storage class": {head.Result{Status: 200, Metadata: []head.Field{a, b}, Headers: []head.Field{field("x-amz-storage-class", "COLD")}}, head.DiffersFromListing},
		"its storage class":     {head.Result{Status: 200, Metadata: []head.Field{a, b}, Headers: []head.Field{field("x-amz-storage-class", "WARM")}}, head.MatchesListing},
		"another object's":      {head.Result{Status: 200, Mismatch: true}, head.FromHead},
		"gone":                  {head.Result{Status: 404}, head.FromHead},
		"no answer":             {head.Result{Err: errors.New("reset")}, head.FromHead},
	} {
		t.Run(name, func(t *testing.T) {
			batch := head.NewBatch([]list.Entry{{Key: "k", StorageClass: "WARM"}})
			batch.Metadata = []list.Metadata{{MatchesHead: true, Sample: true, Items: []list.Item{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}}}
			session := head.WithKnownMetadata(&scriptedEngine{answer: func(string) head.Result { return c.answer }}, 1).Session()
			if err := session.Head(t.Context(), batch, func(r *head.Result) {
				if r.Source != c.want {
					t.Errorf("%d, want %d", r.Source, c.want)
				}
			}); err != nil {
				t.Error(err)
			}
		})
	}
}
