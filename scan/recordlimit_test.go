package scan_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/scan"
	"headcount/scan/checkpoint"
	"headcount/scan/list"
)

// slowSink takes some milliseconds for each page, and counts the metadata of the Records that wait for their commit.
type slowSink struct {
	waiting, most atomic.Int64
	records       int
}

type countingChunk struct {
	sink           *slowSink
	records, bytes int64
}

func (s *slowSink) NewChunk() scan.Chunk { return &countingChunk{sink: s} }

func (c *countingChunk) Add(r *scan.Record) {
	metadata, _ := r.Metadata()
	for _, m := range metadata {
		c.bytes += int64(len(m.Value))
		if waiting := c.sink.waiting.Add(int64(len(m.Value))); waiting > c.sink.most.Load() {
			c.sink.most.Store(waiting)
		}
	}
	c.records++
}

func (s *slowSink) Commit(_ *list.Page, chunks []scan.Chunk) error {
	time.Sleep(60 * time.Millisecond)
	for _, chunk := range chunks {
		c := chunk.(*countingChunk)
		s.waiting.Add(-c.bytes)
		s.records += int(c.records)
	}
	return nil
}

func (*slowSink) Sync() (checkpoint.Position, error) { return checkpoint.Position{}, nil }
func (*slowSink) Close() error                       { return nil }

// Objects with long metadata do not fill the memory while the output is slow: the Records that wait are bounded in
// bytes, up to the batches that the workers have begun.
func TestRecordsAreBoundedInBytes(t *testing.T) {
	const (
		objects = 2_000
		value   = 20_000
		most    = 1_000_000
		workers = 4
		begun   = 2 * workers * 64 * value // a batch of each worker, and as much of the oldest page by the first one
	)
	long := strings.Repeat("v", value)
	answer := func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodHead {
			w.Header().Set("x-amz-meta-long", long)
		} else {
			query := r.URL.Query()
			query.Set("max-keys", "100")
			r.URL.RawQuery = query.Encode()
		}
		return false
	}
	_, url := startWithHandler(t, s3sim.Options{Objects: objects}, answer)
	sink := new(slowSink)
	s := newScan(t, scan.Config{Store: open(t, url), Workers: workers, Sink: sink, All: true})
	s.SetRecordBytesMax(most)
	if _, err := s.Run(t.Context()); err != nil || sink.records != objects {
		t.Fatalf("%d records, %v", sink.records, err)
	}
	if got := sink.most.Load(); got > most+begun {
		t.Errorf("%d bytes of metadata waited, want at most %d", got, most+begun)
	}
}
