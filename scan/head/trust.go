package head

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"headcount/scan/fault"
	"headcount/scan/list"
	"headcount/scan/store"
)

// Trust tells which Results of a Session are known to be answers to their own requests. Results are counted from the
// first one of the Session on.
//
// A store that sends more than its answers, such as the content of an object after a HEAD, can make a later request
// on the same connection take foreign bytes for its answer. The first answer of a connection is always its request's.
// Another answer is Sure when a later answer on the connection, of an object with another ETag or length, is in step
// with its request, or when the store is silent after it.
type Trust struct {
	Answered uint64 // Results so far
	Sure     uint64 // Results up to this one are final; those after it need a later answer, or Session.Settle
	Doubted  uint64 // some of the Results up to this one may belong to other requests; 0: none was ever in doubt
}

// Ledger counts the Results of one Session, and keeps their Trust. The zero value is ready.
type Ledger struct {
	trust     Trust
	reused    bool // a Result of the present Head call came over a reused connection
	distrusts int64
}

// Begin begins a Head call. distrusts is the Store's number of endpoints without reused connections.
func (l *Ledger) Begin(distrusts int64) {
	if l.trust.Sure == l.trust.Answered {
		l.distrusts = distrusts
	}
	l.reused = false
}

// Add counts a Result. reused: an earlier request went over the same connection.
func (l *Ledger) Add(reused bool) {
	if !reused && l.trust.Sure == l.trust.Answered {
		l.trust.Sure++
	}
	l.trust.Answered++
	l.reused = l.reused || reused
}

// Unsure reports whether a Result waits for a later answer to be final.
func (l *Ledger) Unsure() bool { return l.trust.Sure < l.trust.Answered }

// Settle makes all Results so far final.
func (l *Ledger) Settle() { l.trust.Sure = l.trust.Answered }

// Doubt puts the Results in doubt that came over reused connections: those of the present Head call, and the earlier
// ones that are not final.
func (l *Ledger) Doubt() {
	if l.reused || l.Unsure() {
		l.trust.Doubted = l.trust.Answered
	}
	l.Settle()
}

// Trust returns the Trust. If another Session found an endpoint that sends too much since Begin, the Results over
// reused connections are in doubt.
func (l *Ledger) Trust(distrusts int64) Trust {
	if l.distrusts != distrusts {
		l.distrusts = distrusts
		l.Doubt()
	}
	return l.trust
}

// SettleTime returns how long a store that owes an answer may take to send it. slowest is the longest latency of the
// batch.
func SettleTime(slowest time.Duration) time.Duration {
	const (
		latencies = 2
		shortest  = time.Millisecond
		longest   = time.Second
	)
	return min(longest, max(shortest, latencies*slowest))
}

// Distinguishable reports whether the answer for b cannot pass for that for a: the LIST has another ETag or length.
func Distinguishable(a, b *list.Entry) bool {
	return a.ETag != "" && b.ETag != "" && (a.Size != b.Size || a.ETag != b.ETag)
}

// Vouches reports whether r, the answer for e, cannot be the answer for last, the object before it on the connection:
// it has the ETag or the length that e was listed with, and last was not.
func (r *Result) Vouches(last, e *list.Entry) bool {
	return r.Status == http.StatusOK && !r.Mismatch && last != nil &&
		(r.Equal&ETag != 0 && last.ETag != e.ETag || r.Equal&Length != 0 && last.Size != e.Size)
}

// RequestID returns the store's name for the request, nil if the answer has none.
func (r *Result) RequestID() []byte { return r.Get("x-amz-request-id") }

// Verdict is the outcome of a comparison of two answers for the same object.
type Verdict uint8

const (
	Undecided Verdict = iota // the object has changed, or there was no answer
	Own                      // the first answer was the object's
	Foreign                  // the first answer was another object's
)

// Suspicion is what is kept of an answer over a reused connection that may be foreign. The HEAD is sent again over a
// new connection.
type Suspicion struct {
	etag, length string // as received
	id           string // the request ID, if it is suspicious because the answer before had the same
}

// NewSuspicion returns the Suspicion of r, the answer for e, or nil if r is not suspicious. It is if it differs from
// the listing. It also is if it has the request ID of the answer before it, repeatedID, and could be a copy of that
// answer.
func NewSuspicion(r *Result, repeatedID []byte) *Suspicion {
	repeated := len(repeatedID) > 0 && bytes.Equal(repeatedID, r.RequestID())
	if !r.Mismatch && !repeated {
		return nil
	}
	s := &Suspicion{etag: string(r.Get("etag")), length: string(r.Get("content-length"))}
	if !r.Mismatch {
		s.id = string(repeatedID)
	}
	return s
}

