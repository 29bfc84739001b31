package scan

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headcount/scan/checkpoint"
	"headcount/scan/head"
	"headcount/scan/list"
)

// longValue is the bytes of metadata that each object of a test of the recordLimit has.
const longValue = 20_000

// waitingSink counts the Records that wait for their commit. Each commit waits for its turn.
type waitingSink struct {
	turn    func()
	waiting atomic.Int64
	records int
}

type countingChunk struct {
	sink    *waitingSink
	records int
}

func (s *waitingSink) NewChunk() Chunk { return &countingChunk{sink: s} }

func (c *countingChunk) Add(*Record) {
	c.records++
	c.sink.waiting.Add(1)
}

func (s *waitingSink) Commit(_ *list.Page, chunks []Chunk) error {
	s.turn()
	for _, chunk := range chunks {
		n := chunk.(*countingChunk).records
		s.waiting.Add(int64(-n))
		s.records += n
	}
	return nil
}

func (*waitingSink) Sync() (checkpoint.Position, error) { return checkpoint.Position{}, nil }
func (*waitingSink) Close() error                       { return nil }

// longRecords is a simulation whose objects have long metadata.
func longRecords(keys int) *simulation {
	return &simulation{
		keys: keys, answer: answersAfter(10 * time.Millisecond),
		metadata: []head.Header{{Name: []byte("long"), Value: []byte(strings.Repeat("v", longValue))}},
	}
}

// While the output is blocked, the Records that wait are bounded in bytes, up to the batches that the workers have
// begun. It makes no difference whether finished pages wait behind the one that is being written.
func TestRecordsAreBoundedInBytes(t *testing.T) {
	for _, most := range []int{1_200, 2_500} { // Records
		for _, workers := range []int{1, 4, 100} {
			t.Run(fmt.Sprint(most, workers), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					blocked := make(chan struct{})
					sink := &waitingSink{turn: func() { <-blocked }}
					sim := longRecords(10_000)
					s := sim.newScan(t, Config{Workers: workers, Sink: sink, All: true})
					s.pool.records.max = int64(most) * longValue
					time.AfterFunc(10*time.Minute, func() {
						begun := workers * s.pool.batchSize()
						if n := int(sink.waiting.Load()); n < most*9/10 || n > most+begun {
							t.Errorf("%d Records waited, want about %d and %d that were begun", n, most, begun)
						}
						close(blocked)
					})
					if _, err := s.Run(t.Context()); err != nil || sink.records != sim.keys {
						t.Errorf("%d Records, %v", sink.records, err)
					}
				})
			})
		}
	}
}

// A run ends also if a single page has more bytes of Records than the limit: ordered or not, with objects that are sent
// again or verified, and with answers that only Settle makes final.
func TestRecordLimitBelowOnePage(t *testing.T) {
	for _, workers := range []int{1, 4, 100} {
		for _, ordered := range []bool{false, true} {
			t.Run(fmt.Sprint(workers, ordered), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
					defer cancel()
					sink := &waitingSink{turn: func() { time.Sleep(50 * time.Millisecond) }}
					sim := longRecords(5_000)
					sim.vouches = true
					sim.answer = func(key string, n int) simulatedAnswer {
						a := simulatedAnswer{after: 10 * time.Millisecond}
						switch {
						case n > 1:
						case strings.HasSuffix(key, "7"):
							a.status = http.StatusInternalServerError
						case strings.HasSuffix(key, "99"):
							a.status = http.StatusForbidden
						}
						return a
					}
					s := sim.newScan(t, Config{Workers: workers, Sink: sink, All: true, Ordered: ordered})
					s.pool.records.max = 100 * longValue
					if stats, err := s.Run(ctx); err != nil || sink.records != sim.keys {
						t.Errorf("%d Records, %v; %+v", sink.records, err, stats.Outcomes)
					}
					if n := s.pool.records.bytes.Load(); n != 0 {
						t.Errorf("%d bytes are left", n)
					}
				})
			})
		}
	}
}

// Workers that wait for the recordLimit have no work: the output limits the run.
func TestRecordLimitIsLimitedByOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &waitingSink{turn: func() { time.Sleep(2 * time.Second) }}
		sim := longRecords(20_000)
		s := sim.newScan(t, Config{Workers: 64, Sink: sink, All: true})
		s.pool.records.max = 1_500 * longValue
		stats, err := s.Run(t.Context())
		if err != nil || stats.LimitedBy != "output" {
			t.Errorf("limited by %s (%s), error %v; want output", stats.LimitedBy, stats.LimitedByReason, err)
		}
	})
}
