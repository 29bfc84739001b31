// Package audit measures what the answers of a scan cost beyond the scan itself: the filter and the formats.
//
// A Case is one way to scan the same bucket. The case scan makes Records and drops them; the other cases do one thing
// more. A Run is one process of one Case. The Runs of a round follow each other, and differences are between Runs of
// one round: the machine may be another one a minute later.
package audit

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"headcount/bench/figures"
	"headcount/bench/process"
)

const bucket = "audit"

// fields are those that the formats print: values of the LIST, and metadata.
const fields = "key,size,last_modified,etag,metadata"

// Case is one way to scan.
type Case struct {
	Name string
	args []string // of headcount; nil: the case scan, which is a command of bench/dev
	file string   // for --output; empty: nothing is written

	lists bool // it sends no HEAD
}

// The names of the Cases.
const (
	caseScan    = "scan"
	caseFilter  = "filter"
	caseJSONL   = "jsonl"
	caseCSV     = "csv"
	caseParquet = "parquet"
	caseListing = "listing"
	caseListed  = "listed filter"
)

// Cases returns all Cases, in the order in which they run.
func Cases() []Case {
	all := []string{"scan", "--all", "--fields", fields}
	return []Case{
		{Name: caseScan},
		// Two conditions, of which metadata is the one that decides: no object passes.
		{Name: caseFilter, args: []string{"scan", "--filter", `size >= 0 && metadata.owner == "nobody"`}},
		{Name: caseJSONL, args: all, file: "records.jsonl"},
		{Name: caseCSV, args: all, file: "records.csv"},
		{Name: caseParquet, args: all, file: "records.parquet"},
		{Name: caseListing, args: []string{"scan", "--dry-run", "--rate", "1000000"}, lists: true},
		{
			Name: caseListed, args: []string{"scan", "--fields", "key,size", "--filter", "size > 1000000000000"},
			file: "listed.jsonl", lists: true,
		},
	}
}

// Config says how to measure. All fields must be set.
type Config struct {
	Headcount string // the executable file that is measured
	Store     string // the executable file of the headcount that serves the store
	Dev       string // the executable file of bench/dev, of which the case scan is a command
	Version   string // of Headcount, for the Report

	Objects  int64
	Rounds   int
	Workers  int
	Pipeline int // HEADs in flight on each connection
	OnRun    func(Run)
}

// Run is the usage of one process of one Case.
type Run struct {
	Case               string  `json:"case"`
	Round              int     `json:"round"` // from 1
	CPUMicrosPerObject float64 `json:"cpu_us_per_object"`
	WallSeconds        float64 `json:"wall_seconds"`
	MaxRSSBytes        int64   `json:"max_rss_bytes"`
	Heads              int64   `json:"heads"`
	Bytes              int64   `json:"bytes,omitempty"` // of the output
}

// Report is the result of Measure: every Run, and what the Runs were of.
type Report struct {
	Complete  bool            `json:"complete"` // every Case ran in every round
	Date      time.Time       `json:"date"`
	Headcount string          `json:"headcount"`
	Machine   figures.Machine `json:"machine"`
	Objects   int64           `json:"objects"`
	Workers   int             `json:"workers"`
	Pipeline  int             `json:"pipeline"`
	Runs      []Run           `json:"runs"`
}

// measurement is one call of Measure.
type measurement struct {
	Config
	url, dir string
}

