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

	"headcount/bench/engines"
)

// Config says what to measure.
type Config struct {
	Program   string          // headcount's executable file
	Version   string          // for the report
	Cache     string          // the folder where programs are built; see CacheFolder
	Servers   string          // the folder bench/servers, for Versitygw
	Objects   int64           // that direct is given of a server without latency; slower ways are given fewer
	Rounds    int             // from 1
	Workers   int             // HEADs in flight of the ways that choose
	Pool      int             // of those that have a pool of the size of the machine: processes of Python, goroutines of Go
	Latencies []time.Duration // added to every HEAD: one s3sim for each
	Versitygw bool            // beside them
	Ways      []string        // some of those that the function Ways returns, in any order

	Ran  func(Run)                        // is called after every run, one call at a time
	Told func(format string, args ...any) // is called before what takes its time and is no run
}

// measurement is one call of Measure.
type measurement struct {
	Config
	report    *Report
	ways      []way
	reference way // whose records are right
	builds    map[string]build
	programs  map[string]string // by way
	env       []string
	dir       string // for what they print
}

// Measure runs every way that there is, on each server: first for its records, then Rounds times, in turn. A peer that is
// absent, or wrong, is in the Report and is no error; headcount's own ways are. When it fails, the Report has what was found
// until then; when ctx ends, the error is its cause. No process is left behind either way, and no file but the programs
// that were built. Where the kernel does not tell what a process took (Windows), it is an error at once.
func Measure(ctx context.Context, cfg Config) (*Report, error) {
	ways := allWays(cfg)
	direct := ways[slices.IndexFunc(ways, func(w way) bool { return w.name == wayDirect })]
	return measure(ctx, &measurement{Config: cfg, ways: cfg.ways(), reference: direct, builds: allBuilds()})
}

func measure(ctx context.Context, m *measurement) (*Report, error) {
	m.report = newReport(ctx, m.Config)
	if !engines.KernelTells {
		return m.report, errors.New("peers are measured by what the kernel says of a process that has ended, which needs a unix")
	}
	var err error
	if m.dir, err = os.MkdirTemp("", "headcount-peers-"); err != nil {
		return m.report, err
	}
	defer os.RemoveAll(m.dir)
	m.env = withoutProxies(engines.CleanEnv(os.Environ()))
	if err := m.build(ctx); err != nil {
		return m.report, err
	}
	for _, s := range m.servers() {
		if err := m.measureOn(ctx, s); err != nil {
			return m.report, err
		}
	}
	m.report.Complete = true
	return m.report, nil
}

// withoutProxies leaves out what would send the requests somewhere else than to a server on this machine.
func withoutProxies(env []string) []string {
	return slices.DeleteFunc(env, func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return strings.HasSuffix(strings.ToLower(name), "_proxy")
	})
}

// build builds what the ways need, and takes out those for which that fails.
func (m *measurement) build(ctx context.Context) error {
	m.programs = map[string]string{}
	type built struct {
		program string
		err     error
	}
	done := map[string]built{"": {}}
	b := builder{cache: m.Cache, told: m.Told}
	var there []way
	for _, w := range m.ways {
		it, known := done[w.needs]
		if !known {
			it.program, it.err = m.builds[w.needs](ctx, b)
			done[w.needs] = it
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if it.err != nil {
			m.report.Absent = append(m.report.Absent, Absent{Way: w.name, Reason: asReason(it.err)})
			continue
		}
		m.programs[w.name] = it.program
		there = append(there, w)
	}
	m.ways = there
	return nil
}

func (m *measurement) measureOn(ctx context.Context, s server) error {
	if len(m.ways) == 0 {
		return nil
	}
	sizes := []int64{0}
	for _, w := range m.ways {
		sizes = append(sizes, w.objects(m.Config, s))
	}
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	o, during, err := s.open(ctx, m.Config, s, sizes)
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case err != nil:
		err = fmt.Errorf("%s: %w", s.name, err)
	}
	if o != nil {
		defer o.close()
	}
	if err != nil {
		return err
	}
	right, err := m.checkOn(during, s, o)
	for round := 1; err == nil && round <= m.Rounds; round++ {
		right, err = m.runRound(during, s, o, right, round)
	}
	return err
}

