package scan

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/metrics"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// simulation is a store without a network, for runs in the bubble of a synctest. There every delay is exact, and no
// result depends on the speed of the machine. The zero value lists no keys and answers every HEAD at once with 200.
type simulation struct {
	keys          int
	listLatency   time.Duration // of each page
	canaryLatency time.Duration
	stale         map[string]bool // keys that are listed for ever

	metadata []head.Header // of each answer

	onSession func(n int) // called when the n-th session was created, n from 0; nil: nothing is called
	vouches   bool        // Results are final only after Settle

	sessionLatency []time.Duration // added to each answer, by the number of the session

	// answer returns the answer to the n-th HEAD for a key, n from 1. If it is nil, the answer is 200 at once.
	answer func(key string, n int) simulatedAnswer

	connections *simulatedConnections // nil: every session has one

	engine atomic.Pointer[string] // the engine's name; nil: "simulated"

	heads    atomic.Int64 // HEADs that were sent
	sessions atomic.Int64 // head.Sessions that were created
	canaries atomic.Int64 // canary LISTs

	mu       sync.Mutex
	attempts map[string]int // by key
}

// simulatedAnswer is the answer to a HEAD. If after is longer than the request's timeout, the HEAD times out.
type simulatedAnswer struct {
	after      time.Duration
	status     int // 0: 200
	retryAfter string
}

// connectionLost is the status of a HEAD whose connection was lost, and that could have no other.
const connectionLost = -1

// simulatedKey returns the i-th key.
func simulatedKey(i int) string { return fmt.Sprintf("k%06d", i) }

// run scans the simulation. It returns the results of Run and its duration on the fake clock.
func (sim *simulation) run(
	t *testing.T, ctx context.Context, cfg Config,
) (stats metrics.Stats, took time.Duration, err error) {
	t.Helper()
	s := sim.newScan(t, cfg)
	start := time.Now()
	stats, err = s.Run(ctx)
	took = time.Since(start)
	if !stats.Balanced() {
		t.Errorf("the outcomes do not add up: %+v", stats.Outcomes)
	}
	return stats, took, err
}

