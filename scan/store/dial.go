package store

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// lookupMaxAge is how long the addresses of a name are used before they are asked for again. S3 gives another few of its
// addresses every time, with a TTL of seconds. https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance-guidelines.html
const lookupMaxAge = 30 * time.Second

// dialer connects to all addresses of a name in turn, so that the load is shared by all of a store's front ends. An
// address that cannot be reached rests for restTime, if there are others. Its methods may be called concurrently.
type dialer struct {
	connect func(ctx context.Context, network, address string) (net.Conn, error)
	lookup  func(ctx context.Context, host string) ([]netip.Addr, error)

	mu    sync.Mutex
	names map[string]*addresses
}

// addresses are those of one name.
type addresses struct {
	list        []netip.Addr
	lookedUp    time.Time                // when the list was asked for last
	next        int                      // whose turn it is
	coolingDown map[netip.Addr]time.Time // until when
	balance     balance[netip.Addr]      // of the connections whose end is told
}

func newDialer() *dialer {
	d := &net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}
	return &dialer{
		connect: d.DialContext,
		lookup: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		},
		names: map[string]*addresses{},
	}
}

// DialContext connects to address, HOST:PORT. An address of the host that fails is followed by the next.
func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	c, _, err := d.dial(ctx, network, address, netip.Addr{})
	return c, err
}

// dial is DialContext, and takes one of the addresses only if there is no other to begin with. It returns the host too, if there were addresses to choose from.
func (d *dialer) dial(ctx context.Context, network, address string, but netip.Addr) (net.Conn, string, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, "", &net.OpError{Op: "dial", Net: network, Err: err}
	}
	if _, err := netip.ParseAddr(host); err == nil {
		c, err := d.connect(ctx, network, address)
		return c, "", err
	}
	turns, err := d.candidates(ctx, host, but)
	if err != nil {
		return nil, "", &net.OpError{Op: "dial", Net: network, Err: err}
	}
	for _, ip := range turns {
		var c net.Conn
		if c, err = d.connect(ctx, network, net.JoinHostPort(ip.String(), port)); err == nil {
			return c, host, nil
		}
		if ctx.Err() != nil {
			break
		}
		d.coolDown(host, ip)
	}
	return nil, "", err
}

// candidates are the addresses of host in the order in which they are to be tried: those that rest last.
func (d *dialer) candidates(ctx context.Context, host string, but netip.Addr) ([]netip.Addr, error) {
	known := d.cached(host, but)
	if known == nil {
		list, err := d.lookup(ctx, host)
		known = d.update(host, list, but)
		if known == nil {
			if err == nil {
				err = &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
			}
			return nil, err
		}
	}
	return known, nil
}

// cached is what turns are taken from without a lookup; nil: it is time for one.
func (d *dialer) cached(host string, but netip.Addr) []netip.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.names[host]
	if a == nil || time.Since(a.lookedUp) > lookupMaxAge {
		return nil
	}
	return a.order(but)
}

// update takes in what a lookup brought: nothing, if it failed, and then the addresses that were known before go on to be used.
func (d *dialer) update(host string, list []netip.Addr, but netip.Addr) []netip.Addr {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.names[host]
	if a == nil {
		a = &addresses{coolingDown: map[netip.Addr]time.Time{}}
		d.names[host] = a
	}
	for i := range list {
		list[i] = list[i].Unmap() // as the other end of a connection is called
	}
	if len(list) > 0 {
		a.list = list
		a.balance.retain(list)
	}
	if len(a.list) == 0 {
		return nil
	}
	a.lookedUp = time.Now()
	return a.order(but)
}

// order is the list from the one on whose turn it is, those with the fewest connections for their share first and but last, with the
// other family behind it, and those that rest at the end.
func (a *addresses) order(but netip.Addr) []netip.Addr {
	first, other, resting := a.inTurn()
	a.next = (a.next + 1) % len(a.list)
	a.balance.sort(first)
	if i := slices.Index(first, but); i >= 0 {
		first = append(slices.Delete(first, i, i+1), but)
	}
	return slices.Concat(first, other, resting)
}

// inTurn are the addresses from the one on whose turn it is: those of the first family, of the other, and those that rest. The system
// puts the family first that works best (RFC 6724): taking turns with the other would bring a timeout to every second connection
// where that has no way to the world.
func (a *addresses) inTurn() (first, other, resting []netip.Addr) {
	now := time.Now()
	for i := range a.list {
		switch ip := a.list[(a.next+i)%len(a.list)]; {
		case now.Before(a.coolingDown[ip]):
			resting = append(resting, ip)
		case ip.Is4() == a.list[0].Is4():
			first = append(first, ip)
		default:
			other = append(other, ip)
		}
	}
	return first, other, resting
}

// balance is that of a name's addresses; nil: there is no such name.
func (d *dialer) balance(host string) *balance[netip.Addr] {
	if host == "" {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if a := d.names[host]; a != nil {
		return &a.balance
	}
	return nil
}

// overloaded says whether a connection to ip would do better at another address of its name, of those that come first now.
func (d *dialer) overloaded(host string, ip netip.Addr) bool {
	if host == "" {
		return false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.names[host]
	if a == nil {
		return false
	}
	first, _, _ := a.inTurn()
	return slices.Contains(first, ip) && a.balance.overloaded(ip, first)
}

func (d *dialer) coolDown(host string, ip netip.Addr) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.names[host].coolingDown[ip] = time.Now().Add(coolDownTime)
}
