package store

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

const (
	// rebalanceEvery is how often the sites of a balance are compared: so long it takes until a change shows, and until sessions that have
	// moved are known to do better.
	rebalanceEvery = time.Second

	// answersMin is how many answers tell how fast a site is. One that brings fewer in judgeEvery is judged when it has brought as many.
	answersMin = 8

	// A site is slow whose answers take more than slowTimes as long as those of the fastest, and slowBy besides: a worker whose HEADs
	// take less than that is not what a scan waits for, and on a busy machine half of it is its own.
	slowTimes = 2
	slowBy    = time.Millisecond

	// A slow site's share falls by a quarter each time, and grows by a sixteenth of an even one when it is slow no more: those that move
	// make it faster, and must not all come back at once. A sixteenth is left to it, so that it is noticed when it has recovered.
	shareCut   = 0.75
	shareGrows = 1.0 / 16
	shareMin   = 1.0 / 16
)

// balance shares connections out among sites that do the same: the endpoints of a Store, the addresses of a name. Each gets as many as
// the others, and one that is slow gets fewer. The zero balance knows no sites. Its methods may be called concurrently.
//
// As all workers take from one channel, a slow site gets fewer HEADs in any case, in inverse proportion to its latency; but the
// workers that wait for it are missing elsewhere.
type balance[K comparable] struct {
	mu         sync.Mutex
	targets    map[K]*target
	rebalanced time.Time
}

// target is what a balance knows of one. A new one has the whole of its share.
type target struct {
	live  int     // connections to it
	share float64 // of an even part

	// Of its answers since it was judged last, and what that came to.
	answers int
	took    time.Duration
	mean    time.Duration // 0: it has not been judged
}

// target is the site named k; b.mu is held.
func (b *balance[K]) target(k K) *target {
	s := b.targets[k]
	if s == nil {
		if b.targets == nil {
			b.targets = map[K]*target{}
		}
		s = &target{share: 1}
		b.targets[k] = s
	}
	return s
}

// acquire counts a connection to a site, and leave counts it no more.
func (b *balance[K]) acquire(k K) { b.count(k, 1) }
func (b *balance[K]) release(k K) { b.count(k, -1) }

func (b *balance[K]) count(k K, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.target(k).live += n
}

// load is how much a site would bear with one connection more. One that has none comes first, whatever its share: nothing else would
// tell how fast it is.
func (s *target) load() float64 {
	if s.live == 0 {
		return 0
	}
	return float64(s.live+1) / s.share
}

// sort puts sites into the order in which they should get a connection; those that bear the same stay as they are.
func (b *balance[K]) sort(sites []K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	slices.SortStableFunc(sites, func(x, y K) int { return cmp.Compare(b.target(x).load(), b.target(y).load()) })
}

// overloaded says whether a site has so many connections that one of them would do better at one of the others. It keeps its last one.
func (b *balance[K]) overloaded(k K, others []K) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.target(k)
	if s.live < 2 {
		return false
	}
	borne := float64(s.live) / s.share
	return slices.ContainsFunc(others, func(other K) bool { return other != k && b.target(other).load() < borne })
}

// observe tells of answers from a site, and how long they took together.
func (b *balance[K]) observe(k K, answers int, took time.Duration) {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.target(k)
	s.answers += answers
	s.took += took
	switch {
	case b.rebalanced.IsZero():
		b.rebalanced = now
	case now.Sub(b.rebalanced) >= rebalanceEvery:
		b.rebalance()
		b.rebalanced = now
	}
}

// rebalance compares the sites; b.mu is held.
func (b *balance[K]) rebalance() {
	var best time.Duration
	for _, s := range b.targets {
		if s.answers >= answersMin {
			s.mean = max(1, s.took/time.Duration(s.answers))
		}
		if s.live > 0 && s.mean > 0 && (best == 0 || s.mean < best) {
			best = s.mean
		}
	}
	for _, s := range b.targets {
		if s.answers < answersMin {
			continue
		}
		if best > 0 && s.mean > slowTimes*best+slowBy {
			s.share = max(shareMin, s.share*shareCut)
		} else {
			s.share = min(1, s.share+shareGrows)
		}
		s.answers, s.took = 0, 0
	}
}

// demote gives a site the least share, from which it recovers.
func (b *balance[K]) demote(k K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.target(k).share = shareMin
}

// retain forgets the sites that have no connections and are not among these.
func (b *balance[K]) retain(sites []K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k, s := range b.targets {
		if s.live == 0 && !slices.Contains(sites, k) {
			delete(b.targets, k)
		}
	}
}
