package store

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// crew is workers that each have a connection to one of the sites of a balance, and look every second whether to have another.
type crew struct {
	balance balance[string]
	sites   []string
	stop    chan struct{}

	mu      sync.Mutex
	takes   map[string]time.Duration // that an answer takes
	brought map[string]int
}

func newCrew(workers int, takes map[string]time.Duration) *crew {
	c := &crew{takes: takes, brought: map[string]int{}, stop: make(chan struct{})}
	for _, site := range []string{"a", "b", "c"} {
		if takes[site] > 0 {
			c.sites = append(c.sites, site)
		}
	}
	for range workers {
		go c.work(c.seat())
		synctest.Wait()
	}
	return c
}

func (c *crew) seat() string {
	sites := slices.Clone(c.sites)
	c.balance.sort(sites)
	c.balance.acquire(sites[0])
	return sites[0]
}

func (c *crew) work(site string) {
	for looked := time.Now(); ; {
		c.mu.Lock()
		took := c.takes[site]
		c.mu.Unlock()
		select {
		case <-c.stop:
			return
		case <-time.After(took):
		}
		c.balance.observe(site, 1, took)
		c.mu.Lock()
		c.brought[site]++
		c.mu.Unlock()
		if time.Since(looked) >= time.Second {
			looked = time.Now()
			if c.balance.overloaded(site, c.sites) {
				c.balance.release(site)
				site = c.seat()
			}
		}
	}
}

// after lets the crew work, and says how many are where.
func (c *crew) after(d time.Duration) (live map[string]int) {
	time.Sleep(d)
	synctest.Wait()
	c.balance.mu.Lock()
	defer c.balance.mu.Unlock()
	live = map[string]int{}
	for _, site := range c.sites {
		live[site] = c.balance.target(site).live
	}
	return live
}

// set changes how long an answer takes, and says how many the site has brought.
func (c *crew) set(site string, takes time.Duration) (brought int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.takes[site] = takes
	return c.brought[site]
}

// between says how many connections the second of the sites should have.
type between struct{ least, most int }

func TestBalance(t *testing.T) {
	const ms = time.Millisecond
	for name, test := range map[string]struct {
		workers    int
		takes      map[string]time.Duration
		soon, then between // after 3 s, and after a minute
	}{
		"all alike":         {32, map[string]time.Duration{"a": 40 * ms, "b": 40 * ms, "c": 40 * ms}, between{10, 11}, between{10, 11}},
		"not twice as slow": {32, map[string]time.Duration{"a": 40 * ms, "b": 80 * ms}, between{16, 16}, between{16, 16}},
		"slow by little":    {4, map[string]time.Duration{"a": ms / 2, "b": 3 * ms / 2}, between{2, 2}, between{2, 2}},
		"one is slow":       {32, map[string]time.Duration{"a": 40 * ms, "b": 400 * ms}, between{9, 14}, between{1, 2}},
		"two are slow":      {33, map[string]time.Duration{"a": 40 * ms, "b": 400 * ms, "c": 200 * ms}, between{6, 10}, between{1, 2}},
		"terribly slow":     {32, map[string]time.Duration{"a": 40 * ms, "b": 20 * time.Second}, between{16, 16}, between{9, 14}},
		"each has one":      {2, map[string]time.Duration{"a": 40 * ms, "b": 400 * ms}, between{1, 1}, between{1, 1}},
		"one has none":      {1, map[string]time.Duration{"a": 40 * ms, "b": 400 * ms}, between{0, 0}, between{0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCrew(test.workers, test.takes)
				defer close(c.stop)
				soon := c.after(3 * time.Second)["b"]
				then := c.after(57 * time.Second)["b"]
				if soon < test.soon.least || soon > test.soon.most || then < test.then.least || then > test.then.most {
					t.Errorf("%d, and then %d, want %v and %v", soon, then, test.soon, test.then)
				}
			})
		})
	}
}

// Nearly all of what a slow site costs is got back, and it is noticed when it is slow no more.
func TestBalanceRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrew(32, map[string]time.Duration{"a": 40 * time.Millisecond, "b": 500 * time.Millisecond})
		defer close(c.stop)
		c.after(30 * time.Second)
		before := c.set("a", 40*time.Millisecond)
		c.after(10 * time.Second)
		if brought := c.set("a", 40*time.Millisecond) - before; brought < 7_250 || brought > 8_000 {
			t.Errorf("%d answers in 10 s, of the 8,000 that all of them would bring at the fast one", brought)
		}
		c.set("b", 40*time.Millisecond)
		if live := c.after(30 * time.Second); live["a"] != 16 {
			t.Errorf("%v when both are well", live)
		}
	})
}

