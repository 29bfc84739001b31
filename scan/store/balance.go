package store

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

const (
	// judgeEvery is how often the sites of a balance are compared: so long it takes until a change shows, and until sessions that have
	// moved are known to do better.
	judgeEvery = time.Second

	// judgeAnswers is how many answers tell how fast a site is. One that brings fewer in judgeEvery is judged when it has brought as many.
	judgeAnswers = 8

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
	mu     sync.Mutex
	sites  map[K]*site
	judged time.Time
}

// site is what a balance knows of one. A new one has the whole of its share.
type site struct {
	live  int     // connections to it
	share float64 // of an even part

	// Of its answers since it was judged last, and what that came to.
	answers int
	took    time.Duration
	mean    time.Duration // 0: it has not been judged
}

// at is the site named k; b.mu is held.
func (b *balance[K]) at(k K) *site {
	s := b.sites[k]
	if s == nil {
		if b.sites == nil {
			b.sites = map[K]*site{}
		}
		s = &site{share: 1}
		b.sites[k] = s
	}
	return s
}

// enter counts a connection to a site, and leave counts it no more.
func (b *balance[K]) enter(k K) { b.count(k, 1) }
func (b *balance[K]) leave(k K) { b.count(k, -1) }

func (b *balance[K]) count(k K, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at(k).live += n
}

// load is how much a site would bear with one connection more. One that has none comes first, whatever its share: nothing else would
// tell how fast it is.
func (s *site) load() float64 {
	if s.live == 0 {
		return 0
	}
	return float64(s.live+1) / s.share
}

// sort puts sites into the order in which they should get a connection; those that bear the same stay as they are.
func (b *balance[K]) sort(sites []K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	slices.SortStableFunc(sites, func(x, y K) int { return cmp.Compare(b.at(x).load(), b.at(y).load()) })
}

// crowded says whether a site has so many connections that one of them would do better at one of the others. It keeps its last one.
func (b *balance[K]) crowded(k K, others []K) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.at(k)
	if s.live < 2 {
		return false
	}
	borne := float64(s.live) / s.share
	return slices.ContainsFunc(others, func(other K) bool { return other != k && b.at(other).load() < borne })
}

// answered tells of answers from a site, and how long they took together.
func (b *balance[K]) answered(k K, answers int, took time.Duration) {
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.at(k)
	s.answers += answers
	s.took += took
	switch {
	case b.judged.IsZero():
		b.judged = now
	case now.Sub(b.judged) >= judgeEvery:
		b.judge()
		b.judged = now
	}
}

// judge compares the sites; b.mu is held.
func (b *balance[K]) judge() {
	var best time.Duration
	for _, s := range b.sites {
		if s.answers >= judgeAnswers {
			s.mean = max(1, s.took/time.Duration(s.answers))
		}
		if s.live > 0 && s.mean > 0 && (best == 0 || s.mean < best) {
			best = s.mean
		}
	}
	for _, s := range b.sites {
		if s.answers < judgeAnswers {
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

// ease gives a site the least share, from which it recovers.
func (b *balance[K]) ease(k K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at(k).share = shareMin
}

// keep forgets the sites that have no connections and are not among these.
func (b *balance[K]) keep(sites []K) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k, s := range b.sites {
		if s.live == 0 && !slices.Contains(sites, k) {
			delete(b.sites, k)
		}
	}
}
