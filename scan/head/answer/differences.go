package answer

import (
	"bytes"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
)

const (
	// agreeingMin is the number of objects that show how the listing of a store differs from its HEADs. All of them have
	// to differ in the same way.
	agreeingMin = 24

	// These are that number for a bucket of fewer objects, all of which are answered: where the length of each is as it
	// was listed, and where only the time is.
	agreeingLengthMin = 3
	agreeingTimeMin   = 8

	// waitForOthers is the time after which an object is asked for again whose answer is not decided. It doubles with each
	// wait. The object occupies no worker meanwhile, but a page. In large buckets the evidence is there long before.
	waitForOthers = 200 * time.Millisecond
	waitsMax      = 5 // about 6 s

	traits = 3 // those that can always differ: head.HasETag, head.ETag, head.Length
)

// Differences finds out in which Traits the answers of a store always differ from its listing (head.Expected). The
// evidence are the answers to HEADs on new connections: another object's answer on a connection out of step is none.
// An object is evidence if its answer is corroborated: nothing was overwritten. The first object that is like the
// listing in a Trait ends the expectation for good.
//
// Whatever is expected, the other Traits are still compared, and Last-Modified for each answer that differs. Its
// methods may be called concurrently.
type Differences struct {
	expected  *head.Expected
	log       *slog.Logger
	unsettled func() int64

	mu      sync.Mutex
	groups  [head.Groups]groupEvidence
	waiting int // objects that wait for others

	marked atomic.Bool // some answer that is like the listing has a mark (hasMark)
}

// groupEvidence is the evidence from the objects of one head.Group.
type groupEvidence struct {
	agreeing [traits]int // objects that differ, by the bit of the Trait
	refuted  head.Trait  // some object is like the listing in these
	learned  head.Trait

	// contested counts the batches with an answer that is like the listing, and that is not final.
	contested [traits]int

	// A proxy that answers every HEAD with the same page, or the same object, shows nothing about the listing.
	etag   string // of the first answer with another ETag than the listing
	varied bool   // another answer had another one
}

// NewDifferences returns Differences that know nothing. unsettled returns the number of objects that are to be answered
// yet, as far as it is known.
func NewDifferences(unsettled func() int64, log *slog.Logger) *Differences {
	return &Differences{expected: new(head.Expected), log: log, unsettled: unsettled}
}

// Expected returns the Traits that may differ. It changes while a run goes on.
func (d *Differences) Expected() *head.Expected { return d.expected }

// contest notes that an answer is like the listing in some Traits. Until it is final (settle), no difference in them is
// expected.
func (d *Differences) contest(group head.Group, equal head.Trait) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addContest(group, equal, 1)
}

// settle ends a contest. isOwn says that the answer was its object's: a difference in these Traits is never expected
// again.
func (d *Differences) settle(group head.Group, equal head.Trait, isOwn bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if isOwn {
		d.refuteLocked(group, equal)
	}
	d.addContest(group, equal, -1)
}

func (d *Differences) addContest(group head.Group, equal head.Trait, n int) {
	for i := range head.Groups {
		g, of := &d.groups[i], equal
		if i != group {
			of &= head.HasETag
		}
		for bit := range traits {
			if of&(1<<bit) != 0 {
				g.contested[bit] += n
			}
		}
		if g.learned != 0 {
			d.expected.Set(i, g.learned&^g.contestedTraits())
		}
	}
}

// contestedTraits returns the Traits in which an answer that is not final is like the listing.
func (g *groupEvidence) contestedTraits() head.Trait {
	var contested head.Trait
	for bit, batches := range g.contested {
		if batches > 0 {
			contested |= 1 << bit
		}
	}
	return contested
}

func (d *Differences) refuteLocked(group head.Group, equal head.Trait) {
	for i := range head.Groups {
		g := &d.groups[i]
		if i == group {
			g.refuted |= equal
		}
		g.refuted |= equal & head.HasETag // a store that sends ETags sends them with all objects
		if g.learned&g.refuted != 0 {
			g.learned &^= g.refuted
			d.expected.Set(i, g.learned&^g.contestedTraits())
		}
	}
}

// hasMark reports whether an answer has metadata, or another header that only answers of stores have. S3 sends
// x-amz-request-id with each, other vendors something like that.
func hasMark(r *head.Result) bool {
	if len(r.Metadata) > 0 || r.OtherPrefix != nil {
		return true
	}
	for i := range r.Headers {
		for _, prefix := range []string{
			"x-amz-", "x-goog-", "x-oss-", "x-cos-", "x-obs-", "x-ms-", "x-object-", "x-trans-id", "x-minio-", "x-rgw-",
		} {
			if bytes.HasPrefix(r.Headers[i].Name, []byte(prefix)) {
				return true
			}
		}
	}
	return false
}

