package store

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

// names is what a dialer of the test finds: addresses by name, of which some are down. It notes what it is asked.
type names struct {
	mu    sync.Mutex
	byIP  map[string]error // why it cannot be reached
	hosts map[string][]string
	fails error // of a lookup
	log   []string
}

func (n *names) dialer() *dialer {
	d := newDialer()
	d.lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.log = append(n.log, "?")
		var list []netip.Addr
		for _, ip := range n.hosts[host] {
			list = append(list, netip.MustParseAddr(ip))
		}
		return list, n.fails
	}
	d.connect = func(ctx context.Context, network, address string) (net.Conn, error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		ip, port, err := net.SplitHostPort(address)
		if err != nil || port != "443" || network != "tcp" {
			return nil, fmt.Errorf("%s %s: %v", network, address, err)
		}
		n.log = append(n.log, ip[strings.LastIndexAny(ip, ".:")+1:])
		if err := n.byIP[ip]; err != nil {
			return nil, &net.OpError{Op: "dial", Net: network, Err: err}
		}
		if ctx.Err() != nil {
			return nil, &net.OpError{Op: "dial", Net: network, Err: ctx.Err()}
		}
		near, far := net.Pipe()
		far.Close()
		return near, nil
	}
	return d
}

// said is what was asked since the last time: "?" is a lookup, anything else the end of an address.
func (n *names) said() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	said := strings.Join(n.log, " ")
	n.log = nil
	return said
}

// dial connects so many times and returns the last error.
func (n *names) dial(d *dialer, times int) (err error) {
	for range times {
		var c net.Conn
		if c, err = d.DialContext(context.Background(), "tcp", "s3:443"); err == nil {
			c.Close()
		}
	}
	return err
}

func abc() *names {
	return &names{byIP: map[string]error{}, hosts: map[string][]string{"s3": {"10.0.0.1", "10.0.0.2", "10.0.0.3"}}}
}

func TestAddressesTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := abc()
		d := n.dialer()
		step := func(what string, times int, want string) {
			t.Helper()
			if err := n.dial(d, times); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if got := n.said(); got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
		}
		step("all in turn", 4, "? 1 2 3 1")
		n.byIP["10.0.0.2"] = syscall.ECONNREFUSED
		step("one is down, and rests", 5, "2 3 3 1 3 3")
		time.Sleep(coolDownTime - time.Second)
		step("still", 3, "1 3 3")
		time.Sleep(2 * time.Second)
		step("asked for again, and out of its rest", 3, "? 1 2 3 3")
		delete(n.byIP, "10.0.0.2")
		step("up, and resting", 3, "1 3 3")
		time.Sleep(coolDownTime + time.Second)
		step("up", 3, "? 1 2 3")
		n.hosts["s3"] = []string{"10.0.0.4", "10.0.0.5"}
		step("other addresses, not known yet", 1, "1")
		time.Sleep(lookupMaxAge + time.Second)
		step("known", 2, "? 5 4")
	})
}

// The family that the system puts first is used while any of it can be reached.
func TestAddressesKeepToTheirFamily(t *testing.T) {
	n := abc()
	n.hosts["s3"] = []string{"fd00::1", "fd00::2", "10.0.0.3"}
	d := n.dialer()
	if err := n.dial(d, 5); err != nil {
		t.Fatal(err)
	}
	if got := n.said(); strings.Contains(got, "3") {
		t.Errorf("the other family was asked: %s", got)
	}
	n.byIP["fd00::1"], n.byIP["fd00::2"] = syscall.ENETUNREACH, syscall.ENETUNREACH
	if err := n.dial(d, 2); err != nil || !strings.HasSuffix(n.said(), "3 3") {
		t.Errorf("the other family was not asked: %v", err)
	}
}

