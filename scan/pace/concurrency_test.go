package pace

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// curve returns the throughput of a modelled store, in answers/s, with a number of HEADs in flight.
type curve func(inFlight float64) float64

// sharp returns the curve of a store with a latency and a maximum throughput.
func sharp(latency time.Duration, limit float64) curve {
	return func(n float64) float64 { return min(n/latency.Seconds(), limit) }
}

// soft returns the curve of a store that approaches its maximum gradually. It reaches half of it with half in flight.
func soft(half, limit float64) curve {
	return func(n float64) float64 { return limit * n / (n + half) }
}

// collapsing returns the curve of a sharp store whose throughput falls if more HEADs are in flight than it needs.
func collapsing(latency time.Duration, limit float64) curve {
	return func(n float64) float64 {
		useful := limit * latency.Seconds()
		return min(n/latency.Seconds(), limit*math.Sqrt(useful/max(n, useful)))
	}
}

// search runs a Concurrency on a modelled store. Its clock is the sum of the windows: it does not sleep.
type search struct {
	*Concurrency
	random *rand.Rand
	noise  float64 // standard deviation of the logarithm of the throughput in a window
	drift  float64 // the same for changes that last for seconds: another program on the machine
	listed float64 // objects/s that are listed; 0: no limit
	rate   float64 // of a Limiter, requests/s; 0: no limit

	drifted  float64 // present change in the logarithm of the throughput
	fraction float64 // of an answer
	clock    time.Duration
}

func newSearch(workersMax, depth int) *search {
	return &search{Concurrency: NewConcurrency(workersMax, depth), random: rand.New(rand.NewPCG(3, 4))}
}

// run runs the search for a duration and returns the throughput.
func (s *search) run(store curve, duration time.Duration) float64 {
	answers := 0.0
	from := s.clock
	for s.clock-from < duration {
		elapsed := s.WindowLength()
		s.drifted += (s.random.NormFloat64()*s.drift - s.drifted) * min(1, elapsed.Seconds()/2)
		inFlight := float64(s.Current() * s.depth)
		throughput := store(inFlight) * math.Exp(s.random.NormFloat64()*s.noise+s.drifted)
		latency := inFlight / throughput
		w := Window{Elapsed: elapsed, Latency: time.Duration(latency * float64(time.Second)), Rate: s.rate}
		if s.rate > 0 && throughput > s.rate {
			throughput = s.rate
		}
		if s.listed > 0 && throughput > s.listed {
			w.Idle, throughput = 1-s.listed/throughput, s.listed
		}
		s.fraction += throughput * elapsed.Seconds()
		w.Answers = int64(s.fraction)
		s.fraction -= float64(w.Answers)
		answers += float64(w.Answers)
		s.clock += elapsed
		s.Update(w)
	}
	return answers / (s.clock - from).Seconds()
}

// best returns the throughput of the best fixed number of workers, and the least number with 95 % of that throughput.
func best(store curve, workersMax, depth int) (throughput float64, least int) {
	for n := 1; n <= workersMax; n++ {
		throughput = max(throughput, store(float64(n*depth)))
	}
	for least = 1; store(float64(least*depth)) < 0.95*throughput; least++ {
	}
	return throughput, least
}

// From the fifth second on, the throughput is 90 % of that of the best fixed number of workers. In the end there are at
// most four times the necessary workers.
func TestConcurrencyFindsTheBestNumber(t *testing.T) {
	for name, store := range map[string]curve{
		"this machine's CPU, 0.5 ms":   sharp(500*time.Microsecond, 90_000),
		"5 ms":                         sharp(5*time.Millisecond, 60_000),
		"50 ms":                        sharp(50*time.Millisecond, 30_000),
		"50 ms, more than the maximum": sharp(50*time.Millisecond, 1e6),
		"a slow store, 200 ms":         sharp(200*time.Millisecond, 2_000),
		"a store of one disk":          sharp(8*time.Millisecond, 120),
		"30 workers suffice":           sharp(time.Millisecond, 30_000),
		"soft":                         soft(20, 40_000),
		"it collapses beyond 100":      collapsing(5*time.Millisecond, 20_000),
		"it collapses beyond 8":        collapsing(time.Millisecond, 8_000),
		"it collapses beyond 1000":     collapsing(50*time.Millisecond, 20_000),
	} {
		for _, depth := range []int{1, 8} {
			for _, noise := range []float64{0, 0.05, 0.2} {
				const inFlightMax = 4096
				test := fmt.Sprintf("%s, depth %d, noise %v", name, depth, noise)
				s := newSearch(inFlightMax/depth, depth)
				s.noise, s.drift = noise, noise
				throughput, least := best(store, inFlightMax/depth, depth)
				s.run(store, 5*time.Second)
				got := s.run(store, 10*time.Second)
				if floor := 0.9 * math.Exp(-noise/2) * throughput; got < floor {
					t.Errorf("%s: %.0f/s with %d workers, want %.0f/s; %d suffice", test, got, s.Best(), floor, least)
				}
				if s.run(store, 240*time.Second); float64(s.Best()) > 4*float64(least)+1 && noise < 0.1 {
					t.Errorf("%s: %d workers in the end, and %d suffice", test, s.Best(), least)
				}
			}
		}
	}
}

