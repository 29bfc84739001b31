package peers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"headcount/bench/process"
)

// Config says what to measure. All fields must be set, but Latencies, Versitygw and Servers, which is for Versitygw.
type Config struct {
	Headcount string // the executable file whose engines are measured
	Store     string // the executable file of the headcount that serves the synthetic stores
	Dev       string // the executable file of bench/dev, of which gosdk is a command
	Version   string // of Headcount, for the Report
	Cache     string // the folder where programs are built; see CacheFolder
	Servers   string // the folder bench/servers, for Versitygw

	Objects   int64           // that direct gets on a server without latency; slower clients get fewer
	Rounds    int             // from 1
	Workers   int             // HEADs in flight of the clients without a pool of a fixed size
	Pool      int             // the size of the other clients' pools: processes of Python, goroutines of Go
	Latencies []time.Duration // added to every HEAD: one s3sim for each
	Versitygw bool            // measure on versitygw too
	Clients   []string        // some of the names that the function Clients returns, in any order

	OnRun func(Run)                        // is called after every run, one call at a time
	Log   func(format string, args ...any) // is called before each step that takes long and is no run
}

// measurement is one call of Measure.
type measurement struct {
	Config
	report    *Report
	clients   []client
	reference client // the client whose records are correct
	builds    map[string]build
	programs  map[string]string // by client
	env       []string
	dir       string // for the clients' output
}

// Measure runs every client on each server: once to check its records, then Rounds times, in turn. A peer that is
// absent or rejected is in the Report and is no error; a failure of headcount's own clients is an error. When Measure
// fails, the Report has what was measured until then; when ctx ends, the error is its cause. In either case Measure
// leaves no process behind, and no file but the programs that it built. Where the kernel does not report the usage of a
// process (Windows), it fails at once.
func Measure(ctx context.Context, cfg Config) (*Report, error) {
	all := allClients(cfg)
	direct := all[slices.IndexFunc(all, func(c client) bool { return c.name == clientDirect })]
	return measure(ctx, &measurement{Config: cfg, clients: cfg.clients(), reference: direct, builds: allBuilds()})
}

func measure(ctx context.Context, m *measurement) (*Report, error) {
	m.report = newReport(ctx, m.Config)
	if !process.UsageKnown {
		return m.report, errors.New("peers needs a unix: only there the kernel reports the usage of a process that has ended")
	}
	var err error
	if m.dir, err = os.MkdirTemp("", "headcount-peers-"); err != nil {
		return m.report, err
	}
	defer os.RemoveAll(m.dir)
	m.env = withoutProxies(process.IsolatedEnv(os.Environ()))
	if err := m.build(ctx); err != nil {
		return m.report, err
	}
	for _, s := range m.servers() {
		if err := m.runServer(ctx, s); err != nil {
			return m.report, err
		}
	}
	m.report.Complete = true
	return m.report, nil
}

// withoutProxies removes the variables that would send requests for this machine through a proxy.
func withoutProxies(env []string) []string {
	return slices.DeleteFunc(env, func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return strings.HasSuffix(strings.ToLower(name), "_proxy")
	})
}

// build builds the programs that the clients need, and makes a client absent whose program cannot be built.
func (m *measurement) build(ctx context.Context) error {
	m.programs = map[string]string{}
	type built struct {
		program string
		err     error
	}
	done := map[string]built{"": {}}
	b := builder{cache: m.Cache, log: m.Log}
	var available []client
	for _, c := range m.clients {
		result, known := done[c.tool]
		if !known {
			result.program, result.err = m.builds[c.tool](ctx, b)
			done[c.tool] = result
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if result.err != nil {
			m.report.Absent = append(m.report.Absent, Absent{Client: c.name, Reason: oneLine(result.err)})
			continue
		}
		m.programs[c.name] = result.program
		available = append(available, c)
	}
	m.clients = available
	return nil
}

func (m *measurement) runServer(ctx context.Context, s server) error {
	if len(m.clients) == 0 {
		return nil
	}
	sizes := []int64{0}
	for _, c := range m.clients {
		sizes = append(sizes, c.objects(m.Config, s))
	}
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	running, during, err := s.open(ctx, m.Config, s, sizes)
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case err != nil:
		err = fmt.Errorf("%s: %w", s.name, err)
	}
	if running != nil {
		defer running.close()
	}
	if err != nil {
		return err
	}
	verified, err := m.verifyClients(during, s, running)
	for round := 1; err == nil && round <= m.Rounds; round++ {
		verified, err = m.runRound(during, s, running, verified, round)
	}
	return err
}

