package engines

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"headcount/scan/head/engine"
)

// way is one way to ask for every object.
type way struct {
	name     string
	engine   string // that scan is asked for, and must say it took; empty: no scan, the floor or gosdk
	workers  int    // how many connections there are
	pipeline int    // how many HEADs are in flight on each; 0: scan's default, which is one
	tls      bool
}

// The ways over plain HTTP. Over TLS they are called the same and tlsSuffix.
const (
	wayFloor     = "floor"
	wayDirect    = "direct"
	wayPipelined = "pipelined"
	waySDK       = "sdk"
	wayGoSDK     = "gosdk" // the program of bench/peers, in which the SDK does the listing too; not over TLS

	tlsSuffix = "-tls"
)

// pipelinedShare is how many times fewer connections a pipelined way has: the setting of the prototype whose figures set
// the bars, 16 connections of 8 HEADs each beside 64 of one.
const pipelinedShare = 4

// allWays are the ways in the order of their runs: each beside what it is compared with.
func allWays(cfg Config) []way {
	plain := []way{
		{name: wayFloor, workers: cfg.Workers},
		{name: wayDirect, engine: engine.Direct, workers: cfg.Workers},
		{name: wayPipelined, engine: engine.Direct, workers: max(1, cfg.Workers/pipelinedShare), pipeline: cfg.Pipeline},
		{name: waySDK, engine: engine.SDK, workers: cfg.Workers},
	}
	all := append(slices.Clone(plain), way{name: wayGoSDK, workers: cfg.Workers})
	for _, w := range plain {
		w.name, w.tls = w.name+tlsSuffix, true
		all = append(all, w)
	}
	return all
}

// Ways returns the names of all ways.
func Ways() []string {
	var names []string
	for _, w := range allWays(Config{}) {
		names = append(names, w.name)
	}
	return names
}

// ParseWays reads some of the names of ways, with commas between them. Its error says which there are.
func ParseWays(text string, ways []string) ([]string, error) {
	names := strings.Split(text, ",")
	for i, name := range names {
		if !slices.Contains(ways, name) {
			return nil, fmt.Errorf("there is no way %q; there are: %s", name, strings.Join(ways, ", "))
		}
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("the way %s is named twice", name)
		}
	}
	return names, nil
}

// ways are those that the measurement is of.
func (cfg Config) ways() []way {
	return slices.DeleteFunc(allWays(cfg), func(w way) bool { return !slices.Contains(cfg.Ways, w.name) })
}

// sameTLS is the name of another way, over TLS if w is: w is compared with that one.
func sameTLS(w, other string) string {
	if strings.HasSuffix(w, tlsSuffix) {
		return other + tlsSuffix
	}
	return other
}

// scanFlags ask scan for the way.
func (w way) scanFlags() []string {
	flags := []string{"--engine", w.engine, "--workers", strconv.Itoa(w.workers)}
	if w.pipeline > 0 {
		flags = append(flags, "--pipeline", strconv.Itoa(w.pipeline))
	}
	return flags
}
