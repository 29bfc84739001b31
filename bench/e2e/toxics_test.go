package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"headcount/bench/pinned"
	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
)

// toxicRounds is the number of scans with each toxic. bench/runs/2026-11-22-storms keeps the results of ten, which were
// made when this flag was named -storms.seeds.
var toxicRounds = flag.Int("toxics.rounds", 1, "scan `N` times with each toxic")

// toxic is a failure of the network that toxiproxy simulates.
// https://github.com/Shopify/toxiproxy/blob/main/README.md (Toxics)
type toxic struct {
	Type       string         `json:"type"`
	Toxicity   float64        `json:"toxicity"` // the fraction of connections that are affected
	Attributes map[string]int `json:"attributes"`
}

// toxics returns the toxics. headcount ends the run when the first six attempts of the first LIST fail, so the toxicity
// of those that can break a LIST is small: half the connections would end one scan in 64.
func toxics() []toxic {
	return []toxic{
		// RST 50 ms after the first response
		{"reset_peer", 0.2, map[string]int{"timeout": 50}},
		// packets of 200±150 bytes, 20 µs apart
		{"slicer", 1, map[string]int{"average_size": 200, "size_variation": 150, "delay": 20}},
		// the connection closes after 30 kB: 50 HEADs, or a tenth of a LIST
		{"limit_data", 0.2, map[string]int{"bytes": 30_000}},
		// no bytes arrive, and the connection stays open
		{"timeout", 0.2, map[string]int{"timeout": 0}},
		// 20±20 ms
		{"latency", 1, map[string]int{"latency": 20, "jitter": 20}},
		{Type: downFor5s},
	}
}

// downFor5s is not a toxic of toxiproxy: the proxy itself stops for 5 s in the middle of a scan.
const downFor5s = "down for 5 s"

const toxicWorkers = 32

// TestToxics scans a bucket through a bad network. The scan must find the same records as through a good network, and
// repeat few requests.
func TestToxics(t *testing.T) {
	if testing.Short() {
		t.Skip("toxiproxy is a process of its own, which -short leaves out")
	}
	headcount := headcountBinary(filepath.Join(t.TempDir(), "headcount"+pinned.ExeSuffix()))
	goBuild(t, root, string(headcount), ".")
	options := s3sim.Options{Objects: 10_000, Latency: 5 * time.Millisecond}
	server, url := simtest.Start(t, options)
	args := []string{"--no-sign-request", "--workers", fmt.Sprint(toxicWorkers), "--timeout", "1s"}
	reference := headcount.scan(t, newS3Server(url, "", ""), "demo", "", args...)
	reference.wantSim(t, server)
	proxies := startToxiproxy(t)
	for round := range *toxicRounds {
		for _, toxic := range toxics() {
			t.Run(fmt.Sprint(toxic.Type, " ", round), func(t *testing.T) {
				t.Parallel()
				server, url := simtest.Start(t, options)
				proxy := proxies.to(t, strings.TrimPrefix(url, "http://"), toxic)
				if toxic.Type == downFor5s {
					ctx, cancel := context.WithCancel(t.Context())
					var outage sync.WaitGroup
					outage.Go(func() { proxy.stopAfter(ctx, t, server, options.Objects/5, 5*time.Second) })
					defer outage.Wait()
					defer cancel()
				}
				began := time.Now()
				got := headcount.scan(t, newS3Server(proxy.url, "", ""), "demo", "", args...)
				t.Logf("%.1f s, %d HEADs, %d descriptors, requests %v",
					time.Since(began).Seconds(), got.stats.Heads, got.descriptors, got.stats.Requests)
				got.wantSame(t, reference)
			})
		}
	}
}

// wantSim compares every record with the Object of its key.
func (got scanned) wantSim(t *testing.T, server *s3sim.Server) {
	t.Helper()
	records := map[string]*record{}
	for i := range got.records {
		records[got.records[i].key()] = &got.records[i]
	}
	if len(records) != len(got.records) || got.code != exitComplete {
		t.Errorf("exit %d, %d records of %d keys\n%s", got.code, len(got.records), len(records), got.stderr)
	}
	for i := range server.Keyspace().Len() {
		key := server.Keyspace().Key(i)
		o := server.Object(key)
		r := records[string(key)]
		if isBare := o.WithoutMetadata() && o.MissingMeta() == 0; (r == nil) != isBare {
			t.Fatalf("%q has metadata: %v, and a record: %v", key, !isBare, r != nil)
		}
		if r != nil && !maps.Equal(r.metadata(), o.Metadata()) {
			t.Fatalf("%q: %q, want %q", key, r.metadata(), o.Metadata())
		}
		delete(records, string(key))
	}
	if len(records) > 0 {
		t.Errorf("%d records are of no object", len(records))
	}
}

