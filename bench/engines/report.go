package engines

import (
	"context"
	"time"

	"headcount/bench/figures"
	"headcount/bench/process"
)

// Report is the result of Measure: every run, and what the runs were of.
type Report struct {
	Complete  bool            `json:"complete"` // every client ran in every round
	Date      time.Time       `json:"date"`     // when the measurement began
	Headcount string          `json:"headcount"`
	Machine   figures.Machine `json:"machine"`

	Objects   int64   `json:"objects"`
	Rounds    int     `json:"rounds"`
	Workers   int     `json:"workers"`
	Pipeline  int     `json:"pipeline"`
	LatencyMS float64 `json:"latency_ms"`

	Runs []Run `json:"runs"`

	cfg Config
}

// Run is the usage of one process of one client.
type Run struct {
	Client             string  `json:"client"`
	Round              int     `json:"round"`       // from 1
	CPUSeconds         float64 `json:"cpu_seconds"` // of the process, user and system
	CPUMicrosPerObject float64 `json:"cpu_us_per_object"`
	WallSeconds        float64 `json:"wall_seconds"` // from the process's start to its end
	ObjectsPerSecond   float64 `json:"objects_per_second"`
	MaxRSSBytes        int64   `json:"max_rss_bytes"`
}

func newReport(ctx context.Context, cfg Config) *Report {
	return &Report{
		Date: time.Now().UTC().Truncate(time.Second), Headcount: cfg.Version, Machine: figures.ThisMachine(ctx),
		Objects: cfg.Objects, Rounds: cfg.Rounds, Workers: cfg.Workers, Pipeline: cfg.Pipeline,
		LatencyMS: float64(cfg.Latency.Microseconds()) / 1000,
		Runs:      []Run{}, cfg: cfg,
	}
}

func newRun(client string, round int, objects int64, u process.Usage) Run {
	return Run{
		Client: client, Round: round,
		CPUSeconds: u.CPU.Seconds(), CPUMicrosPerObject: u.CPU.Seconds() * 1e6 / float64(objects),
		WallSeconds: u.Wall.Seconds(), ObjectsPerSecond: float64(objects) / u.Wall.Seconds(),
		MaxRSSBytes: u.MaxRSS,
	}
}

// figure reads one figure of a Run.
type figure func(Run) float64

func cpuPerObject(r Run) float64     { return r.CPUMicrosPerObject }
func objectsPerSecond(r Run) float64 { return r.ObjectsPerSecond }

// figures returns a figure of each run of a client, in the order of the rounds.
func (r *Report) figures(client string, of figure) []float64 {
	var all []float64
	for _, run := range r.Runs {
		if run.Client == client {
			all = append(all, of(run))
		}
	}
	return all
}

// ratios returns the ratios of a client's figures to those of the baseline, each within one round.
func (r *Report) ratios(client, baseline string, of figure) []float64 {
	bases := map[int]float64{}
	for _, run := range r.Runs {
		if run.Client == baseline {
			bases[run.Round] = of(run)
		}
	}
	var all []float64
	for _, run := range r.Runs {
		if base, both := bases[run.Round]; run.Client == client && both {
			all = append(all, of(run)/base)
		}
	}
	return all
}

// maxRSS is the largest resident memory of all runs of a client, in bytes.
func (r *Report) maxRSS(client string) int64 {
	most := int64(0)
	for _, run := range r.Runs {
		if run.Client == client {
			most = max(most, run.MaxRSSBytes)
		}
	}
	return most
}
