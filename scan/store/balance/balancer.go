package balance

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

const (
	// rebalanceEvery is how often the shares are adjusted. Sessions that moved to another target after one adjustment
	// have latencies of that target by the next one.
	rebalanceEvery = time.Second

	// answersMin is how many answers a mean latency needs. The answers of a target that brings fewer of them within
	// rebalanceEvery accumulate until there are enough.
	answersMin = 8

	// A target is slow if its mean latency is more than slowFactor times that of the fastest target plus slowMargin. A
	// scan does not wait for a worker whose HEADs take less than slowMargin, and on a busy machine half of such a
	// latency is the machine's own.
	slowFactor = 2
	slowMargin = time.Millisecond

	// The share of a slow target falls by a quarter at each adjustment. It grows by a sixteenth when the target is no
	// longer slow: sessions that move away make the target faster, and they must not all return at once. The minimum
	// leaves enough requests to notice that the target has recovered.
	shareDecrease = 0.75
	shareIncrease = 1.0 / 16
	shareMin      = 1.0 / 16
)

// Balancer shares connections among targets: each target gets an equal number, and a slow target gets fewer. The zero
// Balancer knows no targets and is ready for use. All methods may be called concurrently.
//
// Without a Balancer a slow target would already get fewer HEADs, because all workers take batches from one channel.
// But the workers that wait for the slow target would be missing at the fast ones.
type Balancer[K comparable] struct {
	mu         sync.Mutex
	targets    map[K]*target
	rebalanced time.Time // last time; zero: never
}

// target is the state of one target. A new target has a share of 1.
type target struct {
	connections int
	share       float64

	// Since the latest mean was computed.
	answers int
	latency time.Duration // sum over the answers

	mean time.Duration // latency of one answer; 0: not known
}

// load returns the load that the target would have with one more connection. A target without connections has load 0
// whatever its share: its latency cannot be learned otherwise.
func (t *target) load() float64 {
	if t.connections == 0 {
		return 0
	}
	return float64(t.connections+1) / t.share
}

// target returns the target with the key k, and adds the target if it is new. The caller holds b.mu.
func (b *Balancer[K]) target(k K) *target {
	t := b.targets[k]
	if t == nil {
		if b.targets == nil {
			b.targets = map[K]*target{}
		}
		t = &target{share: 1}
		b.targets[k] = t
	}
	return t
}

// Acquire adds a connection to the count of a target. One Release must follow each Acquire.
func (b *Balancer[K]) Acquire(k K) { b.addConnections(k, 1) }

// Release undoes one Acquire.
func (b *Balancer[K]) Release(k K) { b.addConnections(k, -1) }

func (b *Balancer[K]) addConnections(k K, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.target(k).connections += n
}

// Sort sorts targets by the load that each would have with one more connection. The sort is stable.
func (b *Balancer[K]) Sort(targets []K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	slices.SortStableFunc(targets, func(x, y K) int { return cmp.Compare(b.target(x).load(), b.target(y).load()) })
}

// Overloaded reports whether moving one connection from the target k to one of the others would lower the maximum load.
// The last connection of a target never moves.
func (b *Balancer[K]) Overloaded(k K, others []K) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.target(k)
	if t.connections < 2 {
		return false
	}
	load := float64(t.connections) / t.share
	return slices.ContainsFunc(others, func(other K) bool { return other != k && b.target(other).load() < load })
}

// Observe records answers from a target and the sum of their latencies.
func (b *Balancer[K]) Observe(k K, answers int, latency time.Duration) {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.target(k)
	t.answers += answers
	t.latency += latency
	switch {
	case b.rebalanced.IsZero():
		b.rebalanced = now
	case now.Sub(b.rebalanced) >= rebalanceEvery:
		b.rebalance()
		b.rebalanced = now
	}
}

// rebalance adjusts the share of each target that has enough answers. The caller holds b.mu.
func (b *Balancer[K]) rebalance() {
	var fastest time.Duration
	for _, t := range b.targets {
		if t.answers >= answersMin {
			t.mean = max(1, t.latency/time.Duration(t.answers))
		}
		if t.connections > 0 && t.mean > 0 && (fastest == 0 || t.mean < fastest) {
			fastest = t.mean
		}
	}
	for _, t := range b.targets {
		if t.answers < answersMin {
			continue
		}
		if fastest > 0 && t.mean > slowFactor*fastest+slowMargin {
			t.share = max(shareMin, t.share*shareDecrease)
		} else {
			t.share = min(1, t.share+shareIncrease)
		}
		t.answers, t.latency = 0, 0
	}
}

// Demote sets the share of a target to the minimum. The share grows again as the target answers.
func (b *Balancer[K]) Demote(k K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.target(k).share = shareMin
}

// Retain forgets the targets that have no connections and are not among those given.
func (b *Balancer[K]) Retain(targets []K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k, t := range b.targets {
		if t.connections == 0 && !slices.Contains(targets, k) {
			delete(b.targets, k)
		}
	}
}
