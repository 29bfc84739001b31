package peers

import (
	"io"
	"os"
	"slices"
	"strconv"
	"time"

	"headcount/bench/peers/gosdk"
	"headcount/scan/head/engine"
)

// The ways.
const (
	wayBoto3     = "boto3"
	wayThreads   = "boto3-threads"
	wayProcesses = "boto3-processes"
	wayAiohttp   = "aiohttp"
	wayRust      = "rust"
	wayGo        = "go"
	wayRclone    = "rclone"
	waySDK       = "sdk"
	wayDirect    = "direct"
	wayPipelined = "pipelined"
)

// way is one program and how it is run.
type way struct {
	name     string
	ours     bool   // headcount: no peer
	inFlight int    // HEADs at a time
	share    int64  // it is given so many times fewer objects than direct
	needs    string // one of the builds; empty: nothing but headcount
	command  func(program string, b bucket) command
	read     reader
}

// command is what runs a way: the file and what follows it, and what its environment has beside the usual.
type command struct {
	path string
	args []string
	env  []string
}

// The pipelined way has the connections and the HEADs in flight on each that it has in bench engines.
const (
	pipeline       = 8
	pipelinedShare = 4
)

// allWays are the ways in the order of their runs, from the slowest on. The shares are about what a request costs beside one of
// the direct engine's, so that every way takes some seconds and what Python takes to start is a tenth of that at most.
func allWays(cfg Config) []way {
	workers, pool := cfg.Workers, cfg.Pool
	pipelined := max(1, workers/pipelinedShare)
	return []way{
		{wayBoto3, false, 1, 40, needsPython, pythonWay("one", 1), jsonLines},
		{wayThreads, false, workers, 40, needsPython, pythonWay("threads", workers), jsonLines},
		{wayProcesses, false, pool, 40, needsPython, pythonWay("processes", pool), jsonLines},
		{wayAiohttp, false, workers, 20, needsPython, pythonWay("asyncio", workers), jsonLines},
		{wayRclone, false, 1, 40, needsRclone, rcloneWay, rcloneJSON}, // it sends one HEAD at a time for -M, whatever --checkers is
		{wayGo, false, pool, 10, "", goWay(cfg.Program, pool), jsonLines},
		{wayRust, false, workers, 10, needsRust, rustWay(workers), jsonLines},
		{waySDK, true, workers, 10, "", scanWay(cfg.Program, engine.SDK, workers, 1), jsonLines},
		{wayDirect, true, workers, 1, "", scanWay(cfg.Program, engine.Direct, workers, 1), jsonLines},
		{wayPipelined, true, pipelined * pipeline, 1, "", scanWay(cfg.Program, engine.Direct, pipelined, pipeline), jsonLines},
	}
}

// Ways returns the names of all ways.
func Ways() []string {
	var names []string
	for _, w := range allWays(Config{}) {
		names = append(names, w.name)
	}
	return names
}

// ways are those that the measurement is of.
func (cfg Config) ways() []way {
	return slices.DeleteFunc(allWays(cfg), func(w way) bool { return !slices.Contains(cfg.Ways, w.name) })
}

// longest is how long a run takes at most for waiting alone.
const longest = 10 * time.Second

// LatencyMax is the most that a server may add to a HEAD: at a second, one HEAD after the other, a run is of ten objects.
const LatencyMax = time.Second

// objects is how many a way is given of a server.
func (w way) objects(cfg Config, s server) int64 {
	n := cfg.Objects / w.share
	if s.latency > 0 {
		n = min(n, int64(w.inFlight)*int64(longest/s.latency))
	}
	if s.objectsMax > 0 {
		n = min(n, s.objectsMax)
	}
	return max(1, n)
}

func pythonWay(name string, concurrency int) func(string, bucket) command {
	return func(program string, b bucket) command {
		return command{path: pythonOf(program), args: []string{peerOf(program), name, b.url, b.name, strconv.Itoa(concurrency)}}
	}
}

func rustWay(concurrency int) func(string, bucket) command {
	return func(program string, b bucket) command {
		return command{path: program, args: []string{b.url, b.name, strconv.Itoa(concurrency)}}
	}
}

func goWay(headcount string, concurrency int) func(string, bucket) command {
	return func(_ string, b bucket) command {
		return command{path: headcount, args: []string{"bench", gosdk.Command, b.url, b.name, strconv.Itoa(concurrency)}}
	}
}

func scanWay(headcount, engine string, workers, pipeline int) func(string, bucket) command {
	return func(_ string, b bucket) command {
		args := []string{"scan", "--quiet", "--endpoint-url", b.url, "--engine", engine, "--workers", strconv.Itoa(workers)}
		if pipeline > 1 {
			args = append(args, "--pipeline", strconv.Itoa(pipeline))
		}
		return command{path: headcount, args: append(args, "s3://"+b.name)}
	}
}

// rcloneWay lists by LIST alone (--fast-list) and asks for nothing but metadata.
func rcloneWay(program string, b bucket) command {
	return command{
		path: program,
		args: []string{"--config", os.DevNull, "--fast-list", "lsjson", "-R", "-M", "--files-only", "--no-modtime", "--no-mimetype", ":s3:" + b.name},
		env: []string{
			"RCLONE_S3_PROVIDER=Other", "RCLONE_S3_ENDPOINT=" + b.url, "RCLONE_S3_ENV_AUTH=true", "RCLONE_S3_REGION=us-east-1",
			"RCLONE_S3_FORCE_PATH_STYLE=true",
		},
	}
}

// reader calls each for every object that a way has printed.
type reader func(stdout io.Reader, each func(record) error) error
