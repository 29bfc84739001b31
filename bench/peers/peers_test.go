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

// TestMain lets the test binary act as the programs that are measured, and as the servers.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "bench" || len(os.Args) > 1 && (os.Args[1] == "scan" || os.Args[1] == "fake") {
		if err := act(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "hello\nerror:", err)
			os.Exit(3)
		}
		os.Exit(0)
	}
	// By default the race detector sleeps for a second before a process ends.
	if err := os.Setenv("GORACE", "atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// act is headcount, or with "fake" a program that misbehaves as its first argument says.
func act(args []string) error {
	after := func(flag string) string { return args[slices.Index(args, flag)+1] }
	switch {
	case args[0] == "scan":
		bucket := strings.TrimPrefix(args[len(args)-1], "s3://")
		return gosdk.Run(context.Background(), gosdk.Config{Endpoint: after("--endpoint-url"), Bucket: bucket, Pool: 2},
			os.Stdout)
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
	case "fails later":
		if printed != "" && !isFirstTimes(args[4], 2) { // once for its records, and once timed
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

// isFirstTimes reports whether this is one of the first n calls with this folder.
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

// fakeMeasurement returns a measurement of direct and of fakes of these kinds. All programs are the test binary.
func fakeMeasurement(t *testing.T, cfg Config, kinds ...string) *measurement {
	t.Helper()
	t.Setenv("TMPDIR", t.TempDir())
	state := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Headcount, cfg.Store, cfg.Dev, cfg.Workers, cfg.Pool = self, self, self, 2, 2
	if cfg.OnRun == nil {
		cfg.OnRun = func(Run) {}
	}
	cfg.Log = func(string, ...any) {}
	all := allClients(cfg)
	direct := all[slices.IndexFunc(all, func(c client) bool { return c.name == clientDirect })]
	m := &measurement{Config: cfg, reference: direct, builds: map[string]build{
		"towel": func(context.Context, builder) (string, error) { return "", errNotInstalled("towel") },
	}}
	for _, kind := range kinds {
		w := client{name: kind, inFlight: 2, divisor: 1, read: jsonLines, command: func(_ string, b bucket) command {
			return command{path: self, args: []string{"fake", kind, b.url, b.name, state}}
		}}
		if kind == "absent" {
			w.tool = "towel"
		}
		m.clients = append(m.clients, w)
	}
	m.clients = append(m.clients, direct)
	return m
}

func TestMeasure(t *testing.T) {
	var turns []string
	m := fakeMeasurement(t, Config{
		Objects: 100, Rounds: 2, Latencies: []time.Duration{0, time.Microsecond},
		OnRun: func(r Run) { turns = append(turns, fmt.Sprint(r.Server, " ", r.Round, " ", r.Client)) },
	}, "good", "absent", "one less", "another", "twice", "nothing", "fails", "fails later")
	report, err := measure(t.Context(), m)
	if err != nil || !report.Complete {
		t.Fatalf("%+v, %v", report, err)
	}
	want := []string{
		"s3sim 1 good", "s3sim 1 fails later", "s3sim 1 direct", "s3sim 2 good", "s3sim 2 direct",
		"s3sim, 1µs 1 good", "s3sim, 1µs 1 direct", "s3sim, 1µs 2 good", "s3sim, 1µs 2 direct",
	}
	if !slices.Equal(turns, want) || len(report.Runs) != len(want) {
		t.Errorf("%q", turns)
	}
	if !slices.Equal(report.Absent, []Absent{{"absent", "towel is not installed"}}) {
		t.Errorf("%+v", report.Absent)
	}
	var rejected []string
	for _, w := range report.Rejected {
		rejected = append(rejected, w.Server+": "+w.Client+": "+w.Reason)
	}
	for i, want := range []string{
		"s3sim: one less: its 85 records are not the 86 of direct",
		`s3sim: another: its 86 records are not the 86 of direct; for example "obj-0000000000`,
		"s3sim: twice: its 172 records are not the 86 of direct",
		"s3sim: nothing: its 0 records are not the 86 of direct",
		"s3sim: fails: peers.test: exit status 3: error: it is wet",
		"s3sim: fails later: round 2: peers.test: exit status 3: error: it is wet",
		"s3sim, 1µs: one less: ",
	} {
		if i >= len(rejected) || !strings.HasPrefix(rejected[i], want) {
			t.Errorf("%d: %q, want %q", i, rejected, want)
		}
	}
	for _, r := range report.Runs {
		if r.CPUMicrosPerHead <= 0 || r.HeadsPerSecond <= 0 || r.MaxRSSBytes < 1<<20 || r.Objects != 100 ||
			r.InFlight != 2 {
			t.Errorf("%+v", r)
		}
	}
	if got := report.startupCPU("s3sim", "good"); got <= 0 {
		t.Errorf("%v to start", got)
	}
	if runs := report.runsOf("s3sim", "fails later"); runs != nil {
		t.Errorf("a client that failed in its second round has figures: %+v", runs)
	}
	checkNoTempFiles(t)
}

// A failure of headcount's own clients is an error, since there is nothing to compare with.
func TestMeasureFails(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*measurement)
		want   string
	}{
		"direct": {func(m *measurement) { m.reference.command = m.clients[0].command },
			"s3sim: direct: peers.test: exit status 3: error: it is wet"},
		"our own": {func(m *measurement) { m.clients[0].own = true }, "s3sim: fails: peers.test: exit status 3"},
		"no record": {func(m *measurement) { m.reference.command = m.clients[1].command },
			"it printed 0 records of 100 objects"},
		"no server": {func(m *measurement) { m.Store = "/nowhere" }, "s3sim: "},
	} {
		t.Run(name, func(t *testing.T) {
			m := fakeMeasurement(t, Config{Objects: 100, Rounds: 1, Latencies: []time.Duration{0}}, "fails", "nothing")
			c.change(m)
			report, err := measure(t.Context(), m)
			if err == nil || !strings.HasPrefix(err.Error(), "s3sim: ") || !strings.Contains(err.Error(), c.want) ||
				report.Complete {
				t.Errorf("%v", err)
			}
			checkNoTempFiles(t)
		})
	}
}

func TestMeasureStops(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	m := fakeMeasurement(t, Config{Objects: 100, Rounds: 2, Latencies: []time.Duration{0},
		OnRun: func(Run) { cancel(why) }}, "good")
	if report, err := measure(ctx, m); err != why || report.Complete || len(report.Runs) != 1 {
		t.Errorf("%v, %+v", err, report)
	}
	checkNoTempFiles(t)

	ctx, cancel = context.WithCancelCause(t.Context())
	m = fakeMeasurement(t, Config{Objects: 100, Rounds: 2, Latencies: []time.Duration{0}}, "hangs")
	time.AfterFunc(200*time.Millisecond, func() { cancel(why) })
	if report, err := measure(ctx, m); err != why || report.Complete || len(report.Runs) != 0 ||
		len(report.Rejected) != 0 {
		t.Errorf("%v, %+v", err, report)
	}
	checkNoTempFiles(t)
}

// The error of a measurement that a signal ends while a server starts is the signal, and not how the start failed.
func TestMeasureStopsAtTheStart(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	m := fakeMeasurement(t, Config{Objects: 100, Rounds: 1, Versitygw: true, Servers: t.TempDir()}, "good")
	m.Log = func(string, ...any) { cancel(why) }
	if _, err := measure(ctx, m); err != why {
		t.Errorf("%v", err)
	}
	if _, err := measure(t.Context(), m); err == nil || !strings.HasPrefix(err.Error(), "versitygw: ") {
		t.Errorf("%v", err)
	}
	checkNoTempFiles(t)
}

// If every client is absent, no server is started.
func TestAllAbsent(t *testing.T) {
	m := fakeMeasurement(t, Config{Objects: 100, Rounds: 1, Latencies: []time.Duration{0}}, "absent")
	m.clients, m.Store = m.clients[:1], "/nowhere"
	report, err := measure(t.Context(), m)
	if err != nil || !report.Complete || len(report.Absent) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	var output strings.Builder
	if err := report.Write(&output); err != nil ||
		output.String() != "not measured\nabsent  absent  towel is not installed\n" {
		t.Errorf("%s, %v", output.String(), err)
	}
}

// Unlike Go programs, others send requests for this machine through a proxy too.
func TestWithoutProxies(t *testing.T) {
	got := withoutProxies([]string{"HOME=/home/alice", "HTTP_PROXY=a", "https_proxy=b", "NO_PROXY=c", "all_proxy=d",
		"PROXY=e"})
	if !slices.Equal(got, []string{"HOME=/home/alice", "PROXY=e"}) {
		t.Errorf("%q", got)
	}
}

func checkNoTempFiles(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(os.TempDir())
	if err != nil || len(left) > 0 {
		t.Errorf("%v, %v is left", err, left)
	}
}

// versitygw gets the same objects as s3sim. It verifies signatures, with the keys of its bucket.
func TestVersitygw(t *testing.T) {
	if testing.Short() {
		t.Skip("versitygw is a process of its own, which -short leaves out")
	}
	servers := filepath.Join("..", "servers")
	watched.Watch(t, servers)
	m := fakeMeasurement(t, Config{Objects: 50, Rounds: 1, Versitygw: true, Servers: servers}, "good", "fails")
	report, err := measure(t.Context(), m)
	if err != nil || !report.Complete || len(report.Runs) != 2 || len(report.Rejected) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	checkNoTempFiles(t)
}

// Every client has the right arguments and number of objects.
func TestClients(t *testing.T) {
	cfg := Config{Headcount: "headcount", Dev: "dev", Objects: 200_000, Workers: 64, Pool: 4, Clients: Clients()}
	b := bucket{url: "http://h:1", name: "b"}
	want := map[string]string{
		clientBoto3:     "P/bin/python3 P/peer.py one http://h:1 b 1; 5000, 5000, 500",
		clientThreads:   "P/bin/python3 P/peer.py threads http://h:1 b 64; 5000, 5000, 5000",
		clientProcesses: "P/bin/python3 P/peer.py processes http://h:1 b 4; 5000, 5000, 2000",
		clientAiohttp:   "P/bin/python3 P/peer.py asyncio http://h:1 b 64; 10000, 5000, 10000",
		clientRclone:    "P --config /dev/null --fast-list lsjson -R -M --files-only --no-modtime --no-mimetype :s3:b; 5000, 5000, 500",
		clientGo:        "dev gosdk http://h:1 b 4; 20000, 5000, 2000",
		clientRust:      "P http://h:1 b 64; 20000, 5000, 20000",
		clientSDK:       "headcount scan --quiet --endpoint-url http://h:1 --engine sdk --workers 64 s3://b; 20000, 5000, 20000",
		clientDirect:    "headcount scan --quiet --endpoint-url http://h:1 --engine direct --workers 64 s3://b; 200000, 5000, 32000",
		clientPipelined: "headcount scan --quiet --endpoint-url http://h:1 --engine direct --workers 16 --pipeline 8 s3://b; 200000, 5000, 64000",
	}
	for _, each := range cfg.clients() {
		c := each.command("P", b)
		got := fmt.Sprintf("%s %s; %d, %d, %d", c.path, strings.Join(c.args, " "), each.objects(cfg, server{}),
			each.objects(cfg, server{objectsMax: 5000}), each.objects(cfg, server{latency: 20 * time.Millisecond}))
		if got != want[each.name] {
			t.Errorf("%s: %s", each.name, got)
		}
	}
	cfg.Objects, cfg.Clients = 1, []string{clientDirect, clientBoto3}
	clients := cfg.clients()
	if len(clients) != 2 || clients[0].name != clientBoto3 ||
		clients[0].objects(cfg, server{latency: LatencyMax}) != 1 {
		t.Errorf("%+v", clients)
	}
}
