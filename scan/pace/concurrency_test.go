package pace

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// curve is the answers per second that a modelled store gives to so many in flight.
type curve func(inFlight float64) float64

// sharp is a store, or a machine, of which a HEAD takes so long and which answers so many per second at most.
func sharp(latency time.Duration, most float64) curve {
	return func(n float64) float64 { return min(n/latency.Seconds(), most) }
}

// soft is one that nears its most gradually: half of it at half in flight.
func soft(half, most float64) curve {
	return func(n float64) float64 { return most * n / (n + half) }
}

// collapsing is a sharp one that loses what goes beyond its most.
func collapsing(latency time.Duration, most float64) curve {
	return func(n float64) float64 {
		useful := most * latency.Seconds()
		return min(n/latency.Seconds(), most*math.Sqrt(useful/max(n, useful)))
	}
}

// search is a Concurrency at work on a modelled store.
type search struct {
	*Concurrency
	random *rand.Rand
	noise  float64 // standard deviation of the logarithm of the throughput in a window
	drift  float64 // the same, of what lasts for seconds: another program on the machine
	listed float64 // objects per second that are listed; 0: any number
	rate   float64 // that a Limiter lets pass; 0: any number

	lasting float64
	partial float64 // of an answer
	clock   time.Duration
}

func newSearch(most, depth int) *search {
	return &search{Concurrency: NewConcurrency(most, depth), random: rand.New(rand.NewPCG(3, 4))}
}

// live lets so much time pass, and returns the answers per second in it.
func (s *search) live(store curve, lasts time.Duration) float64 {
	answers := 0.0
	from := s.clock
	for s.clock-from < lasts {
		took := s.WindowLength()
		s.lasting += (s.random.NormFloat64()*s.drift - s.lasting) * min(1, took.Seconds()/2)
		inFlight := float64(s.Current() * s.depth)
		speed := store(inFlight) * math.Exp(s.random.NormFloat64()*s.noise+s.lasting)
		latency := inFlight / speed
		seen := Window{Elapsed: took, Latency: time.Duration(latency * float64(time.Second)), Rate: s.rate}
		if s.rate > 0 && speed > s.rate {
			speed = s.rate
		}
		if s.listed > 0 && speed > s.listed {
			seen.Idle, speed = 1-s.listed/speed, s.listed
		}
		s.partial += speed * took.Seconds()
		seen.Answers = int64(s.partial)
		s.partial -= float64(seen.Answers)
		answers += float64(seen.Answers)
		s.clock += took
		s.Update(seen)
	}
	return answers / (s.clock - from).Seconds()
}

// best is the throughput that the best fixed number has, and the least number that has nearly that.
func best(store curve, most, depth int) (speed float64, least int) {
	for n := 1; n <= most; n++ {
		speed = max(speed, store(float64(n*depth)))
	}
	for least = 1; store(float64(least*depth)) < 0.95*speed; least++ {
	}
	return speed, least
}

// The bar: nine tenths of the best fixed number's throughput, from the fifth second on; and not many more in flight than that takes.
func TestWidthFindsWhatTheStoreRewards(t *testing.T) {
	for name, store := range map[string]curve{
		"this machine's CPU, 0.5 ms":       sharp(500*time.Microsecond, 90_000),
		"5 ms":                             sharp(5*time.Millisecond, 60_000),
		"50 ms":                            sharp(50*time.Millisecond, 30_000),
		"50 ms, more than there may be":    sharp(50*time.Millisecond, 1e6),
		"a slow store, 200 ms":             sharp(200*time.Millisecond, 2_000),
		"a store of one disk":              sharp(8*time.Millisecond, 120),
		"one that 30 suffice for":          sharp(time.Millisecond, 30_000),
		"soft":                             soft(20, 40_000),
		"one that breaks down beyond 100":  collapsing(5*time.Millisecond, 20_000),
		"one that breaks down beyond 8":    collapsing(time.Millisecond, 8_000),
		"one that breaks down beyond 1000": collapsing(50*time.Millisecond, 20_000),
	} {
		for _, depth := range []int{1, 8} {
			for _, noise := range []float64{0, 0.05, 0.2} {
				const most = 4096
				what := fmt.Sprintf("%s, %d on each, noise %v", name, depth, noise)
				s := newSearch(most/depth, depth)
				s.noise, s.drift = noise, noise
				speed, least := best(store, most/depth, depth)
				s.live(store, 5*time.Second)
				got := s.live(store, 10*time.Second)
				if floor := 0.9 * math.Exp(-noise/2) * speed; got < floor {
					t.Errorf("%s: %.0f/s at %d workers; the best has %.0f/s, and %d suffice", what, got, s.Best(), speed, least)
				}
				if s.live(store, 240*time.Second); float64(s.Best()) > 4*float64(least)+1 && noise < 0.1 {
					t.Errorf("%s: %d workers at last, and %d suffice", what, s.Best(), least)
				}
			}
		}
	}
}

