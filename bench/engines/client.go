package engines

import (
	"slices"
	"strconv"
	"strings"

	"headcount/scan/head/engine"
)

// client is one program that sends a HEAD for every object.
type client struct {
	name     string
	engine   string // the engine of headcount scan; empty: the client is the floor or gosdk
	workers  int    // connections
	pipeline int    // HEADs in flight on each connection; 0: scan's default, which is one
	tls      bool
}

// The clients over HTTP. The names of those over TLS end with tlsSuffix.
const (
	clientFloor     = "floor"
	clientDirect    = "direct"
	clientPipelined = "pipelined"
	clientSDK       = "sdk"
	// the program of bench/peers/gosdk, in which the SDK also does the listing; it does not run over TLS
	clientGoSDK = "gosdk"

	tlsSuffix = "-tls"
)

// pipelinedDivisor is how many times fewer connections a pipelined client has: 16 connections with 8 HEADs each, beside
// 64 with one. The thresholds were set from a prototype with these numbers.
const pipelinedDivisor = 4

// allClients returns the clients in the order of their runs, each beside the one that it is compared with.
func allClients(cfg Config) []client {
	plain := []client{
		{name: clientFloor, workers: cfg.Workers},
		{name: clientDirect, engine: engine.Direct, workers: cfg.Workers},
		{name: clientPipelined, engine: engine.Direct, workers: max(1, cfg.Workers/pipelinedDivisor),
			pipeline: cfg.Pipeline},
		{name: clientSDK, engine: engine.SDK, workers: cfg.Workers},
	}
	all := append(slices.Clone(plain), client{name: clientGoSDK, workers: cfg.Workers})
	for _, c := range plain {
		c.name, c.tls = c.name+tlsSuffix, true
		all = append(all, c)
	}
	return all
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

// baselineOf returns the name of the client that the client name is compared with: baseline, over TLS if name is over
// TLS.
func baselineOf(name, baseline string) string {
	if strings.HasSuffix(name, tlsSuffix) {
		return baseline + tlsSuffix
	}
	return baseline
}

// scanFlags are the flags of headcount scan that select the client's engine.
func (c client) scanFlags() []string {
	flags := []string{"--engine", c.engine, "--workers", strconv.Itoa(c.workers)}
	if c.pipeline > 0 {
		flags = append(flags, "--pipeline", strconv.Itoa(c.pipeline))
	}
	return flags
}
