package answer

import (
	"net/http"

	"headcount/scan/head"
	"headcount/scan/list"
)

// Evidence is what the answers to one batch show about the store. It is accepted when the answers are final: another
// object's answer is no evidence. What the Differences have to know at once is taken back if they are not. The zero
// value is that of no answers.
type Evidence struct {
	marked bool // some answer was a store's for sure (hasMark)

	// Known to the Differences already.
	equal    [head.Groups]head.Trait // in which answers were like the listing: contested
	observed []observed
}

// observed is a change of an object's Observation.
type observed struct {
	before, after Observation
	group         head.Group
	way           head.Trait // in which its answer differed
}

// Reset empties x and keeps its memory.
func (x *Evidence) Reset() { *x = Evidence{observed: x.observed[:0]} }

// Classifier classifies the answers that one worker gets. One goroutine uses it.
type Classifier struct {
	known *Differences
	equal [head.Groups]head.Trait // in which final answers were like the listing
}

// NewClassifier returns a Classifier that shares what is known with others.
func NewClassifier(known *Differences) Classifier { return Classifier{known: known} }

// Asked is how an object was asked for.
type Asked struct {
	NewConn bool        // again, as the first request of a connection: the answer is no other request's
	Page    *list.Page  // that lists it
	Before  Observation // of the object, by earlier answers
}

// Classify reads an answer, and decides about one that is unlike the listing by what is known of the store. It adds to
// the evidence of the batch. It returns what is to be remembered of the object, too.
func (c *Classifier) Classify(x *Evidence, e *list.Entry, r *head.Result, asked Asked) (Class, Observation) {
	after := asked.Before
	class := classify(e, r, asked.NewConn, c.known.expected)
	switch {
	case class == Found:
		c.observeFound(x, e, r)
	case class == Changed && asked.Page.Lossy(e.Key):
		return Unlike, after
	case class == Changed:
		class = c.known.observeOverwritten(r, &after)
	case class != Mismatch && class != Unlike:
	case r.Status != http.StatusOK || r.Mismatch && !r.NewConn || asked.Page.Lossy(e.Key):
	case r.Different&head.Version != 0: // whatever else is equal
	default:
		if now := c.known.observe(e, r, &after); now != Unlike {
			class = now
		}
	}
	if after != asked.Before {
		x.observed = append(x.observed, observed{asked.Before, after, head.GroupOf(e), r.Different})
	}
	return class, after
}

// observeFound notes in what the answer for an object that was found is like the listing, and whether it has a mark.
func (c *Classifier) observeFound(x *Evidence, e *list.Entry, r *head.Result) {
	group := head.GroupOf(e)
	if fresh := r.Equal &^ (c.equal[group] | x.equal[group]); fresh != 0 {
		x.equal[group] |= fresh
		c.known.contest(group, fresh)
	}
	x.marked = x.marked || !c.known.marked.Load() && hasMark(r)
}

// Accept makes the evidence of final answers known.
func (c *Classifier) Accept(x *Evidence) {
	for group, equal := range x.equal {
		if equal != 0 {
			c.equal[group] |= equal
			c.known.settle(head.Group(group), equal, true)
		}
	}
	if x.marked {
		c.known.marked.Store(true)
	}
}

// TakeBack takes back what others know of the evidence. The objects are asked for again, with their old Observations.
func (c *Classifier) TakeBack(x *Evidence) {
	for group, equal := range x.equal {
		if equal != 0 {
			c.known.settle(head.Group(group), equal, false)
		}
	}
	for i := range x.observed {
		c.known.takeBack(&x.observed[i])
	}
}
