package store

import (
	"cmp"
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// maxAddresses bounds the memory of a run of several days: S3 returns other addresses with each lookup. Further
// addresses are counted together, as one of their endpoint with an unknown IP.
const maxAddresses = 256

// Address is one endpoint at one of the IP addresses of its host. A Store has at most one Address for each such pair,
// so that Addresses can be compared by pointer. Its methods may be called concurrently.
type Address struct {
	URL string         // of the endpoint; "": the SDK resolves none
	IP  netip.AddrPort // zero: not known, as before the first connection

	endpoint int    // index among the Store's
	host     string // for the Dialer; "": the Dialer did not choose the IP
	opened   atomic.Int64
}

// Opened returns how many connections were opened to the Address for HEADs.
func (a *Address) Opened() int64 { return a.opened.Load() }

// CountOpened counts a connection that was opened to the Address for HEADs.
func (a *Address) CountOpened() { a.opened.Add(1) }

// SameEndpoint reports whether both Addresses belong to the same endpoint.
func (a *Address) SameEndpoint(other *Address) bool { return a.endpoint == other.endpoint }

// CompareAddresses orders Addresses by endpoint, and then by IP.
func CompareAddresses(a, b *Address) int {
	return cmp.Or(cmp.Compare(a.endpoint, b.endpoint), a.IP.Compare(b.IP))
}

// addressTable holds the Addresses that were used.
type addressTable struct {
	mu    sync.Mutex
	known map[addressKey]*Address
}

type addressKey struct {
	endpoint int
	ip       netip.AddrPort
}

// Address returns the Address of an endpoint at remote, the remote address of a connection; nil: there is none yet.
func (s *Store) Address(e *Endpoint, remote net.Addr) *Address { return s.address(e, remote, "") }

func (s *Store) address(e *Endpoint, remote net.Addr, host string) *Address {
	key := addressKey{endpoint: e.index}
	if tcp, ok := remote.(*net.TCPAddr); ok {
		key.ip = tcp.AddrPort()
		key.ip = netip.AddrPortFrom(key.ip.Addr().Unmap(), key.ip.Port())
	}
	table := &s.addresses
	table.mu.Lock()
	defer table.mu.Unlock()
	if len(table.known) >= maxAddresses && table.known[key] == nil {
		key.ip, host = netip.AddrPort{}, ""
	}
	a := table.known[key]
	if a == nil {
		a = &Address{URL: e.displayURL(), IP: key.ip, endpoint: key.endpoint, host: host}
		if table.known == nil {
			table.known = map[addressKey]*Address{}
		}
		table.known[key] = a
	}
	return a
}

// Dial connects to the Route of an endpoint, as balance.Dialer does: to the least loaded address of the host, and to
// the IP of avoid only if no other can be reached. A nil avoid avoids none. Each address gets at most 5 s.
func (s *Store) Dial(ctx context.Context, e *Endpoint, route *Route, avoid *Address) (net.Conn, *Address, error) {
	var ip netip.Addr
	if avoid != nil {
		ip = avoid.IP.Addr()
	}
	c, host, err := s.dialer.Dial(ctx, "tcp", route.HostPort, ip)
	if err != nil {
		return nil, nil, err
	}
	return c, s.address(e, c.RemoteAddr(), host), nil
}

// Acquire counts a session that sends to the Address. One Release must follow each Acquire.
func (s *Store) Acquire(a *Address) {
	s.balancer.Acquire(a.endpoint)
	s.dialer.Acquire(a.host, a.IP.Addr())
}

// Release undoes one Acquire.
func (s *Store) Release(a *Address) {
	s.balancer.Release(a.endpoint)
	s.dialer.Release(a.host, a.IP.Addr())
}

// Overloaded reports whether a session that sends to the Address should move: to another endpoint by PickEndpoint, or
// to another IP of the host by Dial.
func (s *Store) Overloaded(a *Address) bool {
	if s.EndpointCount() > 1 {
		s.mu.RLock()
		others := s.available(0)
		s.mu.RUnlock()
		if s.balancer.Overloaded(a.endpoint, others) {
			return true
		}
	}
	return s.dialer.Overloaded(a.host, a.IP.Addr())
}

// ObserveAnswers records HEADs that the Address answered without refusing them, and the sum of their latencies.
func (s *Store) ObserveAnswers(a *Address, n int, latency time.Duration) {
	s.dialer.Observe(a.host, a.IP.Addr(), n, latency)
	if s.EndpointCount() == 1 {
		return
	}
	s.balancer.Observe(a.endpoint, n, latency)
	s.refusals.ObserveAnswers(a.endpoint, n)
}

// ObserveRefusal records a HEAD that the Address refused or did not answer. An endpoint that refuses every HEAD while
// others answer begins a cooldown: its refusals say nothing about the objects.
func (s *Store) ObserveRefusal(a *Address) {
	if s.EndpointCount() == 1 || !s.refusals.ObserveRefusal(a.endpoint) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.coolDown(a.endpoint)
}
