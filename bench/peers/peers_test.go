package peers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"headcount/bench/peers/gosdk"
	"headcount/bench/s3sim"
	watched "headcount/bench/sources"
)

// TestMain lets the test binary be the programs that are measured, and the servers.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "bench" || len(os.Args) > 1 && (os.Args[1] == "scan" || os.Args[1] == "fake") {
		if err := pretend(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "hello\nerror:", err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	// With the race detector a program sleeps a second before it ends.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// pretend is headcount, or with fake a program that does what its first argument says.
func pretend(args []string) error {
	after := func(flag string) string { return args[slices.Index(args, flag)+1] }
	switch {
	case args[0] == "scan":
		bucket := strings.TrimPrefix(args[len(args)-1], "s3://")
		return gosdk.Run(context.Background(), gosdk.Config{Endpoint: after("--endpoint-url"), Bucket: bucket, Pool: 2}, os.Stdout)
	case args[1] == "serve":
		return serve(after("--bucket"), after("--objects"), after("--latency"))
	}
	kind, cfg := args[1], gosdk.Config{Endpoint: args[2], Bucket: args[3], Pool: 2}
	var out strings.Builder
	if err := gosdk.Run(context.Background(), cfg, &out); err != nil {
		return err
	}
	printed := out.String()
	switch kind {
	case "one less":
		_, printed, _ = strings.Cut(printed, "\n")
	case "another":
		printed = strings.Replace(printed, `"owner":"alice"`, `"owner":"mallory"`, 1)
	case "twice":
		printed += printed
	case "nothing":
		printed = ""
	case "later":
		if printed != "" && !isFirstTimes(args[4], 2) { // for its records, and then timed once
			return errors.New("it is wet")
		}
	case "fails":
		return errors.New("it is wet")
	case "hangs":
		if printed != "" {
			time.Sleep(time.Hour)
		}
	}
	_, err := fmt.Print(printed)
	return err
}

// isFirstTimes says whether it is called with this folder for the first n times.
func isFirstTimes(folder string, n int) bool {
	for i := range n {
		if os.Mkdir(filepath.Join(folder, strconv.Itoa(i)), 0o755) == nil {
			return true
		}
	}
	return false
}

func serve(bucket, objects, latency string) error {
	n, err := strconv.ParseInt(objects, 10, 64)
	if err != nil {
		return err
	}
	added, err := time.ParseDuration(latency)
	if err != nil {
		return err
	}
	server, err := s3sim.New(s3sim.Options{Bucket: bucket, Objects: n, Latency: added})
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("--no-sign-request --endpoint-url http://%s s3://%s\n", listener.Addr(), bucket)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	go func() { <-stop; server.Close() }()
	return server.Serve(listener)
}

// fakes is a measurement of headcount's ways and of fakes of these kinds, all of them the test binary.
func fakes(t *testing.T, cfg Config, kinds ...string) *measurement {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	state := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Program, cfg.Workers, cfg.Pool = self, 2, 2
	if cfg.Ran == nil {
		cfg.Ran = func(Run) {}
	}
	cfg.Told = func(string, ...any) {}
	real := allWays(cfg)
	direct := real[slices.IndexFunc(real, func(w way) bool { return w.name == wayDirect })]
	m := &measurement{Config: cfg, reference: direct, builds: map[string]build{
		"towel": func(context.Context, builder) (string, error) { return "", errNotInstalled("towel") },
	}}
	for _, kind := range kinds {
		w := way{name: kind, inFlight: 2, share: 1, read: jsonLines, command: func(_ string, b bucket) command {
			return command{path: self, args: []string{"fake", kind, b.url, b.name, state}}
		}}
		if kind == "absent" {
			w.needs = "towel"
		}
		m.ways = append(m.ways, w)
	}
	m.ways = append(m.ways, direct)
	return m
}

func TestMeasure(t *testing.T) {
	var turns []string
	m := fakes(t, Config{
		Objects: 100, Rounds: 2, Latencies: []time.Duration{0, time.Microsecond},
		Ran: func(r Run) { turns = append(turns, fmt.Sprint(r.Server, " ", r.Round, " ", r.Way)) },
	}, "good", "absent", "one less", "another", "twice", "nothing", "fails", "later")
	report, err := measure(t.Context(), m)
	if err != nil || !report.Complete {
		t.Fatalf("%+v, %v", report, err)
	}
	want := []string{
		"s3sim 1 good", "s3sim 1 later", "s3sim 1 direct", "s3sim 2 good", "s3sim 2 direct",
		"s3sim, 1µs 1 good", "s3sim, 1µs 1 direct", "s3sim, 1µs 2 good", "s3sim, 1µs 2 direct",
	}
	if !slices.Equal(turns, want) || len(report.Runs) != len(want) {
		t.Errorf("%q", turns)
	}
	if !slices.Equal(report.Absent, []Absent{{"absent", "towel is not installed"}}) {
		t.Errorf("%+v", report.Absent)
	}
	var wrong []string
	for _, w := range report.Wrong {
		wrong = append(wrong, w.Server+": "+w.Way+": "+w.Reason)
	}
	for i, want := range []string{
		"s3sim: one less: its 85 records are not the 86 of direct",
		`s3sim: another: its 86 records are not the 86 of direct; one of its own: "obj-0000000000`,
		"s3sim: twice: its 172 records are not the 86 of direct",
		"s3sim: nothing: its 0 records are not the 86 of direct",
		"s3sim: fails: peers.test: exit status 3: error: it is wet",
		"s3sim: later: round 2: peers.test: exit status 3: error: it is wet",
		"s3sim, 1µs: one less: ",
	} {
		if i >= len(wrong) || !strings.HasPrefix(wrong[i], want) {
			t.Errorf("%d: %q, want %q", i, wrong, want)
		}
	}
	for _, r := range report.Runs {
		if r.CPUMicrosPerHead <= 0 || r.HeadsPerSecond <= 0 || r.MaxRSSBytes < 1<<20 || r.Objects != 100 || r.InFlight != 2 {
			t.Errorf("%+v", r)
		}
	}
	if got := report.start("s3sim", "good"); got <= 0 {
		t.Errorf("%v to start", got)
	}
	if runs := report.of("s3sim", "later"); runs != nil {
		t.Errorf("a way that failed in its second round has figures: %+v", runs)
	}
	leavesNothing(t)
}

// Where headcount's own ways fail there is nothing to compare with.
func TestMeasureFails(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*measurement)
		want   string
	}{
		"direct":    {func(m *measurement) { m.reference.command = m.ways[0].command }, "s3sim: direct: peers.test: exit status 3: error: it is wet"},
		"our own":   {func(m *measurement) { m.ways[0].ours = true }, "s3sim: fails: peers.test: exit status 3"},
		"no record": {func(m *measurement) { m.reference.command = m.ways[1].command }, "it has 0 records of 100 objects"},
		"no server": {func(m *measurement) { m.Program = "/nowhere" }, "s3sim: "},
	} {
		t.Run(name, func(t *testing.T) {
			m := fakes(t, Config{Objects: 100, Rounds: 1, Latencies: []time.Duration{0}}, "fails", "nothing")
			c.change(m)
			report, err := measure(t.Context(), m)
			if err == nil || !strings.HasPrefix(err.Error(), "s3sim: ") || !strings.Contains(err.Error(), c.want) || report.Complete {
				t.Errorf("%v", err)
			}
			leavesNothing(t)
		})
	}
}

