package engines

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"headcount/bench/peers/gosdk"
	"headcount/bench/s3sim"
	"headcount/scan/metrics"
)

// Config says what to measure.
type Config struct {
	Program  string        // headcount's executable file
	Version  string        // for the report
	Objects  int64         // that the stores have: every run asks for each once
	Rounds   int           // from 1
	Workers  int           // and so connections, but of the pipelined ways: they have a quarter
	Pipeline int           // HEADs in flight on each connection of the pipelined ways
	Latency  time.Duration // added by the stores to every HEAD
	Ways     []string      // some of those that the function Ways returns, in any order
	Ran      func(Run)     // is called after every run, one call at a time
}

// measurement is one call of Measure.
type measurement struct {
	Config
	program program
	stores  *stores
	key     string // of the object that the floor asks for
	records int64  // objects that have metadata
	stats   string // the file of the scans' accounts
}

// Measure runs every way Rounds times, in turn. When it fails, the Report has the runs until then; when ctx ends, the
// error is its cause. No process and no file is left behind either way. Where the kernel does not tell what a process
// took (Windows), it is an error at once.
func Measure(ctx context.Context, cfg Config) (*Report, error) {
	report := newReport(ctx, cfg)
	if !kernelTells {
		return report, errors.New("engines are measured by what the kernel says of a process that has ended, which needs a unix")
	}
	key, records, err := survey(cfg.Objects)
	if err != nil {
		return report, err
	}
	dir, err := os.MkdirTemp("", "headcount-engines-")
	if err != nil {
		return report, err
	}
	defer os.RemoveAll(dir)
	program := program{path: cfg.Program, env: cleanEnv(os.Environ())}
	stores, ctx, err := openStores(ctx, program, cfg, dir)
	if err != nil {
		return report, err
	}
	defer stores.close()

	m := measurement{Config: cfg, program: program, stores: stores, key: key, records: records, stats: filepath.Join(dir, "stats.json")}
	for round := range cfg.Rounds {
		for _, w := range cfg.ways() {
			spent, err := m.runWay(ctx, w)
			if ctx.Err() != nil {
				return report, context.Cause(ctx)
			}
			if err != nil {
				return report, fmt.Errorf("%s: %w", w.name, err)
			}
			run := newRun(w.name, round+1, cfg.Objects, spent)
			report.Runs = append(report.Runs, run)
			cfg.Ran(run)
		}
	}
	report.Complete = true
	return report, nil
}

// survey returns the key of an object that has metadata, as most do, so that its answer is as long as theirs, and how many do; where none
// does, a key all the same.
func survey(objects int64) (key string, records int64, err error) {
	sim, err := s3sim.New(s3sim.Options{Bucket: bucket, Objects: objects})
	if err != nil {
		return "", 0, err
	}
	key = string(sim.Keyspace().Key(0))
	for i := range objects {
		if k := sim.Keyspace().Key(i); !sim.Object(k).Bare() {
			key = string(k)
			records++
		}
	}
	return key, records, nil
}

func (m *measurement) runWay(ctx context.Context, w way) (spent, error) {
	switch {
	case w.name == wayGoSDK:
		return m.runGoSDK(ctx, w)
	case w.engine == "":
		return m.runFloor(ctx, w)
	}
	return m.runScan(ctx, w)
}

func (m *measurement) runGoSDK(ctx context.Context, w way) (spent, error) {
	url, _ := m.stores.connection(w)
	var records lines
	spent, err := m.program.run(ctx, []string{"bench", gosdk.Command, url, bucket, strconv.Itoa(w.workers)}, &records)
	if err == nil && int64(records) != m.records {
		err = fmt.Errorf("it printed %d records, and there are %d", records, m.records)
	}
	return spent, err
}

// lines counts them.
type lines int64

func (n *lines) Write(p []byte) (int, error) {
	*n += lines(bytes.Count(p, []byte("\n")))
	return len(p), nil
}

func (m *measurement) runFloor(ctx context.Context, w way) (spent, error) {
	url, trust := m.stores.connection(w)
	var stdout bytes.Buffer
	spent, err := m.program.run(ctx, append([]string{
		"bench", "floor", "--url", url + "/" + bucket + "/" + m.key,
		"--connections", strconv.Itoa(w.workers), "--requests", strconv.FormatInt(m.Objects, 10),
	}, trust...), &stdout)
	if err != nil {
		return spent, err
	}
	var account FloorAccount
	if err := json.Unmarshal(stdout.Bytes(), &account); err != nil {
		return spent, fmt.Errorf("bench floor says %q: %w", stdout.Bytes(), err)
	}
	if account.Requests != m.Objects {
		return spent, fmt.Errorf("%d requests were sent, and %d were asked for", account.Requests, m.Objects)
	}
	return spent, nil
}

func (m *measurement) runScan(ctx context.Context, w way) (spent, error) {
	url, trust := m.stores.connection(w)
	args := append([]string{"scan", "--quiet", "--stats", m.stats, "--endpoint-url", url}, w.scanFlags()...)
	args = append(append(args, trust...), "s3://"+bucket)
	if err := os.RemoveAll(m.stats); err != nil { // the last scan's, so that it is not taken for this one's
		return spent{}, err
	}
	spent, err := m.program.run(ctx, args, nil)
	if err != nil {
		return spent, err
	}
	text, err := os.ReadFile(m.stats)
	if err != nil {
		return spent, err
	}
	return spent, checkScan(text, w, m.Objects)
}

// checkScan returns an error where the account of a scan is not of what was to be measured: a figure of the wrong thing
// is worse than none.
func checkScan(account []byte, w way, objects int64) error {
	var stats metrics.Stats
	if err := json.Unmarshal(account, &stats); err != nil {
		return fmt.Errorf("the account of the scan: %w", err)
	}
	switch {
	case stats.Engine != w.engine:
		return fmt.Errorf("the scan was sent by the engine %q, and not by %q", stats.Engine, w.engine)
	case stats.Workers != w.workers:
		return fmt.Errorf("the scan had %d workers, and not %d", stats.Workers, w.workers)
	case !stats.Complete:
		return errors.New("the scan is not complete")
	case !stats.Balanced():
		return errors.New("the scan's outcomes do not add up to the objects listed")
	case stats.Listed != objects:
		return fmt.Errorf("the scan listed %d objects, and there are %d", stats.Listed, objects)
	case stats.Emitted+stats.WithoutMetadata != objects:
		return fmt.Errorf("of %d objects, the scan read %d", objects, stats.Emitted+stats.WithoutMetadata)
	}
	return nil
}
