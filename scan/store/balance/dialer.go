package balance

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"headcount/scan/fault"
)

const (
	// lookupMaxAge is how long the result of a lookup is used. S3 returns a few of its addresses, others with each
	// lookup, with a TTL of seconds.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-guidelines.html
	lookupMaxAge = 30 * time.Second

	// dialTimeout bounds the attempt to connect to one address. A TCP handshake that takes longer has lost two SYNs:
	// the first is sent again after 1 s, the second after 2 s more (RFC 6298 §2).
	dialTimeout = 5 * time.Second

	// keepAlive is the interval of TCP keep-alive probes of http.DefaultTransport.
	keepAlive = 30 * time.Second
)

// Dialer connects to all addresses of a host name in turn, so that all front ends of a store share the load. A slow
// address gets fewer connections. An address that cannot be reached is avoided for Cooldown if the host has others. All
// methods may be called concurrently.
type Dialer struct {
	connect func(ctx context.Context, network, address string) (net.Conn, error)
	lookup  func(ctx context.Context, host string) ([]netip.Addr, error)

	mu    sync.Mutex
	hosts map[string]*hostAddresses
}

// hostAddresses is what a Dialer knows of the addresses of one host name. Dialer.mu guards it.
type hostAddresses struct {
	addresses   []netip.Addr // in the order of the last lookup that returned any
	lookedUp    time.Time
	next        int                      // index of the address whose turn it is
	coolingDown map[netip.Addr]time.Time // the end of each address's cooldown
	balancer    Balancer[netip.Addr]     // of the connections for which Acquire was called
}

// NewDialer returns a Dialer that uses the system's resolver.
func NewDialer() *Dialer {
	d := &net.Dialer{Timeout: dialTimeout, KeepAlive: keepAlive}
	return &Dialer{
		connect: d.DialContext,
		lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		hosts: map[string]*hostAddresses{},
	}
}

// DialContext connects to address, HOST:PORT. It has the type of http.Transport.DialContext.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, _, err := d.Dial(ctx, network, address, netip.Addr{})
	return c, err
}

// Dial connects to address, HOST:PORT. It tries the addresses of the host one after another, each for at most 5 s, the
// least loaded first. It tries the address avoid after the other reachable ones; the zero avoid avoids none. It returns
// the host name too if the Dialer chose among the host's addresses, and "" if HOST is an IP address. Its errors are
// those of the net package, of the last attempt.
func (d *Dialer) Dial(ctx context.Context, network, address string, avoid netip.Addr) (net.Conn, string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, "", &net.OpError{Op: "dial", Net: network, Err: err}
	}
	if _, err := netip.ParseAddr(host); err == nil {
		c, err := d.connect(ctx, network, address)
		return c, "", err
	}
	candidates, err := d.candidates(ctx, host, avoid)
	if err != nil {
		return nil, "", &net.OpError{Op: "dial", Net: network, Err: err}
	}
	for _, ip := range candidates {
		var c net.Conn
		if c, err = d.connect(ctx, network, net.JoinHostPort(ip.String(), port)); err == nil {
			return c, host, nil
		}
		if ctx.Err() != nil {
			break
		}
		if fault.ClassOf(err) != fault.LocalLimit { // such a failure says nothing about the address
			d.coolDown(host, ip)
		}
	}
	return nil, "", err
}

// candidates returns the addresses of host in the order in which Dial should try them. It looks them up if the last
// lookup is too old.
func (d *Dialer) candidates(ctx context.Context, host string, avoid netip.Addr) ([]netip.Addr, error) {
	if cached := d.cached(host, avoid); cached != nil {
		return cached, nil
	}
	found, err := d.lookup(ctx, host)
	candidates := d.update(host, found, avoid)
	switch {
	case candidates != nil:
		return candidates, nil
	case err != nil:
		return nil, err
	}
	return nil, &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
}

