package peers

import (
	"context"
	"slices"
	"time"

	"headcount/bench/figures"
	"headcount/bench/process"
)

// Report is the result of Measure: every run, what the runs were of, and which clients have none.
type Report struct {
	// every client that is neither absent nor rejected ran in every round, on every server
	Complete  bool            `json:"complete"`
	Date      time.Time       `json:"date"` // when the measurement began
	Headcount string          `json:"headcount"`
	Machine   figures.Machine `json:"machine"`

	Objects int64 `json:"objects"`
	Rounds  int   `json:"rounds"`
	Workers int   `json:"workers"`
	Pool    int   `json:"pool"`

	Absent   []Absent   `json:"absent"`
	Rejected []Rejected `json:"rejected"`
	Startups []Startup  `json:"startups"`
	Runs     []Run      `json:"runs"`

	cfg Config
}

// Absent is a client that cannot run here.
type Absent struct {
	Client string `json:"client"`
	Reason string `json:"reason"`
}

// Rejected is a client whose records differ from direct's, or that fails.
type Rejected struct {
	Server string `json:"server"`
	Client string `json:"client"`
	Reason string `json:"reason"`
}

// Startup is the usage of a client on an empty bucket. Every Run's figures include it; it matters where the Run has few
// objects.
type Startup struct {
	Server      string  `json:"server"`
	Client      string  `json:"client"`
	CPUSeconds  float64 `json:"cpu_seconds"`
	WallSeconds float64 `json:"wall_seconds"`
}

// Run is the usage of one process of one client, and of those of its children that it waited for.
type Run struct {
	Server           string  `json:"server"`
	Client           string  `json:"client"`
	Round            int     `json:"round"` // from 1
	Objects          int64   `json:"objects"`
	InFlight         int     `json:"in_flight"`   // HEADs at a time
	CPUSeconds       float64 `json:"cpu_seconds"` // user and system
	CPUMicrosPerHead float64 `json:"cpu_us_per_head"`
	WallSeconds      float64 `json:"wall_seconds"` // from the process's start to its end
	HeadsPerSecond   float64 `json:"heads_per_second"`
	MaxRSSBytes      int64   `json:"max_rss_bytes"` // of the largest process, where a client has several
}

func newReport(ctx context.Context, cfg Config) *Report {
	return &Report{
		Date: time.Now().UTC().Truncate(time.Second), Headcount: cfg.Version, Machine: figures.ThisMachine(ctx),
		Objects: cfg.Objects, Rounds: cfg.Rounds, Workers: cfg.Workers, Pool: cfg.Pool,
		Absent: []Absent{}, Rejected: []Rejected{}, Startups: []Startup{}, Runs: []Run{}, cfg: cfg,
	}
}

func newRun(server string, c client, round int, objects int64, u process.Usage) Run {
	return Run{
		Server: server, Client: c.name, Round: round, Objects: objects, InFlight: c.inFlight,
		CPUSeconds: u.CPU.Seconds(), CPUMicrosPerHead: u.CPU.Seconds() * 1e6 / float64(objects),
		WallSeconds: u.Wall.Seconds(), HeadsPerSecond: float64(objects) / u.Wall.Seconds(),
		MaxRSSBytes: u.MaxRSS,
	}
}

// figure reads one figure of a Run.
type figure func(Run) float64

func cpuPerHead(r Run) float64     { return r.CPUMicrosPerHead }
func headsPerSecond(r Run) float64 { return r.HeadsPerSecond }
func maxRSS(r Run) float64         { return float64(r.MaxRSSBytes) }

// runsOf returns the runs of a client on a server, in the order of the rounds. A rejected client has none.
func (r *Report) runsOf(server, client string) []Run {
	if slices.ContainsFunc(r.Rejected, func(j Rejected) bool { return j.Server == server && j.Client == client }) {
		return nil
	}
	var runs []Run
	for _, run := range r.Runs {
		if run.Server == server && run.Client == client {
			runs = append(runs, run)
		}
	}
	return runs
}

// startupCPU is the CPU time of a client's start and end, in seconds.
func (r *Report) startupCPU(server, client string) float64 {
	for _, s := range r.Startups {
		if s.Server == server && s.Client == client {
			return s.CPUSeconds
		}
	}
	return 0
}

func figuresOf(runs []Run, of figure) []float64 {
	all := make([]float64, len(runs))
	for i, run := range runs {
		all[i] = of(run)
	}
	return all
}

// ratio is the median of the ratios of a client's figures to the baseline's, each within one round; 0 if there is none.
func (r *Report) ratio(server, client, baseline string, of figure) float64 {
	bases := map[int]float64{}
	for _, run := range r.runsOf(server, baseline) {
		bases[run.Round] = of(run)
	}
	var all []float64
	for _, run := range r.runsOf(server, client) {
		if base := bases[run.Round]; base > 0 {
			all = append(all, of(run)/base)
		}
	}
	return figures.SpreadOf(all).Median
}
