package scan_test

import (
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/output"
	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/head"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/pace"
)

// pageKeys is the number of objects of one iteration.
const pageKeys = 1000

// BenchmarkHeads sends the HEADs of a page of objects and encodes their lines, without a LIST and without the stages.
// It reports allocations per page, which should be close to zero. The store runs in the same process, so the time
// includes the server's; "bench engines" measures the time of the client alone.
func BenchmarkHeads(b *testing.B) {
	for name, pipeline := range map[string]int{"direct": 1, "pipelined8": 8} {
		b.Run(name, func(b *testing.B) {
			server, url := simtest.Start(b, s3sim.Options{Objects: pageKeys})
			engine, _, err := engine.Open(engine.Direct, head.Config{
				Store: open(b, url), Limiter: new(pace.Limiter), Timeout: 30 * time.Second, Pipeline: pipeline,
			})
			if err != nil {
				b.Fatal(err)
			}
			session := engine.Session()
			b.Cleanup(session.Close)
			entries := make([]list.Entry, pageKeys)
			for i := range entries {
				key := server.Keyspace().Key(int64(i))
				entries[i] = list.Entry{
					Key:  string(key),
					Size: server.Object(key).Size(),
					ETag: strings.Trim(server.Object(key).ETag(), `"`),
				}
			}
			fields, err := field.Parse("key,metadata")
			if err != nil {
				b.Fatal(err)
			}
			sink := output.NewJSONLines(output.Stream(b.Context(), io.Discard), fields)
			chunks := []scan.Chunk{nil}
			var record scan.Record
			at := 0
			add := func(r *head.Result) {
				record = scan.NewRecord(&entries[at], r, false)
				chunks[0].Add(&record)
				at++
			}
			b.ReportAllocs()
			for b.Loop() {
				chunks[0], at = sink.NewChunk(), 0
				if err := session.Head(b.Context(), head.NewBatch(entries), add); err != nil {
					b.Fatal(err)
				}
				if err := sink.Commit(nil, chunks); err != nil {
					b.Fatal(err)
				}
			}
			if at != pageKeys {
				b.Fatalf("got %d answers, want %d", at, pageKeys)
			}
		})
	}
}

// BenchmarkScan scans a bucket of b.N pages with all stages. It reports allocations per object; nearly all of them are
// the SDK's, which sends a LIST for each page.
func BenchmarkScan(b *testing.B) {
	fields, err := field.Parse("key,metadata")
	if err != nil {
		b.Fatal(err)
	}
	_, url := simtest.Start(b, s3sim.Options{Objects: int64(b.N) * pageKeys})
	s := newScan(
		b,
		scan.Config{Store: open(b, url), Sink: output.NewJSONLines(output.Stream(b.Context(), io.Discard), fields), Workers: 16},
	)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	stats, err := s.Run(b.Context())
	b.StopTimer()
	runtime.ReadMemStats(&after)
	if err != nil || stats.Listed != int64(b.N)*pageKeys {
		b.Fatalf("got %+v, error %v; want %d objects", stats, err, b.N*pageKeys)
	}
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(stats.Listed), "allocs/object")
	b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/float64(stats.Listed), "B/object")
}