// wantSame compares a scan through a bad network with the reference through a good network.
func (got scanned) wantSame(t *testing.T, reference scanned) {
	t.Helper()
	if got.code != exitComplete || got.stats.Failed+got.stats.Gone+got.stats.Changed != 0 || !got.stats.balanced() {
		t.Errorf("exit %d, %+v\n%s", got.code, got.stats, got.stderr)
	}
	if lines, want := sortedLines(got.stdout), sortedLines(reference.stdout); !slices.Equal(lines, want) {
		t.Errorf("%d lines, and %d through a good network: %s", len(lines), len(want), firstDifference(lines, want))
	}
	if n, want := got.answered(), reference.answered(); n > want*5/4 {
		t.Errorf("%d requests were answered, and %d through a good network", n, want)
	}
	// In addition to the workers' connections: those of LISTs, files, and the runtime's.
	if most := toxicWorkers + 24; got.descriptors > most {
		t.Errorf("%d descriptors at once, want %d at most", got.descriptors, most)
	}
}

// answered returns the number of requests that were answered with a status. Requests that the network broke do not
// count: on a slow machine a connection carries fewer requests before its reset, and more requests time out.
func (got scanned) answered() int {
	n := 0
	for _, byStatus := range got.stats.Requests {
		for status, requests := range byStatus {
			if _, err := strconv.Atoi(status); err == nil {
				n += requests
			}
		}
	}
	return n
}

// toxiproxy is the URL of a running toxiproxy's API.
type toxiproxy string

// toxicProxy is one proxy of a toxiproxy.
type toxicProxy struct{ api, url string }

func startToxiproxy(t *testing.T) toxiproxy {
	binary := buildServer(t, "github.com/Shopify/toxiproxy/v2/cmd/server")
	for try := 1; ; try++ {
		address, err := pinned.FreeAddress()
		if err != nil {
			t.Fatal(err)
		}
		host, port, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		command := exec.CommandContext(untilDeadline(t), binary, "-host", host, "-port", port)
		err = untilTestEnds(t, command, "http://"+address+"/version")
		if err == nil {
			return toxiproxy("http://" + address)
		}
		if try == serverStarts {
			t.Fatal(err)
		}
		t.Log("starting it again:", err)
	}
}

// to makes a proxy to an address, with a toxic on its responses.
func (p toxiproxy) to(t *testing.T, address string, toxic toxic) toxicProxy {
	var made struct{ Listen string }
	// toxiproxy allows no blanks and no slashes in names.
	name := strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())
	post(t, string(p)+"/proxies", map[string]any{
		"name": name, "listen": "127.0.0.1:0", "upstream": address, "enabled": true,
	}, &made)
	proxy := toxicProxy{api: string(p) + "/proxies/" + name, url: "http://" + made.Listen}
	if toxic.Type != downFor5s {
		post(t, proxy.api+"/toxics", toxic, nil)
	}
	return proxy
}

// stopAfter stops the proxy for a time once the server has answered so many HEADs. It returns early when ctx ends.
func (p toxicProxy) stopAfter(
	ctx context.Context, t *testing.T, server *s3sim.Server, heads int64, duration time.Duration,
) {
	for server.Counts().Heads < heads {
		if ctx.Err() != nil {
			t.Log("the scan ended before the outage")
			return
		}
		time.Sleep(time.Millisecond)
	}
	p.enable(t, false)
	select {
	case <-time.After(duration):
		p.enable(t, true)
	case <-ctx.Done():
		t.Log("the scan ended during the outage")
	}
}

// enable starts or stops the proxy. Stopping it closes its connections.
func (p toxicProxy) enable(t *testing.T, open bool) {
	post(t, p.api, map[string]any{"enabled": open}, nil)
}

// post posts a value and decodes the response into response, unless that is nil.
func post(t *testing.T, url string, value, response any) {
	body, err := json.Marshal(value)
	if err != nil {
		t.Error(err)
		return
	}
	r, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err == nil && response != nil {
		err = json.Unmarshal(text, response)
	}
	if err != nil || r.StatusCode >= 300 {
		t.Errorf("%s: %s: %v\n%s", url, r.Status, err, text)
	}
}