// cached returns the candidates without a lookup; nil: a lookup is due.
func (d *Dialer) cached(host string, avoid netip.Addr) []netip.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.hosts[host]
	if h == nil || time.Since(h.lookedUp) > lookupMaxAge {
		return nil
	}
	return h.order(avoid)
}

// update replaces the addresses of host with those that a lookup found, and returns the candidates. If the lookup found
// none, the addresses from before remain in use; nil: there are none either.
func (d *Dialer) update(host string, found []netip.Addr, avoid netip.Addr) []netip.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.hosts[host]
	if h == nil {
		h = &hostAddresses{coolingDown: map[netip.Addr]time.Time{}}
		d.hosts[host] = h
	}
	if len(found) > 0 {
		for i := range found {
			found[i] = found[i].Unmap() // the form in which a connection returns its remote address
		}
		h.addresses = found
		h.balancer.Retain(found)
	}
	if len(h.addresses) == 0 {
		return nil
	}
	h.lookedUp = time.Now()
	return h.order(avoid)
}

// order returns the addresses in the order in which Dial should try them, and ends the first one's turn. First come
// those of the preferred family, the least loaded first and avoid last; then the other family; then those in cooldown.
func (h *hostAddresses) order(avoid netip.Addr) []netip.Addr {
	preferred, other, coolingDown := h.byTurn()
	h.next = (h.next + 1) % len(h.addresses)
	h.balancer.Sort(preferred)
	if i := slices.Index(preferred, avoid); i >= 0 {
		preferred = append(slices.Delete(preferred, i, i+1), avoid)
	}
	return slices.Concat(preferred, other, coolingDown)
}

// byTurn returns the addresses, from the one whose turn it is on, in three groups: those of the preferred family, those
// of the other family, and those in cooldown. The preferred family is that of the first address: the system sorts by
// reachability (RFC 6724). With turns for both families, every second connection would meet a timeout on a machine that
// has no route for one of them.
func (h *hostAddresses) byTurn() (preferred, other, coolingDown []netip.Addr) {
	now := time.Now()
	for i := range h.addresses {
		switch ip := h.addresses[(h.next+i)%len(h.addresses)]; {
		case now.Before(h.coolingDown[ip]):
			coolingDown = append(coolingDown, ip)
		case ip.Is4() == h.addresses[0].Is4():
			preferred = append(preferred, ip)
		default:
			other = append(other, ip)
		}
	}
	return preferred, other, coolingDown
}

// coolDown starts the cooldown of an address.
func (d *Dialer) coolDown(host string, ip netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hosts[host].coolingDown[ip] = time.Now().Add(Cooldown)
}

// Acquire adds a connection to the count of an address of host, as Dial returned both. One Release must follow each
// Acquire. Acquire, Release, Observe and Overloaded ignore the host "" and hosts that are not known.
func (d *Dialer) Acquire(host string, ip netip.Addr) {
	if b := d.balancer(host); b != nil {
		b.Acquire(ip)
	}
}

// Release undoes one Acquire.
func (d *Dialer) Release(host string, ip netip.Addr) {
	if b := d.balancer(host); b != nil {
		b.Release(ip)
	}
}

// Observe records answers from an address of host and the sum of their latencies.
func (d *Dialer) Observe(host string, ip netip.Addr, answers int, latency time.Duration) {
	if b := d.balancer(host); b != nil {
		b.Observe(ip, answers, latency)
	}
}

// Overloaded reports whether a connection to ip should move to another of the host's preferred addresses: see
// Balancer.Overloaded. An address that the last lookup did not return is not overloaded.
func (d *Dialer) Overloaded(host string, ip netip.Addr) bool {
	if host == "" {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.hosts[host]
	if h == nil {
		return false
	}
	preferred, _, _ := h.byTurn()
	return slices.Contains(preferred, ip) && h.balancer.Overloaded(ip, preferred)
}

// balancer returns the Balancer of a host's addresses; nil: the host is not known.
func (d *Dialer) balancer(host string) *Balancer[netip.Addr] {
	if host == "" {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if h := d.hosts[host]; h != nil {
		return &h.balancer
	}
	return nil
}
