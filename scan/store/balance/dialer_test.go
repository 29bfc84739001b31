package balance

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"headcount/scan/fault"
)

// network is a resolver and a network for a Dialer. It logs lookups and attempts to connect.
type network struct {
	mu       sync.Mutex
	connErrs map[string]error // by IP; absent: the IP can be reached
	hosts    map[string][]string
	lookErr  error
	log      []string
}

// threeAddresses returns a network with the host s3, which has three addresses.
func threeAddresses() *network {
	hosts := map[string][]string{"s3": {"10.0.0.1", "10.0.0.2", "10.0.0.3"}}
	return &network{connErrs: map[string]error{}, hosts: hosts}
}

func (n *network) dialer() *Dialer {
	d := NewDialer()
	d.lookup, d.connect = n.lookup, n.connect
	return d
}

func (n *network) lookup(_ context.Context, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, "?")
	var addresses []netip.Addr
	for _, ip := range n.hosts[host] {
		addresses = append(addresses, netip.MustParseAddr(ip))
	}
	return addresses, n.lookErr
}

func (n *network) connect(ctx context.Context, protocol, address string) (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	ip, port, err := net.SplitHostPort(address)
	if err != nil || port != "443" || protocol != "tcp" {
		return nil, fmt.Errorf("%s %s: %v", protocol, address, err)
	}
	n.log = append(n.log, ip[strings.LastIndexAny(ip, ".:")+1:])
	if err := n.connErrs[ip]; err != nil {
		return nil, &net.OpError{Op: "dial", Net: protocol, Err: err}
	}
	if ctx.Err() != nil {
		return nil, &net.OpError{Op: "dial", Net: protocol, Err: ctx.Err()}
	}
	near, far := net.Pipe()
	far.Close()
	return near, nil
}

// takeLog returns the log since the last call: "?" is a lookup, a number is the last part of an IP.
func (n *network) takeLog() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	log := strings.Join(n.log, " ")
	n.log = nil
	return log
}

// dial connects to s3 several times and returns the last error.
func (n *network) dial(d *Dialer, times int) (err error) {
	for range times {
		var c net.Conn
		if c, err = d.DialContext(context.Background(), "tcp", "s3:443"); err == nil {
			c.Close()
		}
	}
	return err
}

func TestDialerTakesAddressesInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := threeAddresses()
		d := n.dialer()
		step := func(name string, times int, want string) {
			t.Helper()
			if err := n.dial(d, times); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := n.takeLog(); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
		step("all in turn", 4, "? 1 2 3 1")
		n.connErrs["10.0.0.2"] = syscall.ECONNREFUSED
		step("one is down and cools down", 5, "2 3 3 1 3 3")
		time.Sleep(Cooldown - time.Second)
		step("still in cooldown", 3, "1 3 3")
		time.Sleep(2 * time.Second)
		step("looked up again, and after the cooldown", 3, "? 1 2 3 3")
		delete(n.connErrs, "10.0.0.2")
		step("up, and in cooldown", 3, "1 3 3")
		time.Sleep(Cooldown + time.Second)
		step("up", 3, "? 1 2 3")
		n.hosts["s3"] = []string{"10.0.0.4", "10.0.0.5"}
		step("other addresses, not looked up yet", 1, "1")
		time.Sleep(lookupMaxAge + time.Second)
		step("looked up", 2, "? 5 4")
	})
}

// The Dialer uses the family of the first address as long as one address of that family can be reached.
func TestDialerPrefersOneFamily(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := threeAddresses()
		n.hosts["s3"] = []string{"fd00::1", "fd00::2", "10.0.0.3"}
		d := n.dialer()
		if err := n.dial(d, 5); err != nil {
			t.Fatal(err)
		}
		if got := n.takeLog(); strings.Contains(got, "3") {
			t.Errorf("the other family was tried: %s", got)
		}
		n.connErrs["fd00::1"], n.connErrs["fd00::2"] = syscall.ENETUNREACH, syscall.ENETUNREACH
		if err := n.dial(d, 2); err != nil || !strings.HasSuffix(n.takeLog(), "3 3") {
			t.Errorf("the other family was not tried: %v", err)
		}
	})
}

// A failed lookup keeps the addresses that are known. It is not repeated for every connection.
func TestDialerSurvivesTheResolver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := threeAddresses()
		d := n.dialer()
		if err := n.dial(d, 1); err != nil {
			t.Fatal(err)
		}
		n.takeLog()
		n.lookErr, n.hosts["s3"] = &net.DNSError{Err: "timeout", IsTimeout: true}, nil
		time.Sleep(lookupMaxAge + time.Second)
		if err := n.dial(d, 3); err != nil || n.takeLog() != "? 2 3 1" {
			t.Errorf("after a failed lookup: %v", err)
		}
		time.Sleep(time.Hour)
		n.lookErr = nil // a response without addresses
		if err := n.dial(d, 3); err != nil || n.takeLog() != "? 2 3 1" {
			t.Errorf("after an empty lookup: %v", err)
		}
	})
}

// If all addresses are in cooldown, each Dial tries all of them.
func TestDialerWithAllAddressesInCooldown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := threeAddresses()
		d := n.dialer()
		for _, ip := range n.hosts["s3"] {
			n.connErrs[ip] = syscall.ECONNREFUSED
		}
		for _, want := range []string{"? 1 2 3", "2 3 1", "3 1 2"} {
			err := n.dial(d, 1)
			if got := n.takeLog(); got != want {
				t.Errorf("%s, want %s", got, want)
			}
			if !errors.Is(err, syscall.ECONNREFUSED) || fault.ClassOf(err) != fault.ConnRefused {
				t.Error(err)
			}
		}
		delete(n.connErrs, "10.0.0.2")
		if err := n.dial(d, 1); err != nil {
			t.Error(err)
		}
	})
}

