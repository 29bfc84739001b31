package store

import (
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
)

func TestSwitchRegionOnce(t *testing.T) {
	s, err := configured(t, Config{Region: "a"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		sentTo, named string
		again         bool
		region        string
	}{
		{"a", "", false, "a"},
		{"a", "a", false, "a"},
		{"a", "b", true, "b"}, // switched
		{"a", "b", true, "b"}, // sent before the switch
		{"b", "b", false, "b"},
		{"b", "c", false, "b"}, // not a second time
		{"a", "c", false, "b"},
	} {
		if again := s.SwitchRegion(step.sentTo, step.named); again != step.again || s.Region() != step.region {
			t.Errorf("step %d: again %v, region %q", i, again, s.Region())
		}
	}
}

// An endpoint that cannot be reached loses its turns during its cooldown, unless all endpoints are in cooldown.
func TestEndpointsTakeTurns(t *testing.T) {
	s, err := configured(t, Config{Endpoints: []string{"http://h0/", "http://h1", "http://h2"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	turns := func() (got string) {
		for n := range 4 {
			got += strings.TrimPrefix(*s.Endpoint(n).Client.Options().BaseEndpoint, "http://") + " "
		}
		return got
	}
	refused := fmt.Errorf("x: %w", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
	if got := turns(); got != "h0 h1 h2 h0 " {
		t.Errorf("turns %s", got)
	}
	s.ObserveFailure(s.Endpoint(0), &net.OpError{Op: "read", Err: syscall.ECONNRESET}) // it was reached
	s.ObserveFailure(s.Endpoint(1), refused)
	if got := turns(); got != "h0 h2 h2 h0 " {
		t.Errorf("turns while h1 is in cooldown: %s", got)
	}
	s.ObserveFailure(s.Endpoint(0), refused)
	s.ObserveFailure(s.Endpoint(2), refused)
	if got := turns(); got != "h0 h1 h2 h0 " {
		t.Errorf("turns while all are in cooldown: %s", got)
	}
}

// Only what can be a part of a host's name is a region.
func TestRegionNames(t *testing.T) {
	s, err := configured(t, Config{Region: "a"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"us-east-1": true, "RegionOne": true, "default": true, "my_zone": true, "9": true, strings.Repeat("r", 63): true,
		"": false, "a": false, "-": false, "eu west": false, "x.example": false, "x/": false, "x:1": false, "x@h": false,
		"é": false, "a\r\nb": false, "a\x00": false, strings.Repeat("r", 64): false,
	} {
		e, ok := s.endpointIn(name, 3)
		if ok != want || ok && e.Region != name || s.Region() != "a" {
			t.Errorf("%q: got %v, want %v", name, ok, want)
		}
	}
	if !s.SwitchRegion("a", "b") {
		t.Error("not switched")
	}
	if _, ok := s.endpointIn("c", 0); ok {
		t.Error("a Store that has switched offers another region")
	}
}