// checkOn returns the ways whose records are right.
func (m *measurement) checkOn(ctx context.Context, s server, o *opened) (right []way, err error) {
	m.Told("%s: comparing the records of %d ways", s.name, len(m.ways))
	want := map[int64][]digest{}
	for _, w := range m.ways {
		size := w.objects(m.Config, s)
		if want[size] == nil {
			want[size], err = m.recordsOf(ctx, o.buckets[size], size)
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", s.name, m.reference.name, err)
			}
		}
		err := m.start(ctx, s, w, o.buckets[0])
		if err == nil {
			err = m.check(ctx, w, o.buckets[size], want[size])
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err == nil {
			right = append(right, w)
		} else if err := m.wrong(s, w, err); err != nil {
			return nil, err
		}
	}
	return right, nil
}

// wrong takes down that a peer is; of headcount it is an error.
func (m *measurement) wrong(s server, w way, err error) error {
	if w.ours {
		return fmt.Errorf("%s: %s: %w", s.name, w.name, err)
	}
	m.report.Wrong = append(m.report.Wrong, Wrong{Server: s.name, Way: w.name, Reason: asReason(err)})
	return nil
}

// recordsOf are the records of a bucket, by the reference. Too few of them would be compared with nothing.
func (m *measurement) recordsOf(ctx context.Context, b bucket, objects int64) ([]digest, error) {
	stdout, _, err := m.printed(ctx, m.reference, b)
	if err != nil {
		return nil, err
	}
	defer stdout.Close()
	digests, err := digestsOf(stdout, m.reference.read)
	if err == nil && int64(len(digests)) < objects/2 {
		err = fmt.Errorf("it has %d records of %d objects, of which nine in ten have one", len(digests), objects)
	}
	return digests, err
}

// start takes down what a way takes on an empty bucket, of which it must find nothing.
func (m *measurement) start(ctx context.Context, s server, w way, empty bucket) error {
	stdout, spent, err := m.printed(ctx, w, empty)
	if err != nil {
		return err
	}
	defer stdout.Close()
	m.report.Starts = append(m.report.Starts, Start{s.name, w.name, spent.CPU.Seconds(), spent.Wall.Seconds()})
	return compare(nil, stdout, w.read)
}

func (m *measurement) check(ctx context.Context, w way, b bucket, want []digest) error {
	stdout, _, err := m.printed(ctx, w, b)
	if err != nil {
		return err
	}
	defer stdout.Close()
	return compare(want, stdout, w.read)
}

// printed is a file of what a way prints, read from its start. It is the next way's after that.
func (m *measurement) printed(ctx context.Context, w way, b bucket) (*os.File, engines.Spent, error) {
	file, err := os.Create(filepath.Join(m.dir, "stdout"))
	if err != nil {
		return nil, engines.Spent{}, err
	}
	spent, err := m.runOnce(ctx, w, b, file)
	if err == nil {
		_, err = file.Seek(0, io.SeekStart)
	}
	if err != nil {
		file.Close()
		return nil, engines.Spent{}, err
	}
	return file, spent, nil
}

// runRound returns the ways that are still there after it: one that failed is not run again.
func (m *measurement) runRound(ctx context.Context, s server, o *opened, ways []way, round int) (left []way, err error) {
	for _, w := range ways {
		size := w.objects(m.Config, s)
		spent, err := m.runOnce(ctx, w, o.buckets[size], nil)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			if err := m.wrong(s, w, fmt.Errorf("round %d: %w", round, err)); err != nil {
				return nil, err
			}
			continue
		}
		left = append(left, w)
		run := newRun(s.name, w, round, size, spent)
		m.report.Runs = append(m.report.Runs, run)
		m.Ran(run)
	}
	return left, nil
}

// runOnce runs a way to its end. A nil stdout is /dev/null.
func (m *measurement) runOnce(ctx context.Context, w way, b bucket, stdout *os.File) (engines.Spent, error) {
	c := w.command(m.programs[w.name], b)
	cmd := exec.CommandContext(ctx, c.path, c.args...)
	cmd.Env = slices.Concat(m.env, b.env, c.env) // of two of one name, the last is taken
	if stdout != nil {
		cmd.Stdout = stdout
	}
	spent, stderr, err := engines.Spend(cmd)
	if err != nil {
		return spent, said(filepath.Base(c.path), err, stderr)
	}
	return spent, nil
}
