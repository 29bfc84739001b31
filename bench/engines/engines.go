package engines

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"headcount/bench/peers/gosdk"
	"headcount/bench/process"
	"headcount/bench/s3sim"
)

// Config says what to measure. All fields must be set, but Latency.
type Config struct {
	Headcount string // the executable file whose engines are measured
	Store     string // the executable file of the headcount that serves the synthetic stores
	Dev       string // the executable file of bench/dev, whose commands are the floor and gosdk
	Version   string // of Headcount, for the Report

	Objects  int64         // in each store; every run sends a HEAD for each of them once
	Rounds   int           // from 1
	Workers  int           // connections of a client; the pipelined ones have a quarter
	Pipeline int           // HEADs in flight on each connection of the pipelined clients
	Latency  time.Duration // that the stores add to every HEAD
	Clients  []string      // some of the names that the function Clients returns, in any order
	OnRun    func(Run)     // is called after every run, one call at a time
}

// measurement is one call of Measure.
type measurement struct {
	Config
	env     []string
	plain   string // the URL of the store over HTTP; empty: no client needs it
	tls     string // the URL of the store over TLS; empty: no client needs it
	ca      string // the file of the certificate that signs the TLS store's
	key     string // of the object that the floor asks for
	records int64  // objects that have metadata
	stats   string // the file for --stats of the scans
}

// Measure runs every client Rounds times, in turn. When it fails, the Report has the runs until then; when ctx ends,
// the error is its cause. In either case it leaves no process and no file behind. Where the kernel does not report the
// usage of a process (Windows), it fails at once.
func Measure(ctx context.Context, cfg Config) (*Report, error) {
	report := newReport(ctx, cfg)
	if !process.UsageKnown {
		return report, errors.New("engines needs a unix: only there the kernel reports the usage of a process that has ended")
	}
	key, records, err := sampleObject(cfg.Objects)
	if err != nil {
		return report, err
	}
	dir, err := os.MkdirTemp("", "headcount-engines-")
	if err != nil {
		return report, err
	}
	defer os.RemoveAll(dir)
	m := measurement{
		Config: cfg, env: process.IsolatedEnv(os.Environ()), ca: filepath.Join(dir, "cert.pem"), key: key,
		records: records,
		stats:   filepath.Join(dir, "stats.json"),
	}
	during, stop, err := m.startStores(ctx, filepath.Join(dir, "key.pem"))
	defer stop()
	if err != nil {
		return report, err
	}
	return report, m.runRounds(during, report)
}

// startStores starts the stores that the clients need. The context that it returns ends with ctx, or when one of the
// stores ends.
func (m *measurement) startStores(ctx context.Context, keyFile string) (during context.Context, stop func(),
	err error) {
	var stops []func()
	stop = func() {
		for _, s := range stops {
			s()
		}
	}
	start := func(url *string, flags ...string) {
		if err != nil {
			return
		}
		flags = append(flags, "--bucket", bucket, "--objects", strconv.FormatInt(m.Objects, 10), "--latency",
			m.Latency.String())
		var stopOne func()
		var next context.Context
		if *url, next, stopOne, err = process.StartStore(ctx, m.Store, flags...); err == nil {
			ctx, stops = next, append(stops, stopOne)
		}
	}
	if slices.ContainsFunc(m.clients(), func(c client) bool { return !c.tls }) {
		start(&m.plain)
	}
	if err == nil && slices.ContainsFunc(m.clients(), func(c client) bool { return c.tls }) {
		if err = writeCertificate(m.ca, keyFile); err == nil {
			start(&m.tls, "--tls-cert", m.ca, "--tls-key", keyFile)
		}
	}
	return ctx, stop, err
}

func (m *measurement) runRounds(ctx context.Context, report *Report) error {
	for round := range m.Rounds {
		for _, c := range m.clients() {
			usage, err := m.runClient(ctx, c)
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			run := newRun(c.name, round+1, m.Objects, usage)
			report.Runs = append(report.Runs, run)
			m.OnRun(run)
		}
	}
	report.Complete = true
	return nil
}

// sampleObject returns the key of an object that has metadata, as most do, so that the answers that the floor reads are
// as long as most answers; where no object has metadata, any key. records is how many objects have metadata.
func sampleObject(objects int64) (key string, records int64, err error) {
	sim, err := s3sim.New(s3sim.Options{Bucket: bucket, Objects: objects})
	if err != nil {
		return "", 0, err
	}
	key = string(sim.Keyspace().Key(0))
	for i := range objects {
		if k := sim.Keyspace().Key(i); !sim.Object(k).WithoutMetadata() {
			key = string(k)
			records++
		}
	}
	return key, records, nil
}