func TestMeasureStops(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	m := fakes(t, Config{Objects: 100, Rounds: 2, Latencies: []time.Duration{0}, Ran: func(Run) { cancel(why) }}, "good")
	if report, err := measure(ctx, m); err != why || report.Complete || len(report.Runs) != 1 {
		t.Errorf("%v, %+v", err, report)
	}
	leavesNothing(t)

	ctx, cancel = context.WithCancelCause(t.Context())
	m = fakes(t, Config{Objects: 100, Rounds: 2, Latencies: []time.Duration{0}}, "hangs")
	time.AfterFunc(200*time.Millisecond, func() { cancel(why) })
	if report, err := measure(ctx, m); err != why || report.Complete || len(report.Runs) != 0 || len(report.Wrong) != 0 {
		t.Errorf("%v, %+v", err, report)
	}
	leavesNothing(t)
}

// A signal that comes while a server starts is why it ends, whatever that start makes of it.
func TestMeasureStopsAtTheStart(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	m := fakes(t, Config{Objects: 100, Rounds: 1, Versitygw: true, Servers: t.TempDir()}, "good")
	m.Told = func(string, ...any) { cancel(why) }
	if _, err := measure(ctx, m); err != why {
		t.Errorf("%v", err)
	}
	if _, err := measure(t.Context(), m); err == nil || !strings.HasPrefix(err.Error(), "versitygw: ") {
		t.Errorf("%v", err)
	}
	leavesNothing(t)
}

