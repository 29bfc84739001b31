package store

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Address is where HEADs go: one endpoint, and one of the addresses that its name has. There is one for each such pair, up to
// addressesMax. Its methods may be called concurrently.
type Address struct {
	URL string         // of the endpoint; "" where only the SDK knows it
	IP  netip.AddrPort // zero: not known, as before there is a connection

	endpoint int    // among the Store's
	host     string // of which it is one address; "" where it is the only one, or not chosen by the Store
	opened   atomic.Int64
}

// maxAddresses bounds the memory of a run for days: S3 names others of its addresses with every lookup. Those beyond are
// counted as one of their endpoint that is not known.
const maxAddresses = 256

// Opened is how many connections were opened to the Address for HEADs.
func (a *Address) Opened() int64 { return a.opened.Load() }

// CountOpened counts one.
func (a *Address) CountOpened() { a.opened.Add(1) }

// SameEndpoint says whether two are of the same endpoint.
func (a *Address) SameEndpoint(other *Address) bool { return a.endpoint == other.endpoint }

// addressTable has the Addresses that were used.
type addressTable struct {
	mu    sync.Mutex
	known map[addressKey]*Address
}

type addressKey struct {
	endpoint int
	ip       netip.AddrPort
}

// Address is that of what the Sender sends to remote, the other end of a connection; nil: there is none yet.
func (s *Store) Address(by Sender, remote net.Addr) *Address { return s.address(by, remote, "") }

func (s *Store) address(by Sender, remote net.Addr, host string) *Address {
	key := addressKey{endpoint: by.endpoint.index}
	if tcp, ok := remote.(*net.TCPAddr); ok {
		key.ip = tcp.AddrPort()
		key.ip = netip.AddrPortFrom(key.ip.Addr().Unmap(), key.ip.Port())
	}
	s.addresses.mu.Lock()
	defer s.addresses.mu.Unlock()
	if len(s.addresses.known) >= maxAddresses && s.addresses.known[key] == nil {
		key.ip, host = netip.AddrPort{}, ""
	}
	a := s.addresses.known[key]
	if a == nil {
		a = &Address{URL: by.endpoint.displayURL(), IP: key.ip, endpoint: key.endpoint, host: host}
		if s.addresses.known == nil {
			s.addresses.known = map[addressKey]*Address{}
		}
		s.addresses.known[key] = a
	}
	return a
}

// displayURL is the endpoint's URL, or what the SDK makes of it.
func (e *endpoint) displayURL() string {
	if url := e.client.Options().BaseEndpoint; url != nil {
		return *url
	}
	route, err := e.route()
	switch {
	case err != nil:
		return ""
	case route.TLS == nil:
		return "http://" + route.Host
	}
	return "https://" + route.Host
}

// CompareAddresses puts Addresses into the order of endpoints, and then of IPs.
func CompareAddresses(a, b *Address) int {
	return cmp.Or(cmp.Compare(a.endpoint, b.endpoint), a.IP.Compare(b.IP))
}

// PickEndpoint is the Sender for a session: the endpoint that has the fewest sessions for its share, and does not rest. Of those that have
// the same it is the turn-th. It is not the endpoint of but, if there is another; nil: any.
func (s *Store) PickEndpoint(turn int, but *Address) Sender {
	s.mu.RLock()
	defer s.mu.RUnlock()
	sites := s.available(turn)
	if len(sites) == 0 {
		sites = s.inTurn(turn)
	}
	if but != nil && len(sites) > 1 {
		sites = slices.DeleteFunc(sites, func(at int) bool { return at == but.endpoint })
	}
	s.balance.sort(sites)
	return s.senderAt(sites[0])
}

// inTurn are the endpoints from the turn-th on.
func (s *Store) inTurn(turn int) []int {
	sites := make([]int, len(s.endpoints))
	for i := range sites {
		sites[i] = (turn + i) % len(sites)
	}
	return sites
}

// available are those of them that do not rest.
func (s *Store) available(turn int) []int {
	return slices.DeleteFunc(s.inTurn(turn), func(at int) bool { return time.Now().Before(s.coolingDown[at]) })
}

// Acquire tells that a session will send to the Address, and Leave that it will no more.
func (s *Store) Acquire(a *Address) {
	s.balance.acquire(a.endpoint)
	if b := s.dialer.balance(a.host); b != nil {
		b.acquire(a.IP.Addr())
	}
}

// Release undoes one Enter.
func (s *Store) Release(a *Address) {
	s.balance.release(a.endpoint)
	if b := s.dialer.balance(a.host); b != nil {
		b.release(a.IP.Addr())
	}
}

// ObserveAnswers tells of HEADs that an Address has answered well, and how long that took together.
func (s *Store) ObserveAnswers(a *Address, answers int, took time.Duration) {
	if b := s.dialer.balance(a.host); b != nil {
		b.observe(a.IP.Addr(), answers, took)
	}
	if s.EndpointCount() == 1 {
		return
	}
	s.balance.observe(a.endpoint, answers, took)
	s.refusals.answered(a.endpoint, answers)
}

// ObserveRefusal tells of a HEAD that an Address has refused, or not answered at all. An endpoint that does so with all of them, while others
// answer, rests: what it says is not meant for the objects.
func (s *Store) ObserveRefusal(a *Address) {
	if s.EndpointCount() == 1 || !s.refusals.alone(a.endpoint) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.coolDown(a.endpoint)
}

// Overloaded says whether a session that sends to the Address should rather have another Seat, or another of its name's addresses: there
// are too many that do.
func (s *Store) Overloaded(a *Address) bool {
	if s.EndpointCount() > 1 {
		s.mu.RLock()
		others := s.available(0)
		s.mu.RUnlock()
		if s.balance.overloaded(a.endpoint, others) {
			return true
		}
	}
	return s.dialer.overloaded(a.host, a.IP.Addr())
}

// Dial connects the Sender to the Route, in turn with all other addresses of its name: to one of those with the fewest sessions for
// their share, and not to that of but, if there is another that does not rest. It takes 5 s for each that it tries at most.
func (s *Store) Dial(ctx context.Context, by Sender, route *Route, but *Address) (net.Conn, *Address, error) {
	var not netip.Addr
	if but != nil {
		not = but.IP.Addr()
	}
	c, host, err := s.dialer.dial(ctx, "tcp", route.Address, not)
	if err != nil {
		return nil, nil, err
	}
	return c, s.address(by, c.RemoteAddr(), host), nil
}
