package store

import (
	"fmt"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"headcount/scan/store/balance"
)

// An endpoint that alone refuses every HEAD gets no sessions for balance.Cooldown. Its cooldown changes the generation.
func TestRefusingEndpointCoolsDown(t *testing.T) {
	for name, test := range map[string]struct {
		answers    int // of the other endpoint
		coolsDown  bool
		pickedSoon int // index of the endpoint of a new session
	}{
		"the other answers":         {50, true, 1},
		"the other refuses as well": {0, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := Config{Bucket: "b", Endpoints: []string{"http://h0", "http://h1"}, Isolated: true}
				s, err := Open(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				first, second := s.Endpoint(0), s.Endpoint(1)
				before := s.Generation()
				refusing, other := s.Address(first, nil), s.Address(second, nil)
				for range 20 {
					s.ObserveRefusal(refusing)
					time.Sleep(100 * time.Millisecond)
					s.ObserveAnswers(other, test.answers, time.Second)
				}
				coolsDown, isNew := !s.IsCurrent(first), s.Generation() != before
				if coolsDown != test.coolsDown || isNew != test.coolsDown {
					t.Errorf("in cooldown: %v, another generation: %v", coolsDown, isNew)
				}
				if picked := s.PickEndpoint(0, nil); picked.index != test.pickedSoon {
					t.Errorf("endpoint %d got the session", picked.index)
				}
				time.Sleep(balance.Cooldown + 1)
				if !s.IsCurrent(first) {
					t.Error("the cooldown does not end")
				}
			})
		})
	}
}

// A session gets the endpoint with the fewest sessions, and not the one to avoid, unless there is no other.
func TestPickEndpoint(t *testing.T) {
	s, err := configured(t, Config{Endpoints: []string{"http://h0", "http://h1", "http://h2"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var picked []int
	session := func(turn int, avoid *Address) *Address {
		a := s.Address(s.PickEndpoint(turn, avoid), nil)
		s.Acquire(a)
		picked = append(picked, a.endpoint)
		return a
	}
	session(1, nil)
	session(0, nil)
	third := session(0, nil)
	session(1, nil)
	session(1, nil)
	s.Release(third)
	session(0, nil)
	session(0, third)
	if got := fmt.Sprint(picked); got != "[1 0 2 1 2 0 0]" {
		t.Errorf("picked %s", got)
	}
	before := s.Generation()
	s.ObserveFailure(s.Endpoint(0), &net.OpError{Op: "dial", Err: syscall.EMFILE})
	if s.Generation() != before {
		t.Error("a limit of this machine began a cooldown")
	}
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	s.ObserveFailure(s.Endpoint(0), refused)
	s.ObserveFailure(s.Endpoint(1), refused)
	if a := session(0, third); a.endpoint != 2 {
		t.Errorf("picked %d, which is in cooldown", a.endpoint)
	}
}

func TestAddressesAreBounded(t *testing.T) {
	s, err := configured(t, Config{Endpoints: []string{"http://h"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[*Address]bool{}
	for range 2 {
		for i := range 10 * maxAddresses {
			remote := &net.TCPAddr{IP: net.IPv4(10, 0, byte(i>>8), byte(i)), Port: 80}
			seen[s.Address(s.Endpoint(0), remote)] = true
		}
	}
	if len(seen) != maxAddresses+1 {
		t.Errorf("%d Addresses", len(seen))
	}
	for a := range seen {
		if a.URL != "http://h" || a.IP.IsValid() && (a.IP.Port() != 80 || !a.IP.Addr().Is4()) {
			t.Errorf("%s at %+v", a.URL, a.IP)
		}
	}
}
