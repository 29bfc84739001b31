package engines

import (
	"context"
	"slices"
	"time"
)

// Report is what Measure found: every run, and of what.
type Report struct {
	Complete  bool      `json:"complete"` // every way ran in every round
	Date      time.Time `json:"date"`     // when it began
	Headcount string    `json:"headcount"`
	Machine   Machine   `json:"machine"`

	Objects   int64   `json:"objects"`
	Rounds    int     `json:"rounds"`
	Workers   int     `json:"workers"`
	Pipeline  int     `json:"pipeline"`
	LatencyMS float64 `json:"latency_ms"`

	Runs []Run `json:"runs"`

	cfg Config
}

// Run is what one process of one way took.
type Run struct {
	Way                string  `json:"way"`
	Round              int     `json:"round"`       // from 1
	CPUSeconds         float64 `json:"cpu_seconds"` // of the process, user and system
	CPUMicrosPerObject float64 `json:"cpu_us_per_object"`
	WallSeconds        float64 `json:"wall_seconds"` // from the process's start to its end
	ObjectsPerSecond   float64 `json:"objects_per_second"`
	MaxRSSBytes        int64   `json:"max_rss_bytes"`
}

func newReport(ctx context.Context, cfg Config) *Report {
	return &Report{
		Date: time.Now().UTC().Truncate(time.Second), Headcount: cfg.Version, Machine: thisMachine(ctx),
		Objects: cfg.Objects, Rounds: cfg.Rounds, Workers: cfg.Workers, Pipeline: cfg.Pipeline,
		LatencyMS: float64(cfg.Latency.Microseconds()) / 1000,
		Runs:      []Run{}, cfg: cfg,
	}
}

func newRun(way string, round int, objects int64, s spent) Run {
	return Run{
		Way: way, Round: round,
		CPUSeconds: s.cpu.Seconds(), CPUMicrosPerObject: s.cpu.Seconds() * 1e6 / float64(objects),
		WallSeconds: s.wall.Seconds(), ObjectsPerSecond: float64(objects) / s.wall.Seconds(),
		MaxRSSBytes: s.maxRSS,
	}
}

// figure is one of a Run's figures.
type figure func(Run) float64

func cpuPerObject(r Run) float64     { return r.CPUMicrosPerObject }
func objectsPerSecond(r Run) float64 { return r.ObjectsPerSecond }

// figures are those of a way's runs, in the order of the rounds.
func (r *Report) figures(way string, of figure) []float64 {
	var all []float64
	for _, run := range r.Runs {
		if run.Way == way {
			all = append(all, of(run))
		}
	}
	return all
}

// ratios are those of a way's figures to another's, each within one round.
func (r *Report) ratios(way, other string, of figure) []float64 {
	others := map[int]float64{}
	for _, run := range r.Runs {
		if run.Way == other {
			others[run.Round] = of(run)
		}
	}
	var all []float64
	for _, run := range r.Runs {
		if base, both := others[run.Round]; run.Way == way && both {
			all = append(all, of(run)/base)
		}
	}
	return all
}

// maxRSS is the most memory that any run of a way had resident, in bytes.
func (r *Report) maxRSS(way string) int64 {
	most := int64(0)
	for _, run := range r.Runs {
		if run.Way == way {
			most = max(most, run.MaxRSSBytes)
		}
	}
	return most
}

// spread is what several figures come to. The zero spread is of none.
type spread struct{ median, min, max float64 }

func spreadOf(figures []float64) spread {
	if len(figures) == 0 {
		return spread{}
	}
	sorted := slices.Sorted(slices.Values(figures))
	middle := len(sorted) / 2
	median := sorted[middle]
	if len(sorted)%2 == 0 {
		median = (sorted[middle-1] + median) / 2
	}
	return spread{median, sorted[0], sorted[len(sorted)-1]}
}