func TestConcurrencyFollowsAStoreThatChanges(t *testing.T) {
	s := newSearch(4096, 1)
	s.noise = 0.03
	for i, store := range []curve{
		sharp(500*time.Microsecond, 50_000), sharp(50*time.Millisecond, 30_000), collapsing(2*time.Millisecond, 10_000),
		sharp(20*time.Millisecond, 20_000), sharp(20*time.Millisecond, 2_000), sharp(20*time.Millisecond, 40_000),
	} {
		s.run(store, 40*time.Second) // with HEADs for 2 s in flight, each trial takes as long
		got, workers := s.run(store, 10*time.Second), s.Best()
		if throughput, least := best(store, 4096, 1); got < 0.85*throughput || workers > 4*least {
			t.Errorf("store %d: %.0f/s with %d workers; %d suffice for %.0f/s", i, got, workers, least, throughput)
		}
	}
}

// While listing limits the run, the number of workers does not grow, and decreases to the useful ones. It grows again
// when there are more keys.
func TestConcurrencyOfAStarvedPool(t *testing.T) {
	store := sharp(5*time.Millisecond, 100_000)
	s := newSearch(4096, 1)
	s.listed = 5_000 // 25 in flight
	for range 50 {
		if s.run(store, 500*time.Millisecond); s.Current() > 64 {
			t.Fatalf("%d workers, and 25 are useful", s.Current())
		}
	}
	if n := s.Best(); n < 25 || n > 40 {
		t.Errorf("%d workers, and 25 are useful", n)
	}
	s.listed = 0
	s.run(store, 5*time.Second)
	if got := s.run(store, 10*time.Second); got < 90_000 {
		t.Errorf("%.0f/s when there are more keys", got)
	}
}

// A listing that comes in bursts does not look like a store that rewards more workers.
func TestConcurrencyWithAListingInBursts(t *testing.T) {
	s := newSearch(4096, 1)
	for range 400 {
		s.listed = 3_000 * math.Exp2(2*s.random.Float64())             // 15 to 60 in flight
		s.run(sharp(5*time.Millisecond, 100_000), 10*time.Millisecond) // a window
		if s.Current() > 128 {
			t.Fatalf("%d workers, and at most 60 are useful", s.Current())
		}
	}
}

// Under a rate limit the number of workers decreases to the useful ones, and they reach the limit.
func TestConcurrencyUnderARateLimit(t *testing.T) {
	for _, rate := range []float64{5, 500, 20_000} {
		store := sharp(5*time.Millisecond, 1e6)
		s := newSearch(4096, 1)
		s.run(store, 5*time.Second)
		before := s.Best()
		s.rate = rate
		s.run(store, 20*time.Second)
		need := rate * 0.005
		if n := float64(s.Best()); n > 3*need+concurrencyMin || n >= float64(before) {
			t.Errorf("%v/s: %v workers, and %v suffice", rate, n, need)
		}
		if got := s.run(store, 10*time.Second); got < 0.95*rate {
			t.Errorf("%v/s with a limit of %v/s", got, rate)
		}
		s = newSearch(4096, 1) // limited from the start
		s.rate = rate
		s.run(store, 5*time.Second)
		got := s.run(store, 10*time.Second)
		if got < 0.95*rate || float64(s.Current()) > max(concurrencyStart, 4*need) {
			t.Errorf("%v/s with a limit of %v/s, and %d workers", got, rate, s.Current())
		}
	}
}

// An outage changes nothing.
func TestConcurrencySurvivesAnOutage(t *testing.T) {
	store := sharp(5*time.Millisecond, 60_000)
	s := newSearch(4096, 1)
	s.run(store, 30*time.Second)
	before := s.Best()
	for range 50 {
		if s.Update(Window{Elapsed: s.WindowLength()}); s.Best() != before || s.Current() != before {
			t.Fatalf("%d workers before, %d during the outage", before, s.Current())
		}
	}
	if got := s.run(store, 10*time.Second); got < 54_000 {
		t.Errorf("%v/s after the outage", got)
	}
}

func TestConcurrencyHasBounds(t *testing.T) {
	for _, workersMax := range []int{1, 2, 3, 33} {
		for _, store := range []curve{sharp(50*time.Millisecond, 1e6), collapsing(time.Millisecond, 100)} {
			s := newSearch(workersMax, 1)
			s.noise = 0.3
			for range 300 {
				s.run(store, time.Millisecond)
				current, best := s.Current(), s.Best()
				if min(current, best) < 1 || max(current, best, s.Lookahead()) > workersMax {
					t.Fatalf("%d workers, at most %d", current, workersMax)
				}
			}
		}
	}
}