// A lookup that fails changes nothing, as long as something is known. It is not repeated for every connection.
func TestAddressesOutliveTheResolver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := abc()
		d := n.dialer()
		if err := n.dial(d, 1); err != nil {
			t.Fatal(err)
		}
		n.said()
		n.fails, n.hosts["s3"] = &net.DNSError{Err: "timeout", IsTimeout: true}, nil
		time.Sleep(lookupMaxAge + time.Second)
		if err := n.dial(d, 3); err != nil || n.said() != "? 2 3 1" {
			t.Errorf("%v", err)
		}
		time.Sleep(time.Hour)
		n.fails = nil // an answer, and no address in it
		if err := n.dial(d, 3); err != nil || n.said() != "? 2 3 1" {
			t.Errorf("%v", err)
		}
	})
}

// Where all addresses fail, all are tried each time: there is nothing better to do.
func TestAllAddressesRest(t *testing.T) {
	n := abc()
	d := n.dialer()
	for _, ip := range n.hosts["s3"] {
		n.byIP[ip] = syscall.ECONNREFUSED
	}
	for _, want := range []string{"? 1 2 3", "2 3 1", "3 1 2"} {
		err := n.dial(d, 1)
		if got := n.said(); got != want || !errors.Is(err, syscall.ECONNREFUSED) || fault.ClassOf(err) != fault.Refused {
			t.Errorf("%s, want %s: %v", got, want, err)
		}
	}
	delete(n.byIP, "10.0.0.2")
	if err := n.dial(d, 1); err != nil {
		t.Error(err)
	}
}

// What cannot be dialled at all is an error of dialling, so that its endpoint rests (Store.Failed).
func TestNoAddress(t *testing.T) {
	n := abc()
	d := n.dialer()
	for address, class := range map[string]fault.Class{"nowhere:443": fault.DNS, "no port": fault.Connection} {
		_, err := d.DialContext(t.Context(), "tcp", address)
		var op *net.OpError
		if !errors.As(err, &op) || op.Op != "dial" || fault.ClassOf(err) != class {
			t.Errorf("%s: %v (%s)", address, err, fault.ClassOf(err))
		}
	}
	n.fails = &net.DNSError{Err: "server misbehaving", Name: "s3"}
	delete(n.hosts, "s3")
	if err := n.dial(d, 2); fault.ClassOf(err) != fault.DNS || n.said() != "? ? ?" {
		t.Errorf("%v", err)
	}
	n.hosts["s3"] = []string{"10.0.0.9"}
	if err := n.dial(d, 1); err != nil || n.said() != "? 9" {
		t.Errorf("it was known before it was there: %v", err)
	}
}

func TestLiteralAddressesNeedNoLookup(t *testing.T) {
	n := abc()
	d := n.dialer()
	for _, address := range []string{"10.0.0.7:443", "[fd00::8]:443", "[fe80::9%eth0]:443"} {
		c, err := d.DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		c.Close()
	}
	if got := n.said(); got != "7 8 9%eth0" {
		t.Errorf("%s", got)
	}
}

// The end of the context is no address's fault.
func TestDialEndsWithItsContext(t *testing.T) {
	n := abc()
	d := n.dialer()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.DialContext(ctx, "tcp", "s3:443"); !errors.Is(err, context.Canceled) || n.said() != "? 1" {
		t.Errorf("%v", err)
	}
	if err := n.dial(d, 3); err != nil || n.said() != "2 3 1" {
		t.Errorf("one of them rests: %v", err)
	}
}

// Thousands of connections are made at once, of which some fail, and each address gets its part.
func TestDialFromManySides(t *testing.T) {
	n := abc()
	d := n.dialer()
	n.byIP["10.0.0.3"] = syscall.EHOSTUNREACH
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
	for _, what := range strings.Fields(n.said()) {
		counts[what]++
	}
	if counts["1"]+counts["2"] != 500 || counts["1"] < 100 || counts["2"] < 100 || counts["3"] > 100 {
		t.Errorf("%v", counts)
	}
}
