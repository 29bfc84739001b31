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

// scriptedEngine is an Engine that sends nothing. It records the keys of each batch.
type scriptedEngine struct {
	answer  func(key string) head.Result
	batches [][]string
	hints   []string // NewConn and Avoid of each batch
}

func (e *scriptedEngine) Trust() head.Trust            { return head.Trust{} }
func (e *scriptedEngine) Settle(context.Context) error { return nil }

func (e *scriptedEngine) Name() string          { return "scripted" }
func (e *scriptedEngine) Session() head.Session { return e }
func (e *scriptedEngine) Close()                {}

func (e *scriptedEngine) Head(_ context.Context, batch *head.Batch, onResult func(*head.Result)) error {
	e.hints = append(e.hints, fmt.Sprint(batch.NewConn, batch.Avoid != nil))
	var keys []string
	for i := 0; ; i++ {
		claimed := batch.Claim(1)
		if i == len(claimed) {
			break
		}
		keys = append(keys, claimed[i].Key)
		r := e.answer(claimed[i].Key)
		onResult(&r)
		if r.Source != head.FromHead {
			return errors.New("the Result keeps the Source of an earlier object")
		}
	}
	e.batches = append(e.batches, keys)
	return nil
}

func field(name, value string) head.Header {
	return head.Header{Name: []byte(name), Value: []byte(value)}
}

// HEADs are sent for samples and for objects whose metadata in the listing may differ from a HEAD's, and for no
// others.
func TestKnownMetadataSessionSendsTheRest(t *testing.T) {
	const (
		fromListing = head.FromListing
		matches     = head.MatchesListing
		fromHead    = head.FromHead
	)
	known := list.Metadata{MatchesHead: true, Items: []list.Item{{Name: "a", Value: "1"}, {Name: "b", Value: ""}}}
	sample, uncertain := known, known
	sample.Sample, uncertain.MatchesHead = true, false
	for depth, want := range map[int]string{1: "[[1] [2] [4]]", 2: "[[1 2] [4]]", 8: "[[1 2] [4]]"} {
		engine := &scriptedEngine{answer: func(string) head.Result {
			return head.Result{Status: 200, Metadata: []head.Header{field("a", "1"), field("b", "")}}
		}}
		var entries []list.Entry
		for i := range 6 {
			entries = append(entries, list.Entry{Key: fmt.Sprint(i), Size: -1})
		}
		batch := head.NewBatch(entries)
		batch.Metadata = []list.Metadata{known, sample, uncertain, known, {}, known}
		var got []head.MetadataSource
		err := head.WithKnownMetadata(engine, depth).Session().Head(t.Context(), batch, func(r *head.Result) {
			m := r.Metadata
			if r.Status != 200 || len(m) != 2 || string(m[0].Value) != "1" || string(m[1].Name) != "b" {
				t.Errorf("result %d: %+v", len(got), r)
			}
			got = append(got, r.Source)
		})
		wantSources := []head.MetadataSource{fromListing, matches, fromHead, fromListing, fromHead, fromListing}
		if err != nil || !slices.Equal(got, wantSources) || fmt.Sprint(engine.batches) != want {
			t.Errorf("depth %d: %v, sources %v, batches %v, want %s", depth, err, got, engine.batches, want)
		}
	}
}

func TestKnownMetadataSessionStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("stop")
	cancel(cause)
	batch := head.NewBatch(make([]list.Entry, 1))
	batch.Metadata = []list.Metadata{{MatchesHead: true}}
	session := head.WithKnownMetadata(&scriptedEngine{}, 1).Session()
	if err := session.Head(ctx, batch, func(*head.Result) { t.Error("there is a Result") }); err != cause {
		t.Errorf("the error is %v", err)
	}
}

// NewConn and Avoid of a batch apply to the first HEAD that is sent for it, and to no other.
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
	const want = "[true true false false true true false true false false]"
	if got := fmt.Sprint(engine.hints); got != want {
		t.Errorf("NewConn and Avoid of the batches: %s, want %s", got, want)
	}
	if batch.Reset(nil); batch.NewConn || batch.Avoid != nil || batch.Metadata != nil {
		t.Error("Reset keeps fields of the batch before")
	}
}

func TestKnownMetadataSessionCompares(t *testing.T) {
	const (
		fromHead = head.FromHead
		matches  = head.MatchesListing
		differs  = head.DiffersFromListing
	)
	type fields = []head.Header
	a, b := field("a", "1"), field("b", "2")
	ok := func(metadata fields, headers ...head.Header) head.Result {
		return head.Result{Status: 200, Metadata: metadata, Headers: headers}
	}
	for name, c := range map[string]struct {
		result head.Result
		want   head.MetadataSource
	}{
		"the same":               {ok(fields{a, b}), matches},
		"another value":          {ok(fields{a, field("b", "3")}), differs},
		"another name":           {ok(fields{a, field("c", "2")}), differs},
		"one less":               {ok(fields{a}), differs},
		"one more":               {ok(fields{a, b, field("c", "3")}), differs},
		"none":                   {ok(nil), differs},
		"some missing":           {ok(fields{a, b}, field("x-amz-missing-meta", "1")), differs},
		"another storage class":  {ok(fields{a, b}, field("x-amz-storage-class", "COLD")), differs},
		"the same storage class": {ok(fields{a, b}, field("x-amz-storage-class", "WARM")), matches},
		"another object":         {head.Result{Status: 200, Mismatch: true}, fromHead},
		"not found":              {head.Result{Status: 404}, fromHead},
		"no answer":              {head.Result{Err: errors.New("reset")}, fromHead},
	} {
		t.Run(name, func(t *testing.T) {
			batch := head.NewBatch([]list.Entry{{Key: "k", StorageClass: "WARM"}})
			batch.Metadata = []list.Metadata{{
				MatchesHead: true, Sample: true, Items: []list.Item{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}},
			}}
			engine := &scriptedEngine{answer: func(string) head.Result { return c.result }}
			session := head.WithKnownMetadata(engine, 1).Session()
			if err := session.Head(t.Context(), batch, func(r *head.Result) {
				if r.Source != c.want {
					t.Errorf("source %d, want %d", r.Source, c.want)
				}
			}); err != nil {
				t.Error(err)
			}
		})
	}
}