// A slow address of a name gets fewer connections. One that the name has no more is neither crowded nor kept.
func TestASlowAddressGetsFewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := abc()
		d := n.dialer()
		const slow = "10.0.0.2"
		ips := map[netip.Addr]int{}
		asked := ""
		dial := func(but netip.Addr) netip.Addr {
			t.Helper()
			c, host, err := d.dial(context.Background(), "tcp", "s3:443", but)
			if err != nil || host != "s3" {
				t.Fatal(host, err)
			}
			c.Close()
			asked = n.said()
			ip := netip.MustParseAddr("10.0.0." + asked[len(asked)-1:])
			d.balance(host).acquire(ip)
			ips[ip]++
			return ip
		}
		for range 30 {
			dial(netip.Addr{})
		}
		if got := fmt.Sprint(ips); got != "map[10.0.0.1:10 10.0.0.2:10 10.0.0.3:10]" {
			t.Errorf("%s", got)
		}
		for range 20 {
			time.Sleep(time.Second)
			for ip := range ips {
				took := 10 * time.Millisecond
				if ip.String() == slow {
					took *= 10
				}
				d.balance("s3").observe(ip, answersMin, answersMin*took)
			}
		}
		for d.overloaded("s3", netip.MustParseAddr(slow)) {
			d.balance("s3").release(netip.MustParseAddr(slow))
			ips[netip.MustParseAddr(slow)]--
			dial(netip.Addr{})
		}
		if got := fmt.Sprint(ips); got != "map[10.0.0.1:14 10.0.0.2:2 10.0.0.3:14]" && got != "map[10.0.0.1:14 10.0.0.2:1 10.0.0.3:15]" {
			t.Errorf("%s", got)
		}
		if ip := dial(netip.MustParseAddr("10.0.0.1")); ip.String() != "10.0.0.3" {
			t.Errorf("%s, which was the one to avoid", ip)
		}
		for _, ip := range []string{"10.0.0.2", "10.0.0.3"} {
			n.byIP[ip] = syscall.ECONNREFUSED
		}
		dial(netip.MustParseAddr("10.0.0.1")) // which finds that the others are to rest
		if dial(netip.MustParseAddr("10.0.0.1")); asked != "1" {
			t.Errorf("%s, to avoid the only one that does not rest", asked)
		}
		n.hosts["s3"] = []string{"10.0.0.4"}
		time.Sleep(lookupMaxAge)
		dial(netip.Addr{})
		if d.overloaded("s3", netip.MustParseAddr(slow)) {
			t.Error("an address that is known no more is crowded")
		}
	})
}

// An endpoint rests that alone refuses everything, and no other.
func TestRefusals(t *testing.T) {
	type step struct {
		pause            time.Duration
		refused, answers int // by the first endpoint
		others           int // answers of the second
	}
	for name, c := range map[string]struct {
		steps []step
		rests bool
	}{
		"alone":                 {[]step{{0, 15, 0, 50}, {time.Second, 1, 0, 0}}, true},
		"too few":               {[]step{{0, 14, 0, 50}, {time.Second, 1, 0, 0}}, false},
		"too soon":              {[]step{{0, 15, 0, 50}, {time.Second - 1, 1, 0, 0}}, false},
		"not in a row":          {[]step{{0, 15, 1, 50}, {time.Second, 15, 0, 50}}, false},
		"the others are silent": {[]step{{0, 15, 0, 15}, {time.Second, 1, 0, 0}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := Open(t.Context(), Config{Bucket: "b", Endpoints: []string{"http://h0", "http://h1"}, Isolated: true})
				if err != nil {
					t.Fatal(err)
				}
				var at [2]*Address
				for i := range at {
					at[i] = s.Address(s.Sender(i), nil)
				}
				revision := s.Generation()
				for _, step := range c.steps {
					time.Sleep(step.pause)
					for range step.refused {
						s.ObserveRefusal(at[0])
					}
					s.ObserveAnswers(at[1], step.others, time.Second)
					if step.answers > 0 {
						s.ObserveAnswers(at[0], step.answers, time.Second)
					}
				}
				if rests := !s.IsCurrent(s.senderAt(0)); rests != c.rests || (s.Generation() != revision) != c.rests {
					t.Errorf("it rests: %v", rests)
				}
				if seat := s.PickEndpoint(0, nil); (seat.endpoint.index == 1) != c.rests {
					t.Errorf("seated at %d", seat.endpoint.index)
				}
				time.Sleep(coolDownTime + 1)
				if !s.IsCurrent(s.senderAt(0)) {
					t.Error("it rests for ever")
				}
			})
		})
	}
}

// A session sits where fewest do, not at the one that it avoids, and anywhere if there is no other.
func TestSeats(t *testing.T) {
	s, err := configured(t, Config{Endpoints: []string{"http://h0", "http://h1", "http://h2"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var seats []int
	sit := func(turn int, but *Address) *Address {
		a := s.Address(s.PickEndpoint(turn, but), nil)
		s.Acquire(a)
		seats = append(seats, a.endpoint)
		return a
	}
	sit(1, nil)
	sit(0, nil)
	third := sit(0, nil)
	sit(1, nil)
	sit(1, nil)
	s.Release(third)
	sit(0, nil)
	sit(0, third)
	if got := fmt.Sprint(seats); got != "[1 0 2 1 2 0 0]" {
		t.Errorf("%s", got)
	}
	refused := &net.OpError{Op: "dial"}
	s.ObserveFailure(s.Sender(0), refused)
	s.ObserveFailure(s.Sender(1), refused)
	if a := sit(0, third); a.endpoint != 2 {
		t.Errorf("at %d, which rests", a.endpoint)
	}
}

// However many addresses a run meets, it remembers so many.
func TestAddressesAreBounded(t *testing.T) {
	s, err := configured(t, Config{Endpoints: []string{"http://h"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[*Address]bool{}
	for range 2 {
		for i := range 10 * maxAddresses {
			seen[s.Address(s.Sender(0), &net.TCPAddr{IP: net.IPv4(10, 0, byte(i>>8), byte(i)), Port: 80})] = true
		}
	}
	if len(seen) != maxAddresses+1 {
		t.Errorf("%d", len(seen))
	}
	for a := range seen {
		if a.URL != "http://h" || a.IP.IsValid() && (a.IP.Port() != 80 || !a.IP.Addr().Is4()) {
			t.Errorf("%+v", a.IP)
		}
	}
}
