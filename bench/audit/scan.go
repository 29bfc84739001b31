package audit

import (
	"context"

	"headcount/scan"
	"headcount/scan/head/engine"
	"headcount/scan/metrics"
	"headcount/scan/store"
)

// ScanCommand is the command of bench/dev that calls Scan.
const ScanCommand = "audit-scan"

// Scan is the case scan: it makes the Record of every object, and drops it.
func Scan(ctx context.Context, url string, workers, pipeline int) (metrics.Stats, error) {
	opened, err := store.Open(ctx, store.Config{
		Bucket: bucket, Endpoints: []string{url}, Connections: workers + 1, // one for the LISTs
	})
	if err != nil {
		return metrics.Stats{}, err
	}
	defer opened.Close()
	s, err := scan.New(scan.Config{
		Store: opened, All: true, Engine: engine.Direct, Workers: workers, Pipeline: pipeline,
		Listers: scan.ListersAuto,
	})
	if err != nil {
		return metrics.Stats{}, err
	}
	return s.Run(ctx)
}