func (m *measurement) runClient(ctx context.Context, c client) (process.Usage, error) {
	switch {
	case c.name == clientGoSDK:
		return m.runGoSDK(ctx, c)
	case c.engine == "":
		return m.runFloor(ctx, c)
	}
	return m.runScan(ctx, c)
}

// storeOf returns the URL of the store that the client uses, and the flags by which the client trusts the store.
func (m *measurement) storeOf(c client) (url string, flags []string) {
	if c.tls {
		return m.tls, []string{"--ca-bundle", m.ca}
	}
	return m.plain, nil
}

// run runs a program to its end. A nil stdout is /dev/null.
func (m *measurement) run(ctx context.Context, program string, args []string, stdout io.Writer) (process.Usage, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env, cmd.Stdout = m.env, stdout
	return process.Run(cmd)
}

func (m *measurement) runGoSDK(ctx context.Context, c client) (process.Usage, error) {
	url, _ := m.storeOf(c)
	var records lineCounter
	usage, err := m.run(ctx, m.Dev, []string{gosdk.Command, url, bucket, strconv.Itoa(c.workers)}, &records)
	if err == nil && int64(records) != m.records {
		err = fmt.Errorf("%d records were printed, and %d objects have metadata", records, m.records)
	}
	return usage, err
}

// lineCounter is an io.Writer that counts lines.
type lineCounter int64

func (n *lineCounter) Write(p []byte) (int, error) {
	*n += lineCounter(bytes.Count(p, []byte("\n")))
	return len(p), nil
}

func (m *measurement) runFloor(ctx context.Context, c client) (process.Usage, error) {
	url, trust := m.storeOf(c)
	var stdout bytes.Buffer
	usage, err := m.run(ctx, m.Dev, append([]string{
		FloorCommand, "--url", url + "/" + bucket + "/" + m.key,
		"--connections", strconv.Itoa(c.workers), "--requests", strconv.FormatInt(m.Objects, 10),
	}, trust...), &stdout)
	if err != nil {
		return usage, err
	}
	var result FloorResult
	if err := json.Unmarshal(stdout.Bytes(), &result); err != nil {
		return usage, fmt.Errorf("the floor printed %q: %w", stdout.Bytes(), err)
	}
	if result.Requests != m.Objects {
		return usage, fmt.Errorf("the floor sent %d requests instead of %d", result.Requests, m.Objects)
	}
	return usage, nil
}

func (m *measurement) runScan(ctx context.Context, c client) (process.Usage, error) {
	url, trust := m.storeOf(c)
	args := append([]string{"scan", "--quiet", "--stats", m.stats, "--endpoint-url", url}, c.scanFlags()...)
	args = append(append(args, trust...), "s3://"+bucket)
	// a scan that writes no file must not be checked by the file of the last scan
	if err := os.RemoveAll(m.stats); err != nil {
		return process.Usage{}, err
	}
	usage, err := m.run(ctx, m.Headcount, args, nil)
	if err != nil {
		return usage, err
	}
	text, err := os.ReadFile(m.stats)
	if err != nil {
		return usage, err
	}
	return usage, checkStats(text, c, m.Objects)
}

// scanStats is what checkStats reads of the file that scan --stats writes. It is not metrics.Stats, since the headcount
// that is measured may be older or newer than this program.
type scanStats struct {
	Complete        bool   `json:"complete"`
	Engine          string `json:"engine"`
	Workers         int    `json:"workers"`
	Listed          int64  `json:"listed"`
	Emitted         int64  `json:"emitted"`
	WithoutMetadata int64  `json:"without_metadata"`
}

// checkStats returns an error if a scan did not do what was to be measured: a figure of the wrong thing is worse than
// none.
func checkStats(text []byte, c client, objects int64) error {
	var stats scanStats
	if err := json.Unmarshal(text, &stats); err != nil {
		return fmt.Errorf("the scan's --stats: %w", err)
	}
	switch read := stats.Emitted + stats.WithoutMetadata; {
	case stats.Engine != c.engine:
		return fmt.Errorf("the scan used the engine %q instead of %q", stats.Engine, c.engine)
	case stats.Workers != c.workers:
		return fmt.Errorf("the scan had %d workers instead of %d", stats.Workers, c.workers)
	case !stats.Complete:
		return errors.New("the scan is not complete")
	case stats.Listed != objects:
		return fmt.Errorf("the scan listed %d objects of %d", stats.Listed, objects)
	case read != objects:
		return fmt.Errorf("the scan read %d objects of %d", read, objects)
	}
	return nil
}
