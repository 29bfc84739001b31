package head

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// direct is the engine that signs and speaks HTTP/1.1 by itself, over connections that its Sessions own, one each. A HEAD
// costs it little more than the system calls. It goes where the SDK's endpoint resolution says (store.Route).
//
// With a depth over one, that many HEADs are in flight on a connection (pipelining, RFC 9112 §9.3.2). A store that does
// not bear it closes the connection or answers out of step; what was not answered then is sent again, one at a time.
type direct struct {
	store   *store.Store
	gate    *pace.Gate
	timeout time.Duration // of a whole HEAD
	depth   int
	log     *slog.Logger

	sessions atomic.Int64 // that were made: they begin with different endpoints
	told     sync.Once    // that the store does not bear pipelining
	desks    sync.Pool    // of *desk
	forms    sync.Map     // of *sharedForm, by *store.Route
}

// desk is what a Session works with from one wait to the next. Hundreds of Sessions wait while a few work: they take turns
// at a few desks, which stay in the processor's cache.
type desk struct {
	signer  signer
	out     []byte   // the requests of the burst
	results []Result // of the burst
}

// form is a template, and when it is of use.
type form struct {
	*template
	second   int64     // Unix time that it was made for
	revision uint64    // of the Store, then
	expiry   time.Time // of its credentials; zero: they outlive it
}

// sharedForm is the latest form for a Route.
type sharedForm struct{ atomic.Pointer[form] }

func newDirect(cfg Config) *direct {
	e := &direct{store: cfg.Store, gate: cfg.Gate, timeout: cfg.Timeout, depth: max(1, cfg.Pipeline), log: cfg.Log}
	e.desks.New = func() any { return &desk{signer: newSigner(), results: make([]Result, e.depth)} }
	return e
}

func (e *direct) Name() string { return DirectName }

// Session returns a Session that will open a connection of its own.
func (e *direct) Session() Session {
	s := &directSession{engine: e, turn: int(e.sessions.Add(1)) - 1}
	s.leaves = s.leave
	return s
}

// pipelineTries is after how many broken bursts in a row a session leaves pipelining: a store that bears it breaks one
// now and then.
const pipelineTries = 3

// directSession is a worker's connection and the burst of HEADs that is in flight on it: of the batch those from answered
// to asked. Their answers are held until all are there, since only then is it sure that the store did not send more of
// them, or others.
type directSession struct {
	engine *direct
	turn   int // which endpoint is next
	conn   *conn
	fresh  bool // the next Head wants a new connection
	ending ending

	at     *store.Address // where the connection goes, or the last one went; nil: there was none
	avoid  *store.Address // where the next one is not to go; nil: anywhere
	looked time.Time      // when it was last looked whether the connection has too many beside it

	forms    *sharedForm // for the connection's Route
	revision uint64      // of the Store, when it was last looked whether the connection is still right

	batch           *Batch
	claimed         []list.Entry // of the batch
	answered, asked int
	sent            time.Time // when the burst was
	desk            *desk     // nil while it waits for an answer, unless there are held ones
	leaves          func()    // leave, made once
	held            int       // results that are there
	closing         bool      // the store closes the connection after them
	alone           int       // entries before this one are sent one at a time
	broken          int       // bursts in a row that pipelining broke
	lost            int       // HEADs sent for nothing since the last that was handed on

	in []byte // the read buffer, while there is no connection
}

// sit sees to it that there is a desk.
func (s *directSession) sit() *desk {
	if s.desk == nil {
		s.desk = s.engine.desks.Get().(*desk)
	}
	return s.desk
}

// leave lets another Session have the desk.
func (s *directSession) leave() {
	if s.desk != nil {
		s.engine.desks.Put(s.desk)
		s.desk = nil
	}
}

func (s *directSession) Fresh()                 { s.fresh = true }
func (s *directSession) Avoid(a *store.Address) { s.avoid = a }

func (s *directSession) Close() {
	s.hangUp()
	s.ending.forget()
}

func (s *directSession) Head(ctx context.Context, batch *Batch, each func(*Result)) error {
	if s.conn != nil && (s.fresh || s.moves() || s.conn.peek.anything()) {
		s.hangUp()
	}
	s.fresh = false
	s.ending.follow(ctx)
	s.batch, s.answered, s.asked, s.alone = batch, 0, 0, 0
	s.claimed = batch.Claim(0)
	defer s.leave()
	for s.claim(1) > s.answered {
		s.held, s.closing = 0, false
		err := s.send(ctx)
		if err == nil {
			err = s.receive()
		}
		if err != nil && ctx.Err() != nil {
			s.hangUp()
			return context.Cause(ctx)
		}
		s.settle(err, each)
	}
	return nil
}

// lookEvery is how often a session looks whether it should move: as often as the addresses are compared.
const lookEvery = time.Second