// The width follows a store that changes, both ways.
func TestWidthFollowsChanges(t *testing.T) {
	s := newSearch(4096, 1)
	s.noise = 0.03
	for i, store := range []curve{
		sharp(500*time.Microsecond, 50_000), sharp(50*time.Millisecond, 30_000), collapsing(2*time.Millisecond, 10_000),
		sharp(20*time.Millisecond, 20_000), sharp(20*time.Millisecond, 2_000), sharp(20*time.Millisecond, 40_000),
	} {
		s.live(store, 40*time.Second) // with two seconds' worth of HEADs in flight, it takes as long to see what less would bring
		got, home := s.live(store, 10*time.Second), s.Best()
		if speed, least := best(store, 4096, 1); got < 0.85*speed || home > 4*least {
			t.Errorf("store %d: %.0f/s at %d workers; the best has %.0f/s, and %d suffice", i, got, home, speed, least)
		}
	}
}

// Where listing limits the run, the width does not grow, and is narrowed to what has something to do; it grows again when there is more.
func TestWidthOfAStarvedPool(t *testing.T) {
	store := sharp(5*time.Millisecond, 100_000)
	s := newSearch(4096, 1)
	s.listed = 5_000 // 25 in flight
	for range 50 {
		if s.live(store, 500*time.Millisecond); s.Current() > 64 {
			t.Fatalf("%d workers, and 25 have something to do", s.Current())
		}
	}
	if n := s.Best(); n < 25 || n > 40 {
		t.Errorf("%d workers, and 25 have something to do", n)
	}
	s.listed = 0
	s.live(store, 5*time.Second)
	if got := s.live(store, 10*time.Second); got < 90_000 {
		t.Errorf("%.0f/s when there is more to do", got)
	}
}

// A listing that comes in bursts is not taken for a store that rewards more.
func TestWidthOfAPoolThatIsStarvedNowAndThen(t *testing.T) {
	s := newSearch(4096, 1)
	for range 400 {
		s.listed = 3_000 * math.Exp2(2*s.random.Float64())              // 15 to 60 in flight
		s.live(sharp(5*time.Millisecond, 100_000), 10*time.Millisecond) // a window
		if s.Current() > 128 {
			t.Fatalf("%d workers, and at most 60 have something to do", s.Current())
		}
	}
}

// Under a limit nothing grows, and the width that is not needed goes; what the limit allows is reached however few that were.
func TestWidthUnderALimit(t *testing.T) {
	for _, rate := range []float64{5, 500, 20_000} {
		store := sharp(5*time.Millisecond, 1e6)
		s := newSearch(4096, 1)
		s.live(store, 5*time.Second)
		wide := s.Best()
		s.rate = rate
		s.live(store, 20*time.Second)
		need := rate * 0.005
		if n := float64(s.Best()); n > 3*need+concurrencyMin || n >= float64(wide) {
			t.Errorf("%v/s: %v workers, and %v suffice", rate, n, need)
		}
		if got := s.live(store, 10*time.Second); got < 0.95*rate {
			t.Errorf("%v/s are allowed, and %v/s come", rate, got)
		}
		s = newSearch(4096, 1) // from the first moment
		s.rate = rate
		s.live(store, 5*time.Second)
		if got := s.live(store, 10*time.Second); got < 0.95*rate || float64(s.Current()) > max(concurrencyStart, 4*need) {
			t.Errorf("%v/s are allowed, and %v/s come, of %d workers", rate, got, s.Current())
		}
	}
}

// An outage is no news of how many are rewarded.
func TestWidthOutlivesAnOutage(t *testing.T) {
	store := sharp(5*time.Millisecond, 60_000)
	s := newSearch(4096, 1)
	s.live(store, 30*time.Second)
	home := s.Best()
	for range 50 {
		if s.Update(Window{Elapsed: s.WindowLength()}); s.Best() != home || s.Current() != home {
			t.Fatalf("%d workers before, %d in it", home, s.Current())
		}
	}
	if got := s.live(store, 10*time.Second); got < 54_000 {
		t.Errorf("%v/s after it", got)
	}
}

// It stays between 1 and the most there may be.
func TestWidthHasBounds(t *testing.T) {
	for _, most := range []int{1, 2, 3, 33} {
		for _, store := range []curve{sharp(50*time.Millisecond, 1e6), collapsing(time.Millisecond, 100)} {
			s := newSearch(most, 1)
			s.noise = 0.3
			for range 300 {
				s.live(store, time.Millisecond)
				if n := s.Current(); n < 1 || n > most || s.Best() < 1 || s.Best() > most || s.Lookahead() > most {
					t.Fatalf("%d of %d workers", n, most)
				}
			}
		}
	}
}
