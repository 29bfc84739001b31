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

// model is a store with a token bucket, which workers ask through a Gate. It lives in a synctest bubble: a minute of it
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
func (m *model) work(ctx context.Context, g *Gate, workers, burst int) {
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
						g.Answered(1)
					} else {
						g.Throttled(sent, 0)
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

// live lets workers ask a store for so long, and then checks what is said of the Gate.
func (s scenario) live(t *testing.T, lasts time.Duration, during func(m *model, g *Gate)) (r run) {
	synctest.Test(t, func(t *testing.T) {
		m := newModel(s.rate, s.latency)
		m.noise = s.noise
		var g Gate
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
					can := min(rate, 0.95*inFlight/latency.Seconds()) // latencies vary
					if r.kept < 0.9*can || r.refused > 0.02*r.all+1.1*inFlight {
						t.Errorf("%v: %.0f kept up, %.0f of %.0f refused", s, r.kept, r.refused, r.all)
					}
				}
			}
		}
	}
}