// moves says whether the next HEAD is to go elsewhere: what is asked was refused here, or there are too many for what the address bears.
func (s *directSession) moves() bool {
	st, c := s.engine.store, s.conn
	if s.avoid != nil && st.Endpoints() > 1 && c.at.Same(s.avoid) {
		return true
	}
	s.avoid = nil
	if c.lastRead.Sub(s.looked) < lookEvery {
		return false
	}
	s.looked = c.lastRead
	return st.Crowded(c.at)
}

// claim claims entries until there are n that were not answered yet, or all there are, and returns how many are claimed.
func (s *directSession) claim(n int) int {
	if more := s.answered + n - len(s.claimed); more > 0 {
		s.claimed = s.batch.Claim(more)
	}
	return len(s.claimed)
}

func (s *directSession) inFlight() int { return s.asked - s.answered }

// depth is how many HEADs a burst may have now.
func (s *directSession) depth() int {
	if s.answered < s.alone || s.broken >= pipelineTries {
		return 1
	}
	return s.engine.depth
}

// send sends a burst by one Write.
func (s *directSession) send(ctx context.Context) error {
	burst := s.burst()
	if s.conn != nil && s.answered > 0 && s.engine.gate.Open() {
		s.sent = s.conn.lastRead // some microseconds ago: cheaper than to ask what time it is
	} else {
		var err error
		if burst, err = s.engine.gate.Wait(ctx, burst); err != nil {
			return err
		}
		s.sent = time.Now()
	}
	if end := s.answered + burst; end < len(s.claimed) {
		s.claimed = s.batch.Release(end)
	}
	form, err := s.ready(ctx, s.sent)
	if err != nil {
		return err
	}
	d := s.sit()
	d.out = d.out[:0]
	for end := s.answered + burst; s.asked < end; s.asked++ {
		d.out = form.append(d.out, s.claimed[s.asked].Key, &d.signer)
	}
	moved, err := s.conn.extend(s.sent, s.engine.timeout)
	if err != nil {
		return err
	}
	if moved && ctx.Err() != nil { // its end may have come before
		return context.Cause(ctx)
	}
	return s.conn.send(d.out)
}

// burst is how many HEADs the next burst may have.
func (s *directSession) burst() int {
	end := min(s.claim(s.depth()), s.answered+s.depth())
	at := s.answered + 1
	for at < end && s.distinct(at) {
		at++
	}
	return at - s.answered
}

// distinct says whether the answer to an entry can be told from those of the burst before it, and from the last one, should
// that come twice. Nothing but its ETag and length says whose an answer is; objects that are alike in both, as folder
// markers and empty files are, are asked for one at a time.
func (s *directSession) distinct(at int) bool {
	e := &s.claimed[at]
	for i := max(0, s.answered-1); i < at; i++ {
		if other := &s.claimed[i]; other.ETag == "" || other.Size == e.Size && other.ETag == e.ETag {
			return false
		}
	}
	return e.ETag != ""
}

// peekAfter is how long nothing was read when it is looked again whether the store has said something: it costs a tenth of
// a HEAD, and for less time the answers themselves must tell.
const peekAfter = time.Millisecond

// ready makes a connection, and returns the form of requests that are sent over it now.
func (s *directSession) ready(ctx context.Context, now time.Time) (*form, error) {
	st := s.engine.store
	if revision := st.Revision(); revision != s.revision {
		s.revision = revision
		if s.conn != nil && !st.Current(s.conn.sender) {
			s.hangUp()
		}
	}
	if s.conn != nil && (s.conn.stale(now) || now.Sub(s.conn.lastRead) > peekAfter && s.conn.peek.anything()) {
		s.hangUp()
	}
	if s.conn == nil {
		if err := s.connect(ctx); err != nil {
			return nil, err
		}
	}
	f := s.forms.Load()
	// Another Session's second may have begun already.
	if f != nil && f.revision == s.revision && (f.second == now.Unix() || f.second == now.Unix()+1) && (f.expiry.IsZero() || now.Before(f.expiry)) {
		return f, nil
	}
	return s.prepare(ctx, now, f)
}

func (s *directSession) connect(ctx context.Context) error {
	st := s.engine.store
	sender := st.Seat(s.turn, s.avoid)
	s.turn++
	s.at = st.Address(sender, nil)
	ctx, cancel := context.WithTimeout(ctx, s.engine.timeout)
	defer cancel()
	if len(s.in) == 0 {
		s.in = make([]byte, max(readBufferMin, answerBytes*s.engine.depth))
	}
	c, err := dialApart(ctx, st, sender, s.avoid, s.in)
	if err != nil {
		st.Failed(sender, err)
		return err
	}
	c.at.Open()
	st.Enter(c.at)
	s.conn, s.at, s.avoid, s.in, s.looked = c, c.at, nil, nil, c.lastRead
	shared, _ := s.engine.forms.LoadOrStore(c.route, new(sharedForm))
	s.forms = shared.(*sharedForm)
	s.ending.guard(c)
	return nil
}

