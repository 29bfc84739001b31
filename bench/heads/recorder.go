package heads

import (
	"math"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"headcount/scan/fault"
)

const (
	latencyMax = time.Hour // far above any timeout

	stepDigits   = 3 // finer than the jitter of any network
	momentDigits = 2 // a tenth of the memory; there are many moments

	// A moment is a second, or longer if a Step would have more than momentsMax. Each may take 27 KB, and no chart
	// shows more.
	momentMin  = time.Second
	momentsMax = 600

	// bucketsPerOctave makes a Bucket 9 % wide. From a microsecond to a minute there are 150 at most, which is as fine
	// as a chart can show.
	bucketsPerOctave = 8
)

// The classes of HEADs without an answer, beside those of fault.ClassOf.
const (
	classUnanswered = "unanswered" // still in flight drainTimeout after the end of the Step
	classTimeout    = string(fault.Timeout)
)

// observation is the outcome of one HEAD.
type observation struct {
	status  string        // the status of the answer, or the class of the failure
	at      time.Duration // when the outcome was known, from the end of the warm-up
	latency time.Duration // from the planned start, or in a closed loop from the send
	service time.Duration // from the send
	err     error         // of a HEAD without an answer; nil: answered, or unanswered at the end of the Step
	resent  int           // HEADs that were sent again before this result, as in head.Result
	ok      bool
}

// hasLatency reports whether the HEAD counts in the latencies: it succeeded, or waited in vain for at least that long.
// An immediate refusal is not a fast HEAD.
func (n *observation) hasLatency() bool {
	return n.ok || n.status == classTimeout || n.status == classUnanswered
}

// recorder collects the observations of all workers in a Step. Workers hand in batches of observations. A histogram for
// each worker would take a quarter of a megabyte, and merging it would take longer than the HEADs. The methods of a
// recorder may be called concurrently.
type recorder struct {
	duration     time.Duration
	momentLength time.Duration

	mu           sync.Mutex
	latency      *hdrhistogram.Histogram // of microseconds
	service      *hdrhistogram.Histogram // nil in a closed loop
	moments      []moment
	ok           int64
	errors       int64
	unsent       int64
	inFlightTime time.Duration // the sum of the times for which HEADs were in flight until the end
	statuses     map[string]int64
	errorTexts   map[string]string // the text of the first failure of each class

	resent int64
}

// moment has the observations of a part of the Step. The last moment also has the errors and the latencies of HEADs
// that ended after the Step. It does not have the successes after the Step, which would appear as a peak of throughput.
type moment struct {
	ok, errors int64
	latency    *hdrhistogram.Histogram // nil: no latency
}

func newRecorder(duration time.Duration, isOpen bool) *recorder {
	r := &recorder{duration: duration, latency: newHistogram(stepDigits), statuses: map[string]int64{},
		errorTexts: map[string]string{}}
	if isOpen {
		r.service = newHistogram(stepDigits)
	}
	r.momentLength = max(momentMin, duration/momentsMax)
	r.moments = make([]moment, max(1, (duration+r.momentLength-1)/r.momentLength))
	return r
}

func newHistogram(digits int) *hdrhistogram.Histogram {
	return hdrhistogram.New(1, latencyMax.Microseconds(), digits)
}

// addLatency adds n latencies. One above latencyMax counts as latencyMax.
func addLatency(h *hdrhistogram.Histogram, latency time.Duration, n int64) {
	_ = h.RecordValues(min(max(1, latency.Microseconds()), latencyMax.Microseconds()), n)
}

// record adds the observations of a worker, and the time for which its HEADs were in flight.
func (r *recorder) record(notes []observation, busy time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.inFlightTime += busy
	for i := range notes {
		n := &notes[i]
		m := r.momentAt(n.at)
		r.resent += int64(n.resent)
		switch {
		case !n.ok:
			r.errors++
			m.errors++
			r.keepError(n)
		default:
			r.ok++
			if n.at <= r.duration {
				m.ok++
			}
		}
		r.statuses[n.status]++
		if n.hasLatency() {
			addLatency(r.latency, n.latency, 1)
			addLatency(m.latency, n.latency, 1)
			if r.service != nil {
				addLatency(r.service, n.service, 1)
			}
		}
	}
}

// keepError keeps the text of the first failure of each class. r.mu is held.
func (r *recorder) keepError(n *observation) {
	if _, has := r.errorTexts[n.status]; n.err != nil && !has {
		r.errorTexts[n.status] = printable(n.err.Error())
	}
}

func (r *recorder) momentAt(at time.Duration) *moment {
	m := &r.moments[min(max(0, int(at/r.momentLength)), len(r.moments)-1)]
	if m.latency == nil {
		m.latency = newHistogram(momentDigits)
	}
	return m
}

// unsentWaits is the greatest number of distinct waits by which recordUnsent represents those of all unsent HEADs.
// Differences of a thousandth are not visible.
const unsentWaits = 1000

// recordUnsent adds HEADs that were planned evenly and not sent before the end. The first has waited for longest, and
// the last for nearly no time.
func (r *recorder) recordUnsent(count int64, longest time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unsent += count
	m := r.momentAt(r.duration)
	for i, parts := int64(0), min(count, unsentWaits); i < parts; i++ {
		n := count*(i+1)/parts - count*i/parts
		wait := time.Duration(float64(longest) * float64(parts-i) / float64(parts))
		addLatency(r.latency, wait, n)
		addLatency(m.latency, wait, n)
	}
}

// counts returns the numbers of HEADs that succeeded and that failed.
func (r *recorder) counts() (ok, errors int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ok, r.errors
}

// latencyOf converts a histogram to milliseconds.
func latencyOf(h *hdrhistogram.Histogram) Latency {
	return Latency{
		P50: millis(h.ValueAtQuantile(50)), P90: millis(h.ValueAtQuantile(90)), P99: millis(h.ValueAtQuantile(99)),
		P999: millis(h.ValueAtQuantile(99.9)), Max: millis(h.Max()), Mean: math.Round(h.Mean()) / 1000,
	}
}

func millis(microseconds int64) float64 { return float64(microseconds) / 1000 }

// bucketsOf merges the bars of a histogram to Buckets.
func bucketsOf(h *hdrhistogram.Histogram) []Bucket {
	buckets := []Bucket{}
	last := math.MinInt
	for _, bar := range h.Distribution() {
		if bar.Count == 0 {
			continue
		}
		octave := int(math.Ceil(bucketsPerOctave * math.Log2(float64(max(1, bar.To)))))
		if octave != last {
			last = octave
			limit := math.Exp2(float64(octave)/bucketsPerOctave) / 1000
			buckets = append(buckets, Bucket{Millis: math.Round(limit*1e6) / 1e6})
		}
		buckets[len(buckets)-1].Count += bar.Count
	}
	return buckets
}

// series returns the moments of a Step. began is the time from the beginning of the first Step to the end of this
// Step's warm-up, in seconds.
func (r *recorder) series(began float64) []Moment {
	all := make([]Moment, 0, len(r.moments))
	for i := range r.moments {
		m := &r.moments[i]
		from := time.Duration(i) * r.momentLength
		length := min(r.momentLength, r.duration-from)
		if length <= 0 {
			break
		}
		told := Moment{AtSeconds: began + (from + length).Seconds(), Seconds: length.Seconds(), Heads: m.ok,
			Errors: m.errors}
		if m.latency != nil {
			l := latencyOf(m.latency)
			told.P50, told.P99, told.Max = l.P50, l.P99, l.Max
		}
		all = append(all, told)
	}
	return all
}