// isStores reports whether an answer without an ETag is a store's answer about the listed object. A page that a proxy
// sends for every object has neither the time of the object nor a mark.
func isStores(e *list.Entry, r *head.Result) bool {
	if r.Equal&head.Written == 0 && (e.ETag != "" || e.LastModified != "") {
		return false
	}
	return hasMark(r)
}

// Observation is what the Differences remember of one object. The zero value is that of an object that was not
// observed.
type Observation struct {
	counted, waiting bool // it is among those that agree; it waits for others
	waits            int  // how often it had to wait for others
}

// Wait returns for how long an object waits whose answer was Waiting.
func (o Observation) Wait() time.Duration { return waitForOthers << (o.waits - 1) }

// observe regards an answer that is unlike the listing on a new connection, or has nothing to compare. It returns
// Found where the listing of the store always differs in this way.
func (d *Differences) observe(e *list.Entry, r *head.Result, o *Observation) Class {
	return d.decide(o, func() Class { return d.classOf(e, r, o) })
}

// observeOverwritten regards an answer that is about a later object with the same key, or is a page of a proxy with a
// date and an ETag of its own. Only a store's answers have marks.
func (d *Differences) observeOverwritten(r *head.Result, o *Observation) Class {
	if hasMark(r) {
		return Changed
	}
	return d.decide(o, func() Class {
		switch {
		case d.marked.Load():
			return Unlike
		case d.isLast(o):
			return Changed
		}
		return Waiting
	})
}

// decide counts the objects that wait for others.
func (d *Differences) decide(o *Observation, classNow func() Class) Class {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o.waiting {
		d.waiting--
	}
	now := classNow()
	if o.waiting = now == Waiting; o.waiting {
		o.waits++
		d.waiting++
	}
	return now
}

// takeBack makes an answer not observed. What was learned meanwhile stays: it needs more than one answer, and the first
// object that is like the listing ends it.
func (d *Differences) takeBack(o *observed) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o.after.waiting {
		d.waiting--
	}
	if o.before.waiting {
		d.waiting++
	}
	if o.after.counted && !o.before.counted {
		d.groups[o.group].remove(o.way)
	}
}

// isLast reports whether there are no other objects to wait for.
func (d *Differences) isLast(o *Observation) bool {
	return d.unsettled() <= int64(d.waiting+1) || o.waits == waitsMax
}

func (d *Differences) classOf(e *list.Entry, r *head.Result, o *Observation) Class {
	way, group := r.Different, head.GroupOf(e)
	g := &d.groups[group]
	if way&head.HasETag != 0 && !isStores(e, r) {
		return Unlike
	}
	uncompared := e.ETag == "" && way == head.HasETag // nothing differs from the listing
	if !uncompared && !r.Corroborated() {
		return Unlike
	}
	contested := g.contestedTraits()
	if way&^(g.learned&^contested) == 0 {
		return Found
	}
	if d.refuteLocked(group, r.Equal); way&g.refuted != 0 {
		return Unlike
	}
	g.compareETags(e, r)
	agreeing, fewest := g.add(way, !o.counted), agreeingMin
	o.counted = true
	last := d.isLast(o)
	if last {
		fewest = fewestAgreeing(r, uncompared)
	}
	switch {
	case way&contested == 0 && agreeing >= fewest && (g.varied || way&head.ETag == 0):
		d.learn(group, way)
		return Found
	case last:
		return Unlike
	}
	return Waiting
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
func (g *groupEvidence) compareETags(e *list.Entry, r *head.Result) {
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
func (g *groupEvidence) add(way head.Trait, first bool) (agreeing int) {
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

// remove takes back what add has counted.
func (g *groupEvidence) remove(way head.Trait) {
	for i := range traits {
		if way&(1<<i) != 0 {
			g.agreeing[i]--
		}
	}
}

// learn makes a difference an expected one, and logs that once.
func (d *Differences) learn(group head.Group, way head.Trait) {
	g := &d.groups[group]
	g.learned |= way
	d.expected.Set(group, g.learned&^g.contestedTraits())
	d.log.Warn("the HEADs of this store always differ from its listing: objects are not compared by that",
		"differs", describe(group, way))
}

// Names returns what is expected to differ, for people.
func (d *Differences) Names() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for i := range head.Groups {
		if learned := d.groups[i].learned; learned != 0 {
			names = append(names, describe(i, learned))
		}
	}
	return names
}

func describe(group head.Group, way head.Trait) string {
	if objects := group.String(); objects != "" {
		return way.String() + " of objects " + objects
	}
	return way.String()
}