// Where every way is absent, no server is started.
func TestAllAbsent(t *testing.T) {
	m := fakes(t, Config{Program: "/nowhere", Objects: 100, Rounds: 1, Latencies: []time.Duration{0}}, "absent")
	m.ways, m.Program = m.ways[:1], "/nowhere"
	report, err := measure(t.Context(), m)
	if err != nil || !report.Complete || len(report.Absent) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	var said strings.Builder
	if err := report.Write(&said); err != nil || said.String() != "not measured\nabsent  absent  towel is not installed\n" {
		t.Errorf("%s, %v", said.String(), err)
	}
}

// Programs other than Go's send requests to this machine through a proxy too.
func TestWithoutProxies(t *testing.T) {
	got := withoutProxies([]string{"HOME=/home/alice", "HTTP_PROXY=a", "https_proxy=b", "NO_PROXY=c", "all_proxy=d", "PROXY=e"})
	if !slices.Equal(got, []string{"HOME=/home/alice", "PROXY=e"}) {
		t.Errorf("%q", got)
	}
}

func leavesNothing(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("%v, %v is left", err, left)
	}
}

// versitygw is filled as s3sim is, and verifies signatures: what its bucket's keys are for.
func TestVersitygw(t *testing.T) {
	if testing.Short() {
		t.Skip("versitygw is a process of its own, which -short leaves out")
	}
	servers := filepath.Join("..", "servers")
	watched.Watch(t, servers)
	m := fakes(t, Config{Objects: 50, Rounds: 1, Versitygw: true, Servers: servers}, "good", "fails")
	report, err := measure(t.Context(), m)
	if err != nil || !report.Complete || len(report.Runs) != 2 || len(report.Wrong) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	leavesNothing(t)
}

// What every way is run with, and how many objects it is given.
func TestWays(t *testing.T) {
	cfg := Config{Program: "headcount", Objects: 200_000, Workers: 64, Pool: 4, Ways: Ways()}
	b := bucket{url: "http://h:1", name: "b"}
	want := map[string]string{
		wayBoto3:     "P/bin/python3 P/peer.py one http://h:1 b 1; 5000, 5000, 500",
		wayThreads:   "P/bin/python3 P/peer.py threads http://h:1 b 64; 5000, 5000, 5000",
		wayProcesses: "P/bin/python3 P/peer.py processes http://h:1 b 4; 5000, 5000, 2000",
		wayAiohttp:   "P/bin/python3 P/peer.py asyncio http://h:1 b 64; 10000, 5000, 10000",
		wayRclone:    "P --config /dev/null --fast-list lsjson -R -M --files-only --no-modtime --no-mimetype :s3:b; 5000, 5000, 500",
		wayGo:        "headcount bench gosdk http://h:1 b 4; 20000, 5000, 2000",
		wayRust:      "P http://h:1 b 64; 20000, 5000, 20000",
		waySDK:       "headcount scan --quiet --endpoint-url http://h:1 --engine sdk --workers 64 s3://b; 20000, 5000, 20000",
		wayDirect:    "headcount scan --quiet --endpoint-url http://h:1 --engine direct --workers 64 s3://b; 200000, 5000, 32000",
		wayPipelined: "headcount scan --quiet --endpoint-url http://h:1 --engine direct --workers 16 --pipeline 8 s3://b; 200000, 5000, 64000",
	}
	for _, w := range cfg.ways() {
		c := w.command("P", b)
		got := fmt.Sprintf("%s %s; %d, %d, %d", c.path, strings.Join(c.args, " "), w.objects(cfg, server{}),
			w.objects(cfg, server{objectsMax: 5000}), w.objects(cfg, server{latency: 20 * time.Millisecond}))
		if got != want[w.name] {
			t.Errorf("%s: %s", w.name, got)
		}
	}
	cfg.Objects, cfg.Ways = 1, []string{wayDirect, wayBoto3}
	ways := cfg.ways()
	if len(ways) != 2 || ways[0].name != wayBoto3 || ways[0].objects(cfg, server{latency: LatencyMax}) != 1 {
		t.Errorf("%+v", ways)
	}
}
