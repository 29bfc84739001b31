package heads

import (
	"math"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"headcount/scan/fault"
)

const (
	latencyMax = time.Hour // far over any timeout

	stepDigits   = 3 // a thousandth is finer than any network is steady
	momentDigits = 2 // a tenth of the room, and there are many Moments

	// A moment is a second, or longer where a Step would have more than so many: each may take 27 KB, and no picture
	// shows more.
	momentMin  = time.Second
	momentsMax = 600

	// bucketsPerOctave makes Buckets 9 % wide: 150 at most from a microsecond to a minute, which is what a picture can
	// show.
	bucketsPerOctave = 8
)

// Classes of what has no answer, beside those of fault.ClassOf.
const (
	classUnanswered = "unanswered" // it was in flight when the Step was over, and for patience longer
	classTimeout    = string(fault.Timeout)
)

// observation is what became of one HEAD.
type observation struct {
	status  string        // its status, or the class of its failure
	at      time.Duration // when that was known, since the part of the Step that counts began
	latency time.Duration // from the planned start, or else from when it was sent
	service time.Duration // from when it was sent
	err     error         // why there is no answer; nil: there is one, or nobody waited for it
	resent  int           // HEADs that were sent again before, as head.Result has it
	ok      bool
}

// hasLatency says whether it is among the latencies: it succeeded, or waited in vain for so long at least. A refusal
// that comes at once is no fast HEAD.
func (n *observation) hasLatency() bool {
	return n.ok || n.status == classTimeout || n.status == classUnanswered
}

// recorder is what the workers have noted of a Step. They hand in what they have once a batch: a histogram for each of
// them, of a quarter of a megabyte, would take longer to merge than the HEADs do. Its methods may be called
// concurrently.
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
	inFlightTime time.Duration // HEADs were in flight until the end, all together
	statuses     map[string]int64
	errorTexts   map[string]string // the text of a failure of each class

	resent int64
}

// moment is what was noted in a part of the Step. The last has the errors and the latencies of what came after the
// Step's end, too, but not what succeeded then: that would be a peak that never was.
type moment struct {
	ok, errors int64
	latency    *hdrhistogram.Histogram // nil: there is none
}

func newRecorder(duration time.Duration, isOpen bool) *recorder {
	b := &recorder{duration: duration, latency: newHistogram(stepDigits), statuses: map[string]int64{}, errorTexts: map[string]string{}}
	if isOpen {
		b.service = newHistogram(stepDigits)
	}
	b.momentLength = max(momentMin, duration/momentsMax)
	b.moments = make([]moment, max(1, (duration+b.momentLength-1)/b.momentLength))
	return b
}

func newHistogram(digits int) *hdrhistogram.Histogram {
	return hdrhistogram.New(1, latencyMax.Microseconds(), digits)
}

// addLatency adds n latencies. Those out of range are no longer than latencyMax, as far as anybody knows.
func addLatency(h *hdrhistogram.Histogram, latency time.Duration, n int64) {
	_ = h.RecordValues(min(max(1, latency.Microseconds()), latencyMax.Microseconds()), n)
}

// record takes in what a worker has noted, and for how long HEADs of it were in flight.
func (b *recorder) record(notes []observation, busy time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlightTime += busy
	for i := range notes {
		n := &notes[i]
		m := b.momentAt(n.at)
		b.resent += int64(n.resent)
		switch {
		case !n.ok:
			b.errors++
			m.errors++
			b.keepError(n)
		default:
			b.ok++
			if n.at <= b.duration {
				m.ok++
			}
		}
		b.statuses[n.status]++
		if n.hasLatency() {
			addLatency(b.latency, n.latency, 1)
			addLatency(m.latency, n.latency, 1)
			if b.service != nil {
				addLatency(b.service, n.service, 1)
			}
		}
	}
}

// keepError keeps the text of the first failure of each class. b.mu is held.
func (b *recorder) keepError(n *observation) {
	if _, has := b.errorTexts[n.status]; n.err != nil && !has {
		b.errorTexts[n.status] = printable(n.err.Error())
	}
}

func (b *recorder) momentAt(at time.Duration) *moment {
	m := &b.moments[min(max(0, int(at/b.momentLength)), len(b.moments)-1)]
	if m.latency == nil {
		m.latency = newHistogram(momentDigits)
	}
	return m
}

// unsentWaits is how many different waits stand for those of any number of HEADs: nobody sees the difference to a
// thousandth.
const unsentWaits = 1000

// recordUnsent takes in HEADs that were planned, evenly, and not sent before the end: the first has waited for so long,
// the last for nearly nothing.
func (b *recorder) recordUnsent(count int64, longest time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.unsent += count
	m := b.momentAt(b.duration)
	for i, parts := int64(0), min(count, unsentWaits); i < parts; i++ {
		n := count*(i+1)/parts - count*i/parts
		wait := time.Duration(float64(longest) * float64(parts-i) / float64(parts))
		addLatency(b.latency, wait, n)
		addLatency(m.latency, wait, n)
	}
}

// counts are HEADs that succeeded and that did not.
func (b *recorder) counts() (ok, errors int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.ok, b.errors
}

// latencyOf tells a histogram in milliseconds.
func latencyOf(h *hdrhistogram.Histogram) Latency {
	return Latency{
		P50: millis(h.ValueAtQuantile(50)), P90: millis(h.ValueAtQuantile(90)), P99: millis(h.ValueAtQuantile(99)),
		P999: millis(h.ValueAtQuantile(99.9)), Max: millis(h.Max()), Mean: math.Round(h.Mean()) / 1000,
	}
}

func millis(microseconds int64) float64 { return float64(microseconds) / 1000 }

// bucketsOf sums a histogram up in Buckets.
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

// series are the moments of a Step whose part that counts began so many seconds after the first Step.
func (b *recorder) series(began float64) []Moment {
	all := make([]Moment, 0, len(b.moments))
	for i := range b.moments {
		m := &b.moments[i]
		from := time.Duration(i) * b.momentLength
		length := min(b.momentLength, b.duration-from)
		if length <= 0 {
			break
		}
		told := Moment{AtSeconds: began + (from + length).Seconds(), Seconds: length.Seconds(), Heads: m.ok, Errors: m.errors}
		if m.latency != nil {
			l := latencyOf(m.latency)
			told.P50, told.P99, told.Max = l.P50, l.P99, l.Max
		}
		all = append(all, told)
	}
	return all
}
