package s3sim

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a synthetic S3. All methods may be called concurrently.
type Server struct {
	options         Options
	keys            *Keyspace
	dates           *dateTable
	headStateShares []headStateShare
	faultLog        *faultLog
	rateLimit       rateLimiter
	stall           stall
	counts          counters
	sessions        sessions
	refusal         atomic.Pointer[errorCode] // what everything is refused with
	tokenEpoch      atomic.Uint32             // of continuation tokens
	tokensIssued    atomic.Uint32             // handed out

	closing   chan struct{} // closed by Close
	mu        sync.Mutex
	listeners map[*pausableListener]struct{}
	conns     map[net.Conn]struct{}
	running   sync.WaitGroup
}

// New returns a Server that is not serving yet: for what its Keyspace and
// objects tell, nothing needs to be served. Its errors name what is allowed.
func New(o Options) (*Server, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("s3sim: %w", err)
	}
	return &Server{
		options:         o,
		keys:            newKeyspace(o),
		dates:           newDateTable(),
		headStateShares: headStateShares(o),
		faultLog:        newFaultLog(o),
		rateLimit:       newRateLimiter(o.RateMax),
		stall:           stall{duration: o.Stall, period: o.StallEvery, start: time.Now()},
		closing:         make(chan struct{}),
		listeners:       map[*pausableListener]struct{}{},
		conns:           map[net.Conn]struct{}{},
	}, nil
}

// Keyspace returns the bucket's keys.
func (s *Server) Keyspace() *Keyspace { return s.keys }

// Object returns the truth about a key. It does not ask whether the key exists.
func (s *Server) Object(key []byte) Object {
	return Object{hash: hashKey(key), nasty: s.options.Shape == Nasty}
}

// Serve accepts connections from l until Close, and then returns nil. It owns
// l. It may be called for several listeners at once. For TLS, l is a tls.Listener.
func (s *Server) Serve(l net.Listener) error {
	d := newPausableListener(l, s.options.RefuseFor, s.closing)
	if !s.addListener(d) {
		l.Close()
		return nil
	}
	defer s.removeListener(d)
	for {
		c, err := d.accept()
		if err != nil {
			if s.closed() {
				return nil
			}
			return fmt.Errorf("s3sim: %w", err)
		}
		s.startConn(c)
	}
}

// Close stops listening, closes all connections and waits until their
// goroutines have ended. A second call does nothing more.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closed() {
		close(s.closing)
	}
	var err error
	for d := range s.listeners {
		if e := d.close(); e != nil && err == nil {
			err = e
		}
	}
	for c := range s.conns {
		// The TCP connection, since closing TLS first says goodbye to a client
		// that may not listen.
		underlying(c).Close()
	}
	s.mu.Unlock()
	s.running.Wait()
	return err
}

// Refuse makes every request from now on fail as S3 does it: "" accepts again,
// else one of Refusals. A HEAD gets the status alone. An unknown code is an
// error, and changes nothing.
func (s *Server) Refuse(code string) error {
	if code != "" && !slices.Contains(Refusals(), code) {
		return fmt.Errorf("s3sim: unknown refusal %q: one of %s", code, join(Refusals()))
	}
	refusal := errorCode(code)
	s.refusal.Store(&refusal)
	return nil
}

// Refusals returns the codes that Refuse knows.
func Refusals() []string {
	return []string{
		string(codeExpiredToken), string(codeInvalidAccessKeyID),
		string(codeSignatureMismatch), string(codeSlowDown), string(codeAccessDenied),
	}
}

func (s *Server) refusalCode() errorCode {
	if code := s.refusal.Load(); code != nil {
		return *code
	}
	return codeNone
}

// Restart makes all continuation tokens void that were handed out so far, as a
// store's restart does where they name something in its memory. A void token is
// 400 InvalidArgument, or with the quirk TokensVoid a listing that ends early.
func (s *Server) Restart() { s.tokenEpoch.Add(1) }

func (s *Server) closed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// sleep waits, and returns false if the Server closed meanwhile.
func (s *Server) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.closing:
		return false
	}
}

// addListener takes a door in, unless the Server is closed.
func (s *Server) addListener(d *pausableListener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return false
	}
	s.listeners[d] = struct{}{}
	s.running.Add(1)
	return true
}

func (s *Server) removeListener(d *pausableListener) {
	s.mu.Lock()
	delete(s.listeners, d)
	s.mu.Unlock()
	d.close()
	s.running.Done()
}

// startConn serves a connection in a goroutine of its own, unless the Server is closed.
func (s *Server) startConn(c net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		c.Close()
		return
	}
	s.conns[c] = struct{}{}
	id := s.counts.connections.Add(1)
	s.running.Add(1)
	go func() {
		defer s.running.Done()
		newConn(s, c, uint64(id)).serve()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
}