// Every error is a *net.OpError of a dial, by which Store.ObserveFailure knows that the endpoint cannot be reached.
func TestDialErrors(t *testing.T) {
	n := threeAddresses()
	d := n.dialer()
	for address, class := range map[string]fault.Class{"nowhere:443": fault.DNS, "no port": fault.Connection} {
		_, err := d.DialContext(t.Context(), "tcp", address)
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "dial" || fault.ClassOf(err) != class {
			t.Errorf("%s: %v (%s)", address, err, fault.ClassOf(err))
		}
	}
	n.lookErr = &net.DNSError{Err: "server misbehaving", Name: "s3"}
	delete(n.hosts, "s3")
	if err := n.dial(d, 2); fault.ClassOf(err) != fault.DNS || n.takeLog() != "? ? ?" {
		t.Errorf("a failed lookup: %v", err)
	}
	n.hosts["s3"] = []string{"10.0.0.9"}
	if err := n.dial(d, 1); err != nil || n.takeLog() != "? 9" {
		t.Errorf("the failed lookup was cached: %v", err)
	}
}

func TestLiteralAddressesNeedNoLookup(t *testing.T) {
	n := threeAddresses()
	d := n.dialer()
	for _, address := range []string{"10.0.0.7:443", "[fd00::8]:443", "[fe80::9%eth0]:443"} {
		c, err := d.DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	if got := n.takeLog(); got != "7 8 9%eth0" {
		t.Error(got)
	}
}

// An address is not blamed for the end of the context.
func TestDialEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := threeAddresses()
		d := n.dialer()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := d.DialContext(ctx, "tcp", "s3:443"); !errors.Is(err, context.Canceled) || n.takeLog() != "? 1" {
			t.Errorf("the context has ended: %v", err)
		}
		if err := n.dial(d, 3); err != nil || n.takeLog() != "2 3 1" {
			t.Errorf("an address is in cooldown: %v", err)
		}
	})
}

// Each reachable address gets its part of 500 connections from 50 goroutines.
func TestDialConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := threeAddresses()
		d := n.dialer()
		n.connErrs["10.0.0.3"] = syscall.EHOSTUNREACH
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				if err := n.dial(d, 10); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		counts := map[string]int{}
		for _, entry := range strings.Fields(n.takeLog()) {
			counts[entry]++
		}
		if counts["1"]+counts["2"] != 500 || counts["1"] < 100 || counts["2"] < 100 || counts["3"] > 100 {
			t.Errorf("%v", counts)
		}
	})
}

// slowAddressTest dials s3 and counts the connections to each of its addresses.
type slowAddressTest struct {
	*testing.T
	network     *network
	dialer      *Dialer
	connections map[netip.Addr]int
	tried       string // by the last dial
}

func (t *slowAddressTest) dial(avoid string) netip.Addr {
	t.Helper()
	var ip netip.Addr
	if avoid != "" {
		ip = netip.MustParseAddr(avoid)
	}
	c, host, err := t.dialer.Dial(t.Context(), "tcp", "s3:443", ip)
	if err != nil || host != "s3" {
		t.Fatal(host, err)
	}
	c.Close()
	t.tried = t.network.takeLog()
	ip = netip.MustParseAddr("10.0.0." + t.tried[len(t.tried)-1:])
	t.dialer.Acquire(host, ip)
	t.connections[ip]++
	return ip
}

// A slow address gets fewer connections. An address that is no longer the host's is neither overloaded nor retained.
func TestDialerAvoidsASlowAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		test := slowAddressTest{T: t, network: threeAddresses(), connections: map[netip.Addr]int{}}
		test.dialer = test.network.dialer()
		d, slow := test.dialer, netip.MustParseAddr("10.0.0.2")
		for range 30 {
			test.dial("")
		}
		if got := fmt.Sprint(test.connections); got != "map[10.0.0.1:10 10.0.0.2:10 10.0.0.3:10]" {
			t.Errorf("before the first answer: %s", got)
		}
		for range 20 {
			time.Sleep(time.Second)
			for ip := range test.connections {
				latency := 10 * time.Millisecond
				if ip == slow {
					latency *= 10
				}
				d.Observe("s3", ip, answersMin, answersMin*latency)
			}
		}
		for d.Overloaded("s3", slow) {
			d.Release("s3", slow)
			test.connections[slow]--
			test.dial("")
		}
		if n := test.connections[slow]; n < 1 || n > 2 {
			t.Errorf("%v connections", test.connections)
		}
		if ip := test.dial("10.0.0.1"); ip.String() != "10.0.0.3" {
			t.Errorf("a connection to %s, with 10.0.0.1 to avoid", ip)
		}
		for _, ip := range []string{"10.0.0.2", "10.0.0.3"} {
			test.network.connErrs[ip] = syscall.ECONNREFUSED
		}
		test.dial("10.0.0.1") // the others begin their cooldown
		if test.dial("10.0.0.1"); test.tried != "1" {
			t.Errorf("tried %s, with the only address to avoid that is not in cooldown", test.tried)
		}
		test.network.hosts["s3"] = []string{"10.0.0.4"}
		time.Sleep(lookupMaxAge)
		test.dial("")
		if d.Overloaded("s3", slow) {
			t.Error("an address that is no longer the host's is overloaded")
		}
	})
}