// Judge compares r, the answer over a new connection, with the suspicious one. idsRepeat: the store gives different
// requests the same ID.
func (s *Suspicion) Judge(r *Result) (verdict Verdict, idsRepeat bool) {
	switch {
	case r.Status != http.StatusOK:
		return Undecided, false
	case s.id != "" && s.id == string(r.RequestID()):
		return Own, true
	case s.id != "":
		return Foreign, false
	case s.etag == string(r.Get("etag")) && s.length == string(r.Get("content-length")):
		return Own, false // the object was overwritten, or the store always differs from its listing (Expected)
	case !r.Mismatch:
		return Foreign, false
	}
	return Undecided, false
}

// IsIdleNotice reports whether text begins a 408, by which some servers announce that they close an idle connection.
func IsIdleNotice(text []byte) bool {
	return bytes.HasPrefix(text, []byte("HTTP/1.1 408")) || bytes.HasPrefix(text, []byte("HTTP/1.0 408"))
}

const (
	recheckTries = 6                     // HEADs after which Recheck gives up
	recheckPause = 20 * time.Millisecond // after the first one that failed; it doubles

	// These are the numbers of new connections whose answers have to be equal, so that another answer is foreign: one that
	// differs in what identifies the object, and one that differs in the other headers only. Replicas of one object may
	// have different dates.
	opinionsMin       = 2
	opinionsOnRestMin = 4
)

// Recheck sends HEADs for e, each as the first request of a new connection, and compares their answers with an earlier
// one. It returns the number of HEADs that it sent. session must be a new one: Recheck closes it.
func Recheck(
	ctx context.Context, session Session, e *list.Entry, before *Result,
) (verdict Verdict, sent int, err error) {
	defer session.Close()
	c := comparison{before: describe(before)}
	for failures := 0; !c.decided && sent < recheckTries; {
		sent++
		again := false
		batch := NewBatch([]list.Entry{*e})
		batch.NewConn = true
		err := session.Head(ctx, batch, func(r *Result) {
			switch {
			case r.Status == http.StatusOK:
				c.add(r)
			case r.Err != nil || r.Status >= http.StatusInternalServerError:
				again = true
			default:
				c.decided = true
			}
		})
		if err != nil {
			return Undecided, sent, err
		}
		if !again {
			continue
		}
		if err := fault.Sleep(ctx, recheckPause<<failures); err != nil {
			return Undecided, sent, err
		}
		failures++
	}
	return c.verdict, sent, nil
}

// comparison compares answers over new connections with one that may be foreign.
type comparison struct {
	before, first description
	equal         int // answers that are equal to the first one, which is another than before
	decided       bool
	verdict       Verdict
}

// add adds an answer over a new connection.
func (c *comparison) add(r *Result) {
	now := describe(r)
	if c.equal == 0 {
		c.first = now
	}
	fewest := opinionsMin
	if now.identity == c.before.identity {
		fewest = opinionsOnRestMin
	}
	switch {
	case now == c.before:
		c.decided, c.verdict = true, Own
	case r.Mismatch: // overwritten meanwhile
		c.decided = true
	case now == c.first:
		if c.equal++; c.equal == fewest {
			c.decided, c.verdict = true, Foreign
		}
	case now.identity == c.before.identity: // the other headers differ without a reason
		c.decided, c.verdict = true, Own
	}
}

// description is what two answers about the same state of an object have in common.
type description struct {
	identity string // metadata, ETag, length, version
	rest     string // the other headers of an object
}

// describe returns the description of an answer. It ignores headers that are about the request.
func describe(r *Result) description {
	identity, rest := slices.Clone(r.Metadata), []Header(nil)
	for i := range identity {
		identity[i].Name = append([]byte("x-amz-meta-"), identity[i].Name...)
	}
	for _, h := range r.Headers {
		switch string(h.Name) {
		case "etag", "content-length", "x-amz-version-id", "x-amz-missing-meta":
			identity = append(identity, h)
		case "last-modified", "content-type", "content-encoding", "content-disposition", "content-language",
			"x-amz-storage-class", "x-amz-server-side-encryption":
			rest = append(rest, h)
		}
	}
	return description{joinHeaders(identity), joinHeaders(rest)}
}

// joinHeaders returns a text for headers in any order.
func joinHeaders(headers []Header) string {
	SortHeaders(headers)
	var text bytes.Buffer
	for _, h := range headers {
		fmt.Fprintf(&text, "%q: %q\n", h.Name, h.Value)
	}
	return text.String()
}

// DistrustReuse gives every HEAD to the endpoint of an Address a connection of its own from now on, and warns of it
// once.
func DistrustReuse(st *store.Store, a *store.Address, log *slog.Logger) {
	if st.DistrustReuse(a) {
		log.Warn("the endpoint sends more than the answers to its requests: each HEAD gets a new connection there, "+
			"and answers that may be another object's are asked for again", "endpoint", a.URL)
	}
}
