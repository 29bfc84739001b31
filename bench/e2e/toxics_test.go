package e2e

import (
	"bytes"
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
	"strings"
	"sync"
	"testing"
	"time"

	"headcount/bench/pinned"
	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
)

// toxicRounds is how often each toxic is met. What ten times brought is kept in bench/runs/2026-11-22-storms.
var toxicRounds = flag.Int("storms.seeds", 1, "meet each toxic `N` times")

// toxic is something that the network does, as toxiproxy plays it.
// https://github.com/Shopify/toxiproxy/blob/main/README.md (Toxics)
type toxic struct {
	Type       string         `json:"type"`
	Toxicity   float64        `json:"toxicity"` // the part of all connections that have it
	Attributes map[string]int `json:"attributes"`
}

func toxics() []toxic {
	return []toxic{
		{"reset_peer", 0.5, map[string]int{"timeout": 50}},                                     // ms from the first answer to the RST
		{"slicer", 1, map[string]int{"average_size": 200, "size_variation": 150, "delay": 20}}, // bytes, bytes, µs
		{"limit_data", 0.2, map[string]int{"bytes": 30_000}},                                   // 50 answers, and a tenth of a LIST: half of them would end the first contact, six tries, once in 64 runs
		{"timeout", 0.3, map[string]int{"timeout": 0}},                                         // nothing comes, and it is not closed
		{"latency", 1, map[string]int{"latency": 20, "jitter": 20}},                            // ms
		{Type: downFor5s},
	}
}

// downFor5s is no toxic of toxiproxy's: the proxy itself is gone for a while in the middle of a scan.
const downFor5s = "down for 5 s"

const toxicWorkers = 32

// TestToxics scans a bucket through a network that goes wrong: every line that a good one brings, and what that costs.
func TestToxics(t *testing.T) {
	if testing.Short() {
		t.Skip("toxiproxy is a process of its own, which -short leaves out")
	}
	headcount := headcountBinary(filepath.Join(t.TempDir(), "headcount"+pinned.ExeSuffix()))
	goBuild(t, root, string(headcount), ".")
	server, url := simtest.Start(t, s3sim.Options{Objects: 10_000, Latency: 5 * time.Millisecond})
	args := []string{"--no-sign-request", "--workers", fmt.Sprint(toxicWorkers), "--timeout", "1s"}
	calm := headcount.scan(t, newS3Server(url, "", ""), "demo", "", args...)
	calm.wantSim(t, server)
	proxies := startToxiproxy(t)
	for round := range *toxicRounds {
		for _, toxic := range toxics() {
			t.Run(fmt.Sprint(toxic.Type, " ", round), func(t *testing.T) {
				t.Parallel()
				proxy := proxies.to(t, strings.TrimPrefix(url, "http://"), toxic)
				if toxic.Type == downFor5s {
					var outage sync.WaitGroup
					outage.Go(func() {
						time.Sleep(700 * time.Millisecond) // of a scan of two seconds
						proxy.enable(t, false)
						time.Sleep(5 * time.Second)
						proxy.enable(t, true)
					})
					defer outage.Wait()
				}
				began := time.Now()
				got := headcount.scan(t, newS3Server(proxy.url, "", ""), "demo", "", args...)
				t.Logf("%.1f s, %d HEADs, %d descriptors, requests %v", time.Since(began).Seconds(), got.stats.Heads, got.descriptors, got.stats.Requests)
				got.wantCalm(t, calm)
				if toxic.Type == downFor5s && time.Since(began) < 5*time.Second {
					t.Error("the scan was over before the proxy was back")
				}
			})
		}
	}
}

// wantSim compares every record with what the sim computes of its key.
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

// wantCalm compares a scan through a bad network with one through a good one.
func (got scanned) wantCalm(t *testing.T, calm scanned) {
	t.Helper()
	if got.code != exitComplete || got.stats.Failed+got.stats.Gone+got.stats.Changed != 0 || !got.stats.balanced() {
		t.Errorf("exit %d, %+v\n%s", got.code, got.stats, got.stderr)
	}
	if lines, want := sortedLines(got.stdout), sortedLines(calm.stdout); !slices.Equal(lines, want) {
		t.Errorf("%d lines, and %d through a good network: %s", len(lines), len(want), firstDifference(lines, want))
	}
	if sent, want := got.sent(), calm.sent(); sent > want*5/4 {
		t.Errorf("%d requests, and %d through a good network", sent, want)
	}
	// Beside the workers' connections: those of LISTs, files, and what the runtime has.
	if most := toxicWorkers + 24; got.descriptors > most {
		t.Errorf("%d descriptors at once, want %d at most", got.descriptors, most)
	}
}

// sent is how many requests were: where nobody listens, none is.
func (got scanned) sent() int {
	n := got.stats.Heads - got.stats.Requests["head"]["refused"]
	for status, lists := range got.stats.Requests["list"] {
		if status != "refused" {
			n += lists
		}
	}
	return n
}

// toxiproxy is a running one, by the URL of its API.
type toxiproxy string

// toxicProxy is one of its proxies.
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
		err = untilTestEnds(t, exec.CommandContext(untilDeadline(t), binary, "-host", host, "-port", port), "http://"+address+"/version")
		if err == nil {
			return toxiproxy("http://" + address)
		}
		if try == serverStarts {
			t.Fatal(err)
		}
		t.Log("once more:", err)
	}
}

// to makes a proxy to an address, with a toxic on the way back.
func (p toxiproxy) to(t *testing.T, address string, toxic toxic) toxicProxy {
	var made struct{ Listen string }
	// Its names have no blanks and no slashes.
	name := strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())
	post(t, string(p)+"/proxies", map[string]any{"name": name, "listen": "127.0.0.1:0", "upstream": address, "enabled": true}, &made)
	proxy := toxicProxy{api: string(p) + "/proxies/" + name, url: "http://" + made.Listen}
	if toxic.Type != downFor5s {
		post(t, proxy.api+"/toxics", toxic, nil)
	}
	return proxy
}

// enable opens or closes the proxy, and with it all of its connections.
func (p toxicProxy) enable(t *testing.T, open bool) {
	post(t, p.api, map[string]any{"enabled": open}, nil)
}

// post posts what and reads the answer into answer, if there is one.
func post(t *testing.T, url string, what, answer any) {
	body, err := json.Marshal(what)
	if err != nil {
		t.Error(err)
		return
	}
	response, err := http.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Error(err)
		return
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && answer != nil {
		err = json.Unmarshal(text, answer)
	}
	if err != nil || response.StatusCode >= 300 {
		t.Errorf("%s: %s: %v\n%s", url, response.Status, err, text)
	}
}
