package peers

import (
	"context"
	"slices"
	"time"

	"headcount/bench/engines"
)

// Report is what Measure found: every run, of what, and what was not run.
type Report struct {
	Complete  bool            `json:"complete"` // every way that is there and right ran in every round, on every server
	Date      time.Time       `json:"date"`     // when it began
	Headcount string          `json:"headcount"`
	Machine   engines.Machine `json:"machine"`

	Objects int64 `json:"objects"`
	Rounds  int   `json:"rounds"`
	Workers int   `json:"workers"`
	Pool    int   `json:"pool"`

	Absent []Absent `json:"absent"`
	Wrong  []Wrong  `json:"wrong"`
	Starts []Start  `json:"starts"`
	Runs   []Run    `json:"runs"`

	cfg Config
}

// Absent is a way that cannot be run here.
type Absent struct {
	Way    string `json:"way"`
	Reason string `json:"reason"`
}

// Wrong is a way that does not find what direct finds, or that fails.
type Wrong struct {
	Server string `json:"server"`
	Way    string `json:"way"`
	Reason string `json:"reason"`
}

// Start is what a way took on an empty bucket: it is in every Run's figures too, and matters where that is of few objects.
type Start struct {
	Server      string  `json:"server"`
	Way         string  `json:"way"`
	CPUSeconds  float64 `json:"cpu_seconds"`
	WallSeconds float64 `json:"wall_seconds"`
}

// Run is what one process of one way took, and those of its processes that it waited for.
type Run struct {
	Server           string  `json:"server"`
	Way              string  `json:"way"`
	Round            int     `json:"round"` // from 1
	Objects          int64   `json:"objects"`
	InFlight         int     `json:"in_flight"`   // HEADs at a time
	CPUSeconds       float64 `json:"cpu_seconds"` // user and system
	CPUMicrosPerHead float64 `json:"cpu_us_per_head"`
	WallSeconds      float64 `json:"wall_seconds"` // from the process's start to its end
	HeadsPerSecond   float64 `json:"heads_per_second"`
	MaxRSSBytes      int64   `json:"max_rss_bytes"` // of the largest process, where a way has several
}

func newReport(ctx context.Context, cfg Config) *Report {
	return &Report{
		Date: time.Now().UTC().Truncate(time.Second), Headcount: cfg.Version, Machine: engines.ThisMachine(ctx),
		Objects: cfg.Objects, Rounds: cfg.Rounds, Workers: cfg.Workers, Pool: cfg.Pool,
		Absent: []Absent{}, Wrong: []Wrong{}, Starts: []Start{}, Runs: []Run{}, cfg: cfg,
	}
}

func newRun(server string, w way, round int, objects int64, s engines.Spent) Run {
	return Run{
		Server: server, Way: w.name, Round: round, Objects: objects, InFlight: w.inFlight,
		CPUSeconds: s.CPU.Seconds(), CPUMicrosPerHead: s.CPU.Seconds() * 1e6 / float64(objects),
		WallSeconds: s.Wall.Seconds(), HeadsPerSecond: float64(objects) / s.Wall.Seconds(),
		MaxRSSBytes: s.MaxRSS,
	}
}

// figure is one of a Run's figures.
type figure func(Run) float64

func cpuPerHead(r Run) float64     { return r.CPUMicrosPerHead }
func headsPerSecond(r Run) float64 { return r.HeadsPerSecond }
func maxRSS(r Run) float64         { return float64(r.MaxRSSBytes) }

// of are the runs of a way on a server, in the order of the rounds; none of one that turned out to be wrong.
func (r *Report) of(server, way string) []Run {
	if slices.ContainsFunc(r.Wrong, func(w Wrong) bool { return w.Server == server && w.Way == way }) {
		return nil
	}
	var runs []Run
	for _, run := range r.Runs {
		if run.Server == server && run.Way == way {
			runs = append(runs, run)
		}
	}
	return runs
}

// start is the CPU time that a way takes to start and to end, in seconds.
func (r *Report) start(server, way string) float64 {
	for _, s := range r.Starts {
		if s.Server == server && s.Way == way {
			return s.CPUSeconds
		}
	}
	return 0
}

func figures(runs []Run, of figure) []float64 {
	all := make([]float64, len(runs))
	for i, run := range runs {
		all[i] = of(run)
	}
	return all
}

// ratio is the median of a way's figures to another's, each within one round; 0 where there is none.
func (r *Report) ratio(server, way, other string, of figure) float64 {
	others := map[int]float64{}
	for _, run := range r.of(server, other) {
		others[run.Round] = of(run)
	}
	var all []float64
	for _, run := range r.of(server, way) {
		if base := others[run.Round]; base > 0 {
			all = append(all, of(run)/base)
		}
	}
	return engines.Median(all)
}
