package scan

import (
	"log/slog"
	"math"
	"sync"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

const (
	// agreeingMin is the number of objects that show how the listing of a store differs from its HEADs. All of them have
	// to differ in the same way.
	agreeingMin = 24

	// These are that number for a bucket of fewer objects, all of which are answered: where the length of each is as it
	// was listed, and where only the time is.
	agreeingLengthMin = 3
	agreeingTimeMin   = 8

	// waitForOthers is the time after which an object is asked for again whose answer is undecided. It doubles with each
	// wait. The object occupies no worker meanwhile, but a page. In large buckets the evidence is there long before.
	waitForOthers = 200 * time.Millisecond
	waitsMax      = 5 // about 6 s

	traits = 3 // those that can always differ: head.HasETag, head.ETag, head.Length
)

// differences finds out in which Traits the answers of a store always differ from its listing (head.Expected). The
// evidence are the answers to HEADs on new connections: another object's answer on a connection out of step is none.
// An object is evidence if its answer is corroborated: nothing was overwritten. The first object that is like the
// listing in a Trait ends the expectation for good.
//
// Whatever is expected, the other Traits are still compared, and Last-Modified for each answer that differs. Its
// methods may be called concurrently.
type differences struct {
	expected *head.Expected
	log      *slog.Logger

	// unsettled returns the number of objects that are to be answered yet, as far as it is known.
	unsettled func() int64

	mu      sync.Mutex
	groups  [2]differenceGroup
	waiting int // objects without an opinion
}

// differenceGroup is the evidence from objects that are listed with 0 bytes, or from the others. Swift lists a large
// object with 0 bytes, and other objects with their length.
type differenceGroup struct {
	agreeing [traits]int // objects that differ, by the bit of the Trait
	refuted  head.Trait  // some object is like the listing in these
	learned  head.Trait

	// A proxy that answers every HEAD with the same page, or the same object, shows nothing about the listing.
	etag   string // of the first answer with another ETag than the listing
	varied bool   // another answer had another one
}

func newDifferences(progress *metrics.ProgressCounters, log *slog.Logger) *differences {
	unsettled := func() int64 {
		p := progress.Progress()
		if !p.ListedAll {
			return math.MaxInt64
		}
		return p.Listed - p.Settled
	}
	return &differences{expected: new(head.Expected), log: log, unsettled: unsettled}
}

// groupOf returns the index of the group of an entry.
func groupOf(e *list.Entry) int {
	if e.Size == 0 {
		return 0
	}
	return 1
}

// refute notes that an answer is like the listing in some Traits.
func (d *differences) refute(group int, equal head.Trait) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refuteLocked(group, equal)
}

func (d *differences) refuteLocked(group int, equal head.Trait) {
	for i := range d.groups {
		g := &d.groups[i]
		if i == group {
			g.refuted |= equal
		}
		g.refuted |= equal & head.HasETag // a store that sends ETags sends them with all objects
		if g.learned&g.refuted != 0 {
			g.learned &^= g.refuted
			d.expected.Set(i == 0, g.learned)
		}
	}
}

// observation is what the differences remember of one object. The zero value is that of an object that was not
// observed.
type observation struct {
	counted, waiting bool // it is among those that agree; it is without an opinion
	waits            int  // how often it had to wait for others
}

// opinion is what the differences say about an answer that is unlike the listing.
type opinion uint8

const (
	unexpected opinion = iota // the answer is not about the listed object
	undecided                 // other answers will show it
	expected                  // the listing of the store always differs in this way
)

// observe regards an answer that is unlike the listing on a new connection, or has nothing to compare.
func (d *differences) observe(e *list.Entry, r *head.Result, o *observation) opinion {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o.waiting {
		d.waiting--
	}
	now := d.opinionOf(e, r, o)
	if o.waiting = now == undecided; o.waiting {
		o.waits++
		d.waiting++
	}
	return now
}

func (d *differences) opinionOf(e *list.Entry, r *head.Result, o *observation) opinion {
	way, group := r.Different, groupOf(e)
	g := &d.groups[group]
	uncompared := e.ETag == "" && way == head.HasETag // nothing differs from the listing
	if !uncompared && !r.Corroborated() {
		return unexpected
	}
	if way&^g.learned == 0 {
		return expected
	}
	if d.refuteLocked(group, r.Equal); way&g.refuted != 0 {
		return unexpected
	}
	g.compareETags(e, r)
	agreeing, fewest := g.add(way, !o.counted), agreeingMin
	o.counted = true
	last := d.unsettled() <= int64(d.waiting+1) || o.waits == waitsMax // there are no others to wait for
	if last {
		fewest = fewestAgreeing(r, uncompared)
	}
	switch {
	case agreeing >= fewest && (g.varied || way&head.ETag == 0):
		d.learn(group, way)
		return expected
	case last:
		return unexpected
	}
	return undecided
}

// fewestAgreeing returns how many objects of a small bucket have to agree. The same ETag is proof enough. A listing
// without ETags needs none: it is only to be seen whether other answers have one.
func fewestAgreeing(r *head.Result, uncompared bool) int {
	switch {
	case r.Equal&head.ETag != 0 || uncompared:
		return 1
	case r.Equal&head.Length != 0:
		return agreeingLengthMin
	}
	return agreeingTimeMin
}

// compareETags notes whether different objects have different ETags. Empty objects need not: they are the same.
func (g *differenceGroup) compareETags(e *list.Entry, r *head.Result) {
	if g.varied || r.Different&head.ETag == 0 {
		return
	}
	tag := string(r.ETag())
	if g.etag == "" {
		g.etag = tag
	}
	g.varied = tag != g.etag || e.Size == 0 && r.Equal&head.Length != 0
}

// add counts an object, unless it was counted before. It returns the number of objects that differ like this one.
func (g *differenceGroup) add(way head.Trait, first bool) (agreeing int) {
	for i := range traits {
		if way&(1<<i) == 0 {
			continue
		}
		if first {
			g.agreeing[i]++
		}
		if agreeing == 0 || g.agreeing[i] < agreeing {
			agreeing = g.agreeing[i]
		}
	}
	return agreeing
}

// learn makes a difference an expected one, and logs that once.
func (d *differences) learn(group int, way head.Trait) {
	g := &d.groups[group]
	g.learned |= way
	d.expected.Set(group == 0, g.learned)
	d.log.Warn("the HEADs of this store always differ from its listing: objects are not compared by that",
		"differs", describe(group, way))
}

// names returns what is expected to differ, for Stats.
func (d *differences) names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for i := range d.groups {
		if learned := d.groups[i].learned; learned != 0 {
			names = append(names, describe(i, learned))
		}
	}
	return names
}

func describe(group int, way head.Trait) string {
	if group == 0 {
		return way.String() + ", where 0 bytes are listed"
	}
	return way.String()
}