func (sim *simulation) newScan(t *testing.T, cfg Config) *Scan {
	t.Helper()
	var err error
	cfg.Store, err = store.Open(t.Context(), store.Config{
		Bucket: "simulated", Endpoints: []string{"http://127.0.0.1:1"}, Isolated: true, Connections: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cfg.Store.Close)
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	sim.attempts = map[string]int{}
	s.engine = &simulatedEngine{sim, s.limiter, s.cfg.Timeout}
	s.wire()
	s.verifier.canary = fault.NewCanary(sim.probe, nil, s.cfg.RetryFor, s.cfg.Log)
	s.verifier.stillListed = sim.stillListed
	s.pool.cpuTime = func() time.Duration { return 0 }
	s.producer.source = sim.source()
	return s
}

// probe is the canary LIST.
func (sim *simulation) probe(ctx context.Context) error {
	sim.canaries.Add(1)
	return fault.Sleep(ctx, sim.canaryLatency)
}

// stillListed has doubts about the objects of the keys in stale.
func (sim *simulation) stillListed(_ context.Context, missing []list.Missing) (doubts []error, err error) {
	doubts = make([]error, len(missing))
	for i, r := range missing {
		if sim.stale[r.Entry.Key] {
			doubts[i] = list.ErrStillListed
		}
	}
	return doubts, nil
}

// source has one walk, over all keys.
func (sim *simulation) source() source {
	var begun atomic.Bool
	return func(context.Context) (*walk, error) {
		if begun.Swap(true) {
			return nil, nil
		}
		return &walk{
			pages: &simulatedPages{sim: sim}, isFirst: func() (bool, <-chan struct{}) { return true, nil }, close: func() {},
		}, nil
	}
}

type simulatedPages struct {
	sim  *simulation
	next int
	last bool // the last page was returned
	rest list.Range
}

func (w *simulatedPages) Next(ctx context.Context) (*list.Page, error) {
	if w.last {
		return nil, nil
	}
	if err := fault.Sleep(ctx, w.sim.listLatency); err != nil {
		return nil, err
	}
	page := &list.Page{Range: w.rest}
	for len(page.Entries) < pageKeys && w.next < w.sim.keys {
		page.Entries = append(page.Entries, list.Entry{Key: simulatedKey(w.next)})
		w.next++
	}
	if w.last = w.next == w.sim.keys; !w.last {
		page.Range.Through = page.Entries[len(page.Entries)-1].Key
	}
	w.rest.After = page.Range.Through
	return page, nil
}

func (w *simulatedPages) Rest() (list.Range, bool) { return w.rest, !w.last }

// simulatedEngine sends the HEADs of each session one after the other, as the contract of head.Engine requires.
type simulatedEngine struct {
	sim     *simulation
	limiter *pace.Limiter
	timeout time.Duration
}

func (e *simulatedEngine) Name() string {
	if name := e.sim.engine.Load(); name != nil {
		return *name
	}
	return "simulated"
}

func (e *simulatedEngine) Session() head.Session {
	n := int(e.sim.sessions.Add(1)) - 1
	s := &simulatedSession{simulatedEngine: e}
	if n < len(e.sim.sessionLatency) {
		s.latency = e.sim.sessionLatency[n]
	}
	if e.sim.onSession != nil {
		e.sim.onSession(n)
	}
	return s
}

type simulatedSession struct {
	*simulatedEngine
	latency   time.Duration
	connected bool // to a simulation with simulatedConnections
	trust     head.Trust
}

func (s *simulatedSession) Close() {
	if s.connected {
		s.sim.connections.close()
	}
}

func (s *simulatedSession) Trust() head.Trust { return s.trust }

func (s *simulatedSession) Settle(context.Context) error {
	s.trust.Sure = s.trust.Answered
	return nil
}

func (s *simulatedSession) Head(ctx context.Context, batch *head.Batch, each func(*head.Result)) error {
	for i := 0; ; i++ {
		claimed := batch.Claim(1)
		if i == len(claimed) {
			return nil
		}
		if _, err := s.limiter.Wait(ctx, 1); err != nil {
			return err
		}
		batch.BeginSending()
		if r, err := s.connect(ctx); r != nil || err != nil {
			if err != nil {
				return err
			}
			each(r)
			continue
		}
		sent := time.Now()
		answer := s.sim.next(claimed[i].Key)
		answer.after += s.latency
		if err := fault.Sleep(ctx, min(answer.after, s.timeout)); err != nil {
			return err
		}
		r := &head.Result{Status: answer.status, Received: time.Now(), Latency: time.Since(sent), Metadata: s.sim.metadata}
		if answer.after > s.timeout {
			r = &head.Result{Err: context.DeadlineExceeded}
		}
		if answer.status == connectionLost {
			r = s.lose()
		}
		if answer.retryAfter != "" {
			r.Headers = []head.Header{{Name: []byte("retry-after"), Value: []byte(answer.retryAfter)}}
		}
		if s.sim.vouches {
			s.trust.Answered++
		}
		each(r)
	}
}

// connect opens a connection if the session has none. It returns a Result if it has none afterwards.
func (s *simulatedSession) connect(ctx context.Context) (*head.Result, error) {
	connections := s.sim.connections
	if connections == nil || s.connected {
		return nil, nil
	}
	var failure error
	if s.connected, failure = connections.open(); s.connected {
		return nil, nil
	}
	r := &head.Result{Err: failure, Unconnected: true}
	if failure == nil { // nothing comes
		r.Err = context.DeadlineExceeded
		return r, fault.Sleep(ctx, s.timeout)
	}
	return r, fault.Sleep(ctx, time.Millisecond)
}

// lose closes the connection. It returns the Result of a HEAD that was sent again over a new one, in vain.
func (s *simulatedSession) lose() *head.Result {
	s.sim.connections.close()
	s.connected = false
	return &head.Result{Err: s.sim.connections.failure, Unconnected: true}
}

// next returns the answer to the next HEAD for a key.
func (sim *simulation) next(key string) simulatedAnswer {
	sim.heads.Add(1)
	sim.mu.Lock()
	sim.attempts[key]++
	n := sim.attempts[key]
	sim.mu.Unlock()
	var answer simulatedAnswer
	if sim.answer != nil {
		answer = sim.answer(key, n)
	}
	if answer.status == 0 {
		answer.status = http.StatusOK
	}
	return answer
}

// When the engine becomes another one, as after a change of the region, each worker opens a session of the new one for
// its next batch.
func TestWorkersFollowTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const workers = 4
		sim := simulation{keys: 5_000, answer: answersAfter(10 * time.Millisecond)}
		s := sim.newScan(t, Config{Workers: workers, All: true})
		time.AfterFunc(3*time.Second, func() {
			name := "another"
			sim.engine.Store(&name)
			s.cfg.Store.SwitchRegion("us-east-1", "eu-west-1") // it changes the generation
		})
		stats, err := s.Run(t.Context())
		if err != nil || stats.Emitted != int64(sim.keys) || stats.Engine != "another" {
			t.Errorf("got %+v by %s, error %v; want all emitted by another", stats.Outcomes, stats.Engine, err)
		}
		if n := sim.sessions.Load(); n != 2*workers {
			t.Errorf("got %d sessions, want %d", n, 2*workers)
		}
	})
}

// A worker that starts while the engine becomes another one opens a session of the new one too.
func TestNewWorkerFollowsTheEngine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sim := simulation{keys: 100}
		s := sim.newScan(t, Config{Workers: 1, All: true})
		sim.onSession = func(n int) {
			if name := "another"; n == 0 {
				sim.engine.Store(&name)
				s.cfg.Store.SwitchRegion("us-east-1", "eu-west-1")
			}
		}
		stats, err := s.Run(t.Context())
		if n := sim.sessions.Load(); err != nil || stats.Emitted != int64(sim.keys) || n != 2 {
			t.Errorf("got %+v over %d sessions, error %v; want all emitted over 2", stats.Outcomes, n, err)
		}
	})
}

// A simulated run emits every object, and takes at least the sum of the latencies.
func TestSimulation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, keys := range []int{0, 1, 999, 1000, 1001} {
			sim := simulation{keys: keys, listLatency: time.Second, answer: func(string, int) simulatedAnswer {
				return simulatedAnswer{after: 10 * time.Millisecond}
			}}
			stats, took, err := sim.run(t, t.Context(), Config{Workers: 1, All: true})
			pages := max(1, (keys+pageKeys-1)/pageKeys)
			least := time.Duration(pages)*time.Second + time.Duration(keys%pageKeys)*10*time.Millisecond
			complete := err == nil && stats.Complete && stats.Emitted == int64(keys)
			if !complete || sim.heads.Load() != int64(keys) || took < least {
				t.Errorf("%d keys: got %+v after %v, error %v; want all emitted after at least %v",
					keys, stats.Outcomes, took, err, least)
			}
		}
	})
}