// prepare makes the form for the second in which now lies. The one before may be nil.
func (s *directSession) prepare(ctx context.Context, now time.Time, before *form) (*form, error) {
	st := s.engine.store
	credentials, err := st.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	f := &form{second: now.Unix(), revision: s.revision}
	// Those that have expired already are the best there are.
	if credentials.CanExpire && credentials.Expires.After(now) && credentials.Expires.Before(now.Add(2*time.Second)) {
		f.expiry = credentials.Expires
	}
	var last *template
	if before != nil {
		last = before.template
	}
	f.template = newTemplate(last, s.conn.route, &credentials, string(st.RequestPayer()), now.Add(st.Skew()))
	s.forms.Store(f)
	return f, nil
}

// receive reads the answers to the burst. What it has read when it fails is held.
func (s *directSession) receive() error {
	c, n := s.conn, s.inFlight()
	for s.held < n {
		if s.closing {
			return errClosing
		}
		whole, err := c.whole()
		if err != nil {
			return err
		}
		if !whole {
			if err := c.fill(s.held > 0, s.leaves); err != nil {
				return err
			}
			continue
		}
		r := &s.sit().results[s.held]
		final, closing, err := c.take(r)
		if err != nil {
			return err
		}
		if !final {
			continue
		}
		r.Err, r.From, r.SentTo, r.Received, r.Latency = nil, c.at, c.sender.Region, c.lastRead, c.lastRead.Sub(s.sent)
		e := &s.claimed[s.answered+s.held]
		isTagged := r.compare(e) // each in a burst was listed with an ETag
		if n > 1 && (r.Unlike || r.Status == http.StatusOK && !isTagged) {
			return errOutOfStep
		}
		s.held, s.closing = s.held+1, closing
	}
	if c.untaken() && (n > 1 || c.answers > 0) {
		return errSurplus // which of them are the answers?
	}
	return nil
}

// settle decides what becomes of the burst: what is held is handed on, if it can be believed, and of the others the first
// has failed, or all are sent again.
func (s *directSession) settle(err error, each func(*Result)) {
	untouched := s.conn != nil && s.conn.answers > 0 && s.held == 0 && !s.conn.untaken()
	n := s.inFlight()
	switch {
	case err == nil:
		if n > 1 {
			s.broken = 0
		}
	case n == 0: // nothing was sent
		s.asked++
		s.handOnFailure(err, each)
		return
	case isDoubt(err) || n > 1 && store.FailureClass(err) == "malformed":
		s.held = 0
		s.sendAgain(err)
		return
	case untouched && isDead(err): // the store closed it as it was used again: the next one is new, and fails for good
		s.hangUp()
		s.lost += n
		s.asked = s.answered
		return
	}
	s.handOn(each)
	switch {
	case s.inFlight() == 0:
	case n > 1 && !isOwn(err):
		s.sendAgain(err)
	default:
		s.hangUp()
		s.avoid = s.at
		s.handOnFailure(err, each)
		s.sendAgain(err)
	}
}

// handOn hands on the results that are held, and drops the connection if another answer on it could not be believed.
func (s *directSession) handOn(each func(*Result)) {
	c := s.conn
	drop := s.closing || c.untaken()
	for i := range s.held {
		r := &s.desk.results[i]
		drop = drop || r.Unlike
		if !isRefusal(r.Status) {
			c.refused = 0
		} else if c.refused++; (c.refused == refusalsMost || store.Transient(r.Status)) && s.engine.store.Endpoints() > 1 {
			drop, s.avoid = true, c.at
		}
		c.answers++
		s.answered++
		r.Lost, s.lost = s.lost, 0
		each(r)
	}
	if drop {
		s.hangUp()
	}
}

// handOnFailure hands on the failure of the entry whose answer is next.
func (s *directSession) handOnFailure(err error, each func(*Result)) {
	r := &s.sit().results[0]
	*r = Result{
		Err: err, From: s.at, SentTo: s.engine.store.Region(), Lost: s.lost,
		Metadata: r.Metadata[:0], Headers: r.Headers[:0], layout: r.layout,
	}
	s.lost = 0
	s.answered++
	each(r)
}

// sendAgain drops the connection and lets what is in flight on it be sent again, one at a time.
func (s *directSession) sendAgain(because error) {
	s.hangUp()
	if s.inFlight() == 0 {
		return
	}
	if s.depth() > 1 {
		s.broken++
		s.engine.told.Do(func() {
			s.engine.log.Warn("HEADs that were pipelined are sent again, one at a time", "because", because)
		})
	}
	s.lost += s.inFlight()
	s.alone = max(s.alone, s.asked)
	s.asked = s.answered
	s.claimed = s.batch.Release(s.answered) // one after the other they take long: whoever has time may take some
}

func (s *directSession) hangUp() {
	if s.conn == nil {
		return
	}
	s.ending.guard(nil)
	s.engine.store.Leave(s.conn.at)
	s.conn.Close()
	s.in, s.conn = s.conn.in, nil
}
