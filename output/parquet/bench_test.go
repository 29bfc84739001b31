package parquet

import (
	"fmt"
	"io"
	"testing"
)

// BenchmarkRow is the cost of a row in the Writer: values, pages and compression.
func BenchmarkRow(b *testing.B) {
	columns := []Column{{"key", Text}, {"size", Int}, {"last_modified", Time}, {"etag", Text}, {"metadata", Map}}
	const rowsMax = 1000
	var pages [20]Rows
	for i := range pages {
		for j := range rowsMax {
			n := i*rowsMax + j
			pairs := []pair{{"id", fmt.Sprintf("%016x", uint64(n)*0x9e3779b97f4a7c15)}, {"owner", []string{"alice", "bob"}[n%2]}}
			if n%3 == 0 {
				pairs = append(pairs, pair{"project", "apollo"})
			}
			addRow(&pages[i], columns, []any{
				fmt.Sprintf("2026/11/%02d/event-%012d.json", n%30, n), int64(n * 7919 % 1_000_003),
				int64(1.79e15) + int64(n)*1000, fmt.Sprintf("%016x%016x", uint64(n)*0xbf58476d1ce4e5b9, uint64(n)*0x94d049bb133111eb),
				pairs,
			})
		}
	}
	w, err := NewWriter(io.Discard, columns, "")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() { // a row
		if i++; i%rowsMax == 0 {
			if err := w.Append(&pages[i/rowsMax%len(pages)]); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(w.at)/float64(b.N), "B/row")
}
