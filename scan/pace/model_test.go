package pace

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// model is a store with a token bucket, which workers ask through a Limiter. It lives in a synctest bubble: a minute of it
// takes a moment.
type model struct {
	mu      sync.Mutex
	rate    float64 // requests/s that it answers
	burst   time.Duration
	tokens  float64
	filled  time.Time
	noise   float64 // share that it refuses besides
	down    bool    // it refuses everything
	latency time.Duration

	random *rand.Rand
	good   int
	bad    int
}

func newModel(rate float64, latency time.Duration) *model {
	return &model{rate: rate, latency: latency, burst: 50 * time.Millisecond, filled: time.Now(), random: rand.New(rand.NewPCG(1, 2))}
}

func (m *model) ask() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if m.rate > 0 {
		m.tokens = min(m.tokens+now.Sub(m.filled).Seconds()*m.rate, max(5, m.rate*m.burst.Seconds()))
		m.filled = now
	}
	switch {
	case m.down:
	case m.random.Float64() < m.noise:
	case m.rate > 0 && m.tokens < 1:
	default:
		m.tokens--
		m.good++
		return true
	}
	m.bad++
	return false
}

// counts returns what was answered and refused since it was last asked.
func (m *model) counts() (good, bad float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	good, bad = float64(m.good), float64(m.bad)
	m.good, m.bad = 0, 0
	return good, bad
}

func (m *model) change(how func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	how()
}

// work asks the model by workers until ctx ends. The latency of each request is up to half more.
func (m *model) work(ctx context.Context, g *Limiter, workers, burst int) {
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for {
				n, err := g.Wait(ctx, burst)
				if err != nil {
					return
				}
				sent := time.Now()
				time.Sleep(m.latency/2 + rand.N(m.latency/2))
				answers := make([]bool, n)
				for i := range answers {
					answers[i] = m.ask()
				}
				time.Sleep(m.latency / 4)
				for _, well := range answers {
					if well {
						g.ObserveAnswers(1)
					} else {
						g.ObserveRefusal(sent, 0)
					}
				}
			}
		})
	}
	running.Wait()
}

// run is what became of some time in a model's life.
type run struct{ kept, refused, all float64 }

// scenario runs in a bubble of its own.
type scenario struct {
	rate    float64
	workers int
	burst   int
	latency time.Duration
	noise   float64
}

func (s scenario) String() string {
	return fmt.Sprintf("%v per second, %d workers, bursts of %d, %v, noise %v", s.rate, s.workers, s.burst, s.latency, s.noise)
}

// live lets workers ask a store for so long, and then checks what is said of the Limiter.
func (s scenario) live(t *testing.T, lasts time.Duration, during func(m *model, g *Limiter)) (r run) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(s.rate, s.latency)
		m.noise = s.noise
		var g Limiter
		ctx, cancel := context.WithTimeout(t.Context(), lasts)
		defer cancel()
		if during != nil {
			go during(m, &g)
		}
		m.work(ctx, &g, s.workers, s.burst)
		good, bad := m.counts()
		r = run{kept: good / lasts.Seconds(), refused: bad, all: good + bad}
	})
	return r
}

// The bars: nine tenths of what the store allows, and one refusal in fifty; on top come those that were in flight when the
// store refused for the first time.
func TestPaceFollowsTheStore(t *testing.T) {
	for _, rate := range []float64{500, 2_000, 5_500} {
		for _, workers := range []int{16, 64, 512} {
			for _, latency := range []time.Duration{500 * time.Microsecond, 5 * time.Millisecond, 50 * time.Millisecond} {
				if testing.Short() && latency != 5*time.Millisecond {
					continue
				}
				for _, burst := range []int{1, 8} {
					s := scenario{rate: rate, workers: workers, burst: burst, latency: latency}
					r := s.live(t, 20*time.Second, nil)
					inFlight := float64(workers * burst)
					spared := 1.1
					if burst > 1 { // each time the gate closes, it is too late for what is in flight, and that is much
						spared = 4
					}
					can := min(rate, 0.95*inFlight/latency.Seconds()) // latencies vary
					// The bars are 0.9 and 0.02, which bench pace holds it against; of hundreds of such runs a few miss them.
					if r.kept < 0.8*can || r.refused > 0.06*r.all+spared*inFlight {
						t.Errorf("%v: %.0f kept up, %.0f of %.0f refused", s, r.kept, r.refused, r.all)
					}
				}
			}
		}
	}
}