// verifyClients returns the clients whose records are correct, and rejects the others.
func (m *measurement) verifyClients(ctx context.Context, s server, running *runningServer) (verified []client,
	err error) {
	m.Log("%s: comparing the records of %d clients", s.name, len(m.clients))
	want := map[int64][]digest{}
	for _, c := range m.clients {
		size := c.objects(m.Config, s)
		if want[size] == nil {
			want[size], err = m.referenceRecords(ctx, running.buckets[size], size)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", s.name, m.reference.name, err)
			}
		}
		err := m.measureStartup(ctx, s, c, running.buckets[0])
		if err == nil {
			err = m.checkRecords(ctx, c, running.buckets[size], want[size])
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err == nil {
			verified = append(verified, c)
		} else if err := m.reject(s, c, err); err != nil {
			return nil, err
		}
	}
	return verified, nil
}

// reject records that a peer is rejected. For a client of headcount's own it returns an error.
func (m *measurement) reject(s server, c client, err error) error {
	if c.own {
		return fmt.Errorf("%s: %s: %w", s.name, c.name, err)
	}
	m.report.Rejected = append(m.report.Rejected, Rejected{Server: s.name, Client: c.name, Reason: oneLine(err)})
	return nil
}

// referenceRecords returns the records of a bucket as the reference prints them. It fails if there are too few, since a
// comparison with no records would accept anything.
func (m *measurement) referenceRecords(ctx context.Context, b bucket, objects int64) ([]digest, error) {
	stdout, _, err := m.outputOf(ctx, m.reference, b)
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	digests, err := digestsOf(stdout, m.reference.read)
	if err == nil && int64(len(digests)) < objects/2 {
		err = fmt.Errorf("it printed %d records of %d objects, of which nine in ten have one", len(digests), objects)
	}
	return digests, err
}

// measureStartup measures a client on an empty bucket, for which the client must print no record.
func (m *measurement) measureStartup(ctx context.Context, s server, c client, empty bucket) error {
	stdout, usage, err := m.outputOf(ctx, c, empty)
	if err != nil {
		return err
	}
	defer stdout.Close()
	m.report.Startups = append(m.report.Startups, Startup{s.name, c.name, usage.CPU.Seconds(), usage.Wall.Seconds()})
	return compare(nil, stdout, c.read)
}

func (m *measurement) checkRecords(ctx context.Context, c client, b bucket, want []digest) error {
	stdout, _, err := m.outputOf(ctx, c, b)
	if err != nil {
		return err
	}
	defer stdout.Close()
	return compare(want, stdout, c.read)
}

// outputOf runs a client, and returns a file of its output, positioned at the beginning. The next call truncates the
// file.
func (m *measurement) outputOf(ctx context.Context, c client, b bucket) (*os.File, process.Usage, error) {
	file, err := os.Create(filepath.Join(m.dir, "stdout"))
	if err != nil {
		return nil, process.Usage{}, err
	}
	usage, err := m.runOnce(ctx, c, b, file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, process.Usage{}, err
	}
	return file, usage, nil
}

// runRound runs every client once. It returns the clients that did not fail: the others are not run again.
func (m *measurement) runRound(
	ctx context.Context, s server, running *runningServer, clients []client, round int,
) (remaining []client, err error) {
	for _, c := range clients {
		size := c.objects(m.Config, s)
		usage, err := m.runOnce(ctx, c, running.buckets[size], nil)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			if err := m.reject(s, c, fmt.Errorf("round %d: %w", round, err)); err != nil {
				return nil, err
			}
			continue
		}
		remaining = append(remaining, c)
		run := newRun(s.name, c, round, size, usage)
		m.report.Runs = append(m.report.Runs, run)
		m.OnRun(run)
	}
	return remaining, nil
}

// runOnce runs a client to its end. A nil stdout is /dev/null.
func (m *measurement) runOnce(ctx context.Context, c client, b bucket, stdout *os.File) (process.Usage, error) {
	command := c.command(m.programs[c.name], b)
	cmd := exec.CommandContext(ctx, command.path, command.args...)
	cmd.Env = slices.Concat(m.env, b.env, command.env) // of variables with the same name, the last is valid
	if stdout != nil {
		cmd.Stdout = stdout
	}
	return process.Run(cmd)
}
