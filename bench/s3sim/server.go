package s3sim

import (
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Server is a synthetic S3 server. All methods may be called concurrently.
type Server struct {
	options         Options
	keys            *Keyspace
	order           *listingOrder // nil: listings are in the order of bytes
	dates           *dateTable
	lockEndsSoon    string
	headStateShares []headStateShare
	faultSampler    *faultSampler
	rateLimit       rateLimiter
	connectionCap   *connectionCap
	stall           stall
	counts          counters
	sessions        sessions
	refusal         atomic.Pointer[errorCode] // set by Refuse
	tokenEpoch      atomic.Uint32             // of continuation tokens; see Restart
	tokensIssued    atomic.Uint32
	deleted         sync.Map // the entries of versions with HeadGone whose HEAD was answered

	closing   chan struct{} // closed by Close
	mu        sync.Mutex
	listeners map[*pausableListener]struct{}
	conns     map[net.Conn]struct{}
	running   sync.WaitGroup // Serve calls and connections
}

// New returns a Server that does not listen yet. Keyspace and Object work without Serve. An error names the invalid
// option and the allowed values.
func New(o Options) (*Server, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("s3sim: %w", err)
	}
	keys := newKeyspace(o)
	return &Server{
		options:         o,
		keys:            keys,
		order:           newListingOrder(o.Quirk, keys),
		dates:           newDateTable(),
		lockEndsSoon:    lockEndsSoonAfter(time.Now()),
		headStateShares: headStateShares(o),
		faultSampler:    newFaultSampler(o),
		rateLimit:       newRateLimiter(o.RateMax),
		connectionCap:   newConnectionCap(o.ConnectionsMax, o.Excess),
		stall:           stall{duration: o.Stall, period: o.StallEvery, start: time.Now()},
		closing:         make(chan struct{}),
		listeners:       map[*pausableListener]struct{}{},
		conns:           map[net.Conn]struct{}{},
	}, nil
}

// Keyspace returns the bucket's keys.
func (s *Server) Keyspace() *Keyspace { return s.keys }

// isDeleted returns whether a listing without versions omits a key, by its index; nil where it lists all keys.
func (s *Server) isDeleted() func(index int64) bool {
	if s.options.Gone == 0 && s.options.Versions == 0 {
		return nil
	}
	key := make([]byte, 0, keyBytesMax)
	return func(index int64) bool {
		if s.isGone(entry{index: index}) {
			return true
		}
		v := s.versionsOf(index, s.keys.Append(key[:0], index))
		return v.isMarker(0)
	}
}

// isGone reports whether a version is not listed any more.
func (s *Server) isGone(e entry) bool {
	if s.options.Gone == 0 {
		return false
	}
	_, gone := s.deleted.Load(e)
	return gone
}

// RestoreGone lists the keys with HeadGone again, for another scan.
func (s *Server) RestoreGone() { s.deleted.Clear() }

// Object returns the object of a key, whether or not the key exists: the newest version.
func (s *Server) Object(key []byte) Object {
	if s.options.Versions == 0 {
		return s.objectOf(hashKey(key))
	}
	index, _ := s.keys.Index(key)
	return s.objectAt(index, key)
}

// objectAt is Object of the key with an index.
func (s *Server) objectAt(index int64, key []byte) Object {
	if s.options.Versions == 0 {
		return s.objectOf(hashKey(key))
	}
	return s.version(key, s.versionsOf(index, key), 0)
}

// Serve accepts connections from l until Close, and then returns nil. It closes l. It may be called for several
// listeners at once. For TLS, l is a tls.Listener.
func (s *Server) Serve(l net.Listener) error {
	p := newPausableListener(l, s.options.RefuseFor, s.closing)
	if !s.addListener(p) {
		l.Close()
		return nil
	}
	defer s.removeListener(p)
	for {
		c, err := s.accept(p)
		switch {
		case err != nil && s.closed():
			return nil
		case err != nil:
			return fmt.Errorf("s3sim: %w", err)
		case !s.connectionCap.acquire():
			s.reject(c)
		default:
			s.startConn(c, func(c net.Conn, id uint64) {
				defer s.connectionCap.release()
				newConn(s, c, id).serve()
			})
		}
	}
}

// accept waits for a connection. While there are ConnectionsMax, it refuses further ones if they are to be refused.
func (s *Server) accept(p *pausableListener) (net.Conn, error) {
	if freed := s.connectionCap.full(); freed != nil {
		if err := p.refuseUntil(freed); err != nil {
			return nil, err
		}
	}
	return p.accept()
}

// Close closes all listeners and connections and waits until their goroutines have ended. A second call does nothing.
func (s *Server) Close() error {
	s.mu.Lock()
	if !s.closed() {
		close(s.closing)
	}
	var err error
	for p := range s.listeners {
		if e := p.close(); e != nil && err == nil {
			err = e
		}
	}
	for c := range s.conns {
		// Closing TLS would first send an alert to a client that may not read.
		underlying(c).Close()
	}
	s.mu.Unlock()
	s.running.Wait()
	return err
}

// Refuse makes every further request fail with an S3 error code, one of Refusals. "" makes the Server accept requests
// again. A HEAD receives the status alone. An unknown code is an error and changes nothing.
func (s *Server) Refuse(code string) error {
	if code != "" && !slices.Contains(Refusals(), code) {
		return fmt.Errorf("s3sim: unknown refusal %q: one of %s", code, join(Refusals()))
	}
	refusal := errorCode(code)
	s.refusal.Store(&refusal)
	return nil
}

// Refusals returns the codes that Refuse accepts.
func Refusals() []string {
	return []string{
		string(codeExpiredToken), string(codeInvalidAccessKeyID),
		string(codeSignatureMismatch), string(codeSlowDown), string(codeAccessDenied),
	}
}

// refusalCode returns the code that Refuse set, or codeNone.
func (s *Server) refusalCode() errorCode {
	if code := s.refusal.Load(); code != nil {
		return *code
	}
	return codeNone
}

// Restart invalidates all continuation tokens issued so far, as a restart does in a store whose tokens refer to its
// memory. A LIST with an invalid token fails with 400 InvalidArgument; with the quirk TokensVoid it ends early instead.
func (s *Server) Restart() { s.tokenEpoch.Add(1) }

func (s *Server) closed() bool {
	select {
	case <-s.closing:
		return true
	default:
		return false
	}
}

// sleep waits for d. It returns false if the Server closes first.
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

// addListener registers a listener for Close. It returns false if the Server is closed.
func (s *Server) addListener(p *pausableListener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed() {
		return false
	}
	s.listeners[p] = struct{}{}
	s.running.Add(1)
	return true
}

func (s *Server) removeListener(p *pausableListener) {
	s.mu.Lock()
	delete(s.listeners, p)
	s.mu.Unlock()
	p.close()
	s.running.Done()
}

// startConn serves a connection in a goroutine of its own: serve gets it with its number. It closes the connection if
// the Server is closed.
func (s *Server) startConn(c net.Conn, serve func(c net.Conn, id uint64)) {
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
		serve(c, uint64(id))
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
}