// What a store refuses at any rate does not drag the rate down, whether the store has a limit besides or not.
func TestNoiseIsNoReason(t *testing.T) {
	scenarios := []scenario{}
	for _, noise := range []float64{0.05, 0.15, 0.25, 0.35} {
		scenarios = append(scenarios, scenario{noise: noise})
	}
	scenarios = append(scenarios, scenario{rate: 500, noise: 0.05}, scenario{rate: 5_500, noise: 0.05})
	for _, s := range scenarios {
		rate := s.rate
		for _, workers := range []int{16, 64} {
			s.workers, s.burst, s.latency = workers, 1, 20*time.Millisecond
			r := s.live(t, 30*time.Second, nil)
			can := 0.95 * (1 - s.noise) * float64(workers) / s.latency.Seconds()
			if rate > 0 {
				can = min(rate, can)
			}
			// What is noise is looked for again now and then, and at some hundred requests per second that takes seconds.
			if r.kept < 0.3*can { // unheeded it comes to some per second
				t.Errorf("%v: %.0f kept up, of %.0f", s, r.kept, can)
			}
			// Of a store that refuses a twentieth, another twentieth is not told from that.
			if r.refused > max(3*s.noise, 0.3)*r.all {
				t.Errorf("%v: %.0f of %.0f refused", s, r.refused, r.all)
			}
		}
	}
}

// The limit follows a store that changes its mind, and within some seconds.
func TestPaceFollowsChanges(t *testing.T) {
	for _, workers := range []int{16, 64, 512} {
		s := scenario{rate: 5_500, workers: workers, burst: 1, latency: 2 * time.Millisecond}
		s.live(t, 36*time.Second, func(m *model, g *Limiter) {
			former := 0.0
			for _, rate := range []float64{5_500, 500, 2_000} {
				m.change(func() { m.rate = rate })
				time.Sleep(8 * time.Second)
				_, bad := m.counts()
				// After a pause, one window may be at a third of the former rate.
				if most := 0.02*8*rate + 4*float64(workers) + windowMin.Seconds()*former/3; bad > most {
					t.Errorf("%v: at %v %v were refused, and at most %v should", s, rate, bad, most)
				}
				former = rate
				time.Sleep(4 * time.Second)
				if good, bad := m.counts(); good < 0.9*4*rate || bad > 0.02*(good+bad) {
					t.Errorf("%v: at %v %v kept up, %v of %v refused", s, rate, good/4, bad, good+bad)
				}
			}
		})
	}
}

// An outage of ten seconds is met by what was in flight, and then by one request at a time, ever more rarely; when it is over
// there is no flood, and the rate is soon what it was.
func TestPaceOutlivesAnOutage(t *testing.T) {
	for _, rate := range []float64{0, 500} {
		for _, workers := range []int{16, 512} {
			s := scenario{rate: rate, workers: workers, burst: 1, latency: 5 * time.Millisecond}
			s.live(t, 30*time.Second, func(m *model, g *Limiter) {
				time.Sleep(10 * time.Second)
				before, _ := m.counts()
				m.change(func() { m.down = true })
				time.Sleep(10 * time.Second)
				m.change(func() { m.down = false })
				if _, bad := m.counts(); bad > float64(workers)+refusalBudgetMax+12 { // the hold doubles 8 times, and is 5 s then
					t.Errorf("%v: %v were sent in the outage", s, bad)
				}
				time.Sleep(7 * time.Second) // the last hold may have begun just before
				_, bad := m.counts()
				time.Sleep(3*time.Second - time.Millisecond)
				good, _ := m.counts()
				if good < 0.8*before*3/10 || bad > 0.05*before {
					t.Errorf("%v: %v/s before the outage, %v/s after it, and %v were refused then", s, before/10, good/3, bad)
				}
			})
		}
	}
}
