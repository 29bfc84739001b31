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

// The names of the clients.
const (
	clientBoto3     = "boto3"
	clientThreads   = "boto3-threads"
	clientProcesses = "boto3-processes"
	clientAiohttp   = "aiohttp"
	clientRust      = "rust"
	clientGo        = "go"
	clientRclone    = "rclone"
	clientSDK       = "sdk"
	clientDirect    = "direct"
	clientPipelined = "pipelined"
)

// client is one program and its arguments.
type client struct {
	name     string
	own      bool   // headcount's, and so no peer
	inFlight int    // HEADs at a time
	divisor  int64  // the client gets the objects of direct divided by this
	tool     string // a key of allBuilds; empty: the client needs no other program
	command  func(program string, b bucket) command
	read     reader
}

// command is an executable file, its arguments, and the environment variables that it needs beside the usual ones.
type command struct {
	path string
	args []string
	env  []string
}

// The pipelined client has as many connections, and HEADs in flight on each, as in bench/engines.
const (
	pipeline         = 8
	pipelinedDivisor = 4
)

// allClients returns the clients in the order of their runs, the slowest first. A divisor is about the cost of a
// request divided by the cost of one of the direct engine: every client then runs for some seconds, and the start of
// Python is a tenth of a run at most.
func allClients(cfg Config) []client {
	workers, pool := cfg.Workers, cfg.Pool
	pipelined := max(1, workers/pipelinedDivisor)
	return []client{
		{clientBoto3, false, 1, 40, toolPython, pythonCommand("one", 1), jsonLines},
		{clientThreads, false, workers, 40, toolPython, pythonCommand("threads", workers), jsonLines},
		{clientProcesses, false, pool, 40, toolPython, pythonCommand("processes", pool), jsonLines},
		{clientAiohttp, false, workers, 20, toolPython, pythonCommand("asyncio", workers), jsonLines},
		// with -M it sends one HEAD at a time, whatever --checkers is
		{clientRclone, false, 1, 40, toolRclone, rcloneCommand, rcloneJSON},
		{clientGo, false, pool, 10, "", goCommand(cfg.Dev, pool), jsonLines},
		{clientRust, false, workers, 10, toolRust, rustCommand(workers), jsonLines},
		{clientSDK, true, workers, 10, "", scanCommand(cfg.Headcount, engine.SDK, workers, 1), jsonLines},
		{clientDirect, true, workers, 1, "", scanCommand(cfg.Headcount, engine.Direct, workers, 1), jsonLines},
		{clientPipelined, true, pipelined * pipeline, 1, "",
			scanCommand(cfg.Headcount, engine.Direct, pipelined, pipeline), jsonLines},
	}
}

// Clients returns the names of all clients.
func Clients() []string {
	var names []string
	for _, c := range allClients(Config{}) {
		names = append(names, c.name)
	}
	return names
}

// clients returns the clients that are measured.
func (cfg Config) clients() []client {
	return slices.DeleteFunc(allClients(cfg), func(c client) bool { return !slices.Contains(cfg.Clients, c.name) })
}

// waitMax is the time that a run spends waiting for the latency of the server, at most.
const waitMax = 10 * time.Second

// LatencyMax is the most that a server may add to a HEAD. At a second, a client with one HEAD in flight gets ten
// objects.
const LatencyMax = time.Second

// objects is the number of objects in the bucket that a client gets.
func (c client) objects(cfg Config, s server) int64 {
	n := cfg.Objects / c.divisor
	if s.latency > 0 {
		n = min(n, int64(c.inFlight)*int64(waitMax/s.latency))
	}
	if s.objectsMax > 0 {
		n = min(n, s.objectsMax)
	}
	return max(1, n)
}

func pythonCommand(name string, concurrency int) func(string, bucket) command {
	return func(program string, b bucket) command {
		return command{path: pythonOf(program),
			args: []string{peerOf(program), name, b.url, b.name, strconv.Itoa(concurrency)}}
	}
}

func rustCommand(concurrency int) func(string, bucket) command {
	return func(program string, b bucket) command {
		return command{path: program, args: []string{b.url, b.name, strconv.Itoa(concurrency)}}
	}
}

func goCommand(dev string, concurrency int) func(string, bucket) command {
	return func(_ string, b bucket) command {
		return command{path: dev, args: []string{gosdk.Command, b.url, b.name, strconv.Itoa(concurrency)}}
	}
}

func scanCommand(headcount, engine string, workers, pipeline int) func(string, bucket) command {
	return func(_ string, b bucket) command {
		args := []string{"scan", "--quiet", "--endpoint-url", b.url, "--engine", engine, "--workers",
			strconv.Itoa(workers)}
		if pipeline > 1 {
			args = append(args, "--pipeline", strconv.Itoa(pipeline))
		}
		return command{path: headcount, args: append(args, "s3://"+b.name)}
	}
}

// rcloneCommand lists by LIST alone (--fast-list) and asks for nothing but metadata.
func rcloneCommand(program string, b bucket) command {
	return command{
		path: program,
		args: []string{
			"--config", os.DevNull, "--fast-list", "lsjson", "-R", "-M", "--files-only", "--no-modtime",
			"--no-mimetype", ":s3:" + b.name,
		},
		env: []string{
			"RCLONE_S3_PROVIDER=Other", "RCLONE_S3_ENDPOINT=" + b.url, "RCLONE_S3_ENV_AUTH=true",
			"RCLONE_S3_REGION=us-east-1",
			"RCLONE_S3_FORCE_PATH_STYLE=true",
		},
	}
}

// reader calls each for every object in the output of a client.
type reader func(stdout io.Reader, each func(record) error) error