// Measure runs every Case in every round. When it fails, the Report has the Runs until then.
func Measure(ctx context.Context, cfg Config) (*Report, error) {
	report := &Report{
		Date: time.Now().UTC().Truncate(time.Second), Headcount: cfg.Version, Machine: figures.ThisMachine(ctx),
		Objects: cfg.Objects, Workers: cfg.Workers, Pipeline: cfg.Pipeline, Runs: []Run{},
	}
	dir, err := os.MkdirTemp("", "headcount-audit-")
	if err != nil {
		return report, err
	}
	defer os.RemoveAll(dir)
	url, during, stop, err := process.StartStore(ctx, cfg.Store,
		"--bucket", bucket, "--objects", strconv.FormatInt(cfg.Objects, 10))
	if err != nil {
		return report, err
	}
	defer stop()
	m := measurement{cfg, url, dir}
	for round := range cfg.Rounds {
		for _, c := range Cases() {
			run, err := m.run(during, c)
			if during.Err() != nil {
				return report, context.Cause(during)
			}
			if err != nil {
				return report, fmt.Errorf("%s: %w", c.Name, err)
			}
			run.Round = round + 1
			report.Runs = append(report.Runs, run)
			cfg.OnRun(run)
		}
	}
	report.Complete = true
	return report, nil
}

// run runs one process of a Case, and checks that it did what the Case is about.
func (m *measurement) run(ctx context.Context, c Case) (Run, error) {
	stats, output := filepath.Join(m.dir, "stats.json"), filepath.Join(m.dir, c.file)
	if err := os.RemoveAll(stats); err != nil {
		return Run{}, err
	}
	usage, err := process.Run(m.command(ctx, c, stats, output))
	if err != nil {
		return Run{}, err
	}
	run := Run{
		Case: c.Name, CPUMicrosPerObject: usage.CPU.Seconds() * 1e6 / float64(m.Objects),
		WallSeconds: usage.Wall.Seconds(), MaxRSSBytes: usage.MaxRSS,
	}
	text, err := os.ReadFile(stats)
	if err != nil {
		return run, err
	}
	if run.Heads, err = m.checkStats(text, c); err != nil || c.file == "" {
		return run, err
	}
	info, err := os.Stat(output)
	if err != nil {
		return run, err
	}
	run.Bytes = info.Size()
	return run, os.Remove(output)
}

// command returns the command of a Case.
func (m *measurement) command(ctx context.Context, c Case, stats, output string) *exec.Cmd {
	workers := []string{"--workers", strconv.Itoa(m.Workers), "--pipeline", strconv.Itoa(m.Pipeline)}
	program, args := m.Headcount, slices.Concat(c.args, []string{
		"--quiet", "--stats", stats, "--endpoint-url", m.url,
	})
	switch {
	case c.args == nil:
		program, args = m.Dev, slices.Concat([]string{ScanCommand, "--url", m.url, "--stats", stats}, workers)
	case !c.lists:
		args = append(append(args, "--engine", "direct"), workers...)
	}
	if c.file != "" {
		args = append(args, "--output", output)
	}
	if c.args != nil {
		args = append(args, "s3://"+bucket)
	}
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = process.IsolatedEnv(os.Environ())
	return cmd
}

// checkStats checks the statistics of a Run, and returns the number of HEADs.
func (m *measurement) checkStats(text []byte, c Case) (heads int64, err error) {
	var stats struct {
		Complete bool  `json:"complete"`
		Listed   int64 `json:"listed"`
		Emitted  int64 `json:"emitted"`
		Heads    int64 `json:"heads"`
	}
	err = json.Unmarshal(text, &stats)
	wantEmitted := m.Objects
	if c.Name == caseFilter || c.lists {
		wantEmitted = 0
	}
	switch {
	case err != nil:
		return 0, fmt.Errorf("the scan's statistics: %w", err)
	case !stats.Complete || stats.Listed != m.Objects:
		return 0, fmt.Errorf("the scan listed %d objects of %d", stats.Listed, m.Objects)
	case stats.Emitted != wantEmitted:
		return 0, fmt.Errorf("the scan emitted %d objects, and should emit %d", stats.Emitted, wantEmitted)
	case !c.lists && stats.Heads < m.Objects:
		return 0, fmt.Errorf("the scan sent %d HEADs for %d objects", stats.Heads, m.Objects)
	}
	return stats.Heads, nil
}
