package balance

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// pool is workers with one connection each to a target of a Balancer. Each worker checks once a second whether its
// connection should move.
type pool struct {
	balancer Balancer[string]
	targets  []string
	stop     chan struct{}

	mu      sync.Mutex
	latency map[string]time.Duration
	answers map[string]int
}

func newPool(workers int, latency map[string]time.Duration) *pool {
	p := &pool{latency: latency, answers: map[string]int{}, stop: make(chan struct{})}
	for _, target := range []string{"a", "b", "c"} {
		if latency[target] > 0 {
			p.targets = append(p.targets, target)
		}
	}
	for range workers {
		go p.work(p.acquire())
		synctest.Wait()
	}
	return p
}

func (p *pool) acquire() string {
	targets := slices.Clone(p.targets)
	p.balancer.Sort(targets)
	p.balancer.Acquire(targets[0])
	return targets[0]
}

func (p *pool) work(target string) {
	for checked := time.Now(); ; {
		p.mu.Lock()
		latency := p.latency[target]
		p.mu.Unlock()
		select {
		case <-p.stop:
			return
		case <-time.After(latency):
		}
		p.balancer.Observe(target, 1, latency)
		p.mu.Lock()
		p.answers[target]++
		p.mu.Unlock()
		if time.Since(checked) >= time.Second {
			checked = time.Now()
			if p.balancer.Overloaded(target, p.targets) {
				p.balancer.Release(target)
				target = p.acquire()
			}
		}
	}
}

// connectionsAfter lets the pool work for d and returns the connections to each target.
func (p *pool) connectionsAfter(d time.Duration) map[string]int {
	time.Sleep(d)
	synctest.Wait()
	p.balancer.mu.Lock()
	defer p.balancer.mu.Unlock()
	connections := map[string]int{}
	for _, target := range p.targets {
		connections[target] = p.balancer.target(target).connections
	}
	return connections
}

func (p *pool) setLatency(target string, latency time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latency[target] = latency
}

func (p *pool) answersOf(target string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.answers[target]
}

// between bounds the number of connections to target b.
type between struct{ min, max int }

func (b between) has(n int) bool { return n >= b.min && n <= b.max }

func TestBalancerSharesConnections(t *testing.T) {
	type latencies = map[string]time.Duration
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		workers  int
		latency  latencies
		soon     between // after 3 s
		inTheEnd between // after 60 s
	}{
		"equal latencies":       {32, latencies{"a": 40 * ms, "b": 40 * ms, "c": 40 * ms}, between{10, 11}, between{10, 11}},
		"twice the latency":     {32, latencies{"a": 40 * ms, "b": 80 * ms}, between{16, 16}, between{16, 16}},
		"slower by 1 ms":        {4, latencies{"a": ms / 2, "b": 3 * ms / 2}, between{2, 2}, between{2, 2}},
		"one is slow":           {32, latencies{"a": 40 * ms, "b": 400 * ms}, between{9, 14}, between{1, 2}},
		"two are slow":          {33, latencies{"a": 40 * ms, "b": 400 * ms, "c": 200 * ms}, between{6, 10}, between{1, 2}},
		"20 s for an answer":    {32, latencies{"a": 40 * ms, "b": 20 * time.Second}, between{16, 16}, between{9, 14}},
		"one connection each":   {2, latencies{"a": 40 * ms, "b": 400 * ms}, between{1, 1}, between{1, 1}},
		"one connection in all": {1, latencies{"a": 40 * ms, "b": 400 * ms}, between{0, 0}, between{0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPool(test.workers, test.latency)
				defer close(p.stop)
				soon := p.connectionsAfter(3 * time.Second)["b"]
				inTheEnd := p.connectionsAfter(57 * time.Second)["b"]
				if !test.soon.has(soon) || !test.inTheEnd.has(inTheEnd) {
					t.Errorf("%d and %d connections, want %v and %v", soon, inTheEnd, test.soon, test.inTheEnd)
				}
			})
		})
	}
}

// A slow target costs less than a tenth of the throughput, and gets its full share again when it has recovered.
func TestBalancerRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPool(32, map[string]time.Duration{"a": 40 * time.Millisecond, "b": 500 * time.Millisecond})
		defer close(p.stop)
		p.connectionsAfter(30 * time.Second)
		before := p.answersOf("a")
		p.connectionsAfter(10 * time.Second)
		// 32 connections to the fast target would bring 8,000 answers.
		if n := p.answersOf("a") - before; n < 7_250 || n > 8_000 {
			t.Errorf("%d answers in 10 s", n)
		}
		p.setLatency("b", 40*time.Millisecond)
		if connections := p.connectionsAfter(30 * time.Second); connections["a"] != 16 {
			t.Errorf("%v connections after the recovery", connections)
		}
	})
}

func TestRefusalTracker(t *testing.T) {
	type step struct {
		pause    time.Duration
		refusals int // of the target
		answers  int // of the target, after the refusals
		others   int // answers of another target
	}
	for name, test := range map[string]struct {
		steps []step
		alone bool
	}{
		"alone":                    {[]step{{0, 15, 0, 50}, {time.Second, 1, 0, 0}}, true},
		"too few refusals":         {[]step{{0, 14, 0, 50}, {time.Second, 1, 0, 0}}, false},
		"too soon":                 {[]step{{0, 15, 0, 50}, {time.Second - 1, 1, 0, 0}}, false},
		"not in a row":             {[]step{{0, 15, 1, 50}, {time.Second, 15, 0, 50}}, false},
		"the others hardly work":   {[]step{{0, 15, 0, 15}, {time.Second, 1, 0, 0}}, false},
		"the others worked before": {[]step{{0, 0, 0, 50}, {0, 15, 0, 0}, {time.Second, 1, 0, 0}}, false},
		"alone, and reported once": {[]step{{0, 15, 0, 50}, {time.Second, 1, 0, 50}, {time.Second, 1, 0, 50}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var r RefusalTracker[string]
				alone := false
				for _, step := range test.steps {
					time.Sleep(step.pause)
					for range step.refusals {
						alone = r.ObserveRefusal("a")
					}
					r.ObserveAnswers("b", step.others)
					if step.answers > 0 {
						r.ObserveAnswers("a", step.answers)
					}
				}
				if alone != test.alone {
					t.Errorf("alone: %v", alone)
				}
			})
		})
	}
}
