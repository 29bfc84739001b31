package heads

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/scan/head/engine"
	"headcount/scan/store"
)

// serve serves a synthetic bucket until the test ends.
func serve(t *testing.T, o s3sim.Options) (*s3sim.Server, store.Config) {
	t.Helper()
	server, err := s3sim.New(o)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := errors.Join(server.Close(), <-served); err != nil {
			t.Error(err)
		}
	})
	return server, store.Config{Bucket: "demo", Endpoints: []string{"http://" + l.Addr().String()}, Isolated: true,
		AccessKey: "alice", SecretKey: "secret"}
}

// Every engine and loop sends signed HEADs for the sample, and no other request, and counts them.
func TestMeasure(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"direct":    func(*Config) {},
		"pipelined": func(c *Config) { c.Pipeline = 8 },
		"sdk":       func(c *Config) { c.Engine = engine.SDK },
		"open":      func(c *Config) { c.Rate, c.Workers = 500, []int{4} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, at := serve(t, s3sim.Options{Objects: 3000,
				Credentials: s3sim.Credentials{AccessKey: "alice", SecretKey: "secret"}})
			var ran []int
			cfg := Config{
				Store: at, KeysMax: 1500, Workers: []int{2, 3}, Duration: time.Second, Timeout: 10 * time.Second,
				Engine: engine.Auto,
				OnStep: func(s *Step) { ran = append(ran, s.Workers) }, OnProgress: func(Progress) {},
			}
			change(&cfg)
			r, err := Measure(t.Context(), cfg)
			if err != nil || !r.Complete || len(r.Steps) != len(cfg.Workers) || len(ran) != len(r.Steps) ||
				r.Keys != 1500 || r.Server != "s3sim" || r.Bucket != "demo" {
				t.Errorf("%v, %+v", err, r)
				return
			}
			heads := int64(0)
			for _, s := range r.Steps {
				if s.Heads == 0 || s.Errors != 0 || s.LimitedBy == "" || s.Connections < 1 ||
					s.Connections > s.Workers || s.BeganSeconds <= 0 {
					t.Errorf("%+v", s)
				}
				heads += s.Heads
			}
			counts := server.Counts()
			if counts.HeadStatus[200] < heads || counts.ListStatus[200] != 2 {
				t.Errorf("%d HEADs were measured, %+v", heads, counts)
			}
			if (r.Knee != nil) != (len(r.Steps) > 1) || (r.Loop == Open) != (name == "open") ||
				(r.Pipeline == 8) != (name == "pipelined") {
				t.Errorf("%+v", r)
			}
		})
	}
}

// A Step in which no HEAD succeeds is an error.
func TestNothingSucceeds(t *testing.T) {
	t.Parallel()
	cfg := Config{KeysMax: 10, Workers: []int{2, 3}, Duration: time.Second, Timeout: time.Second}
	_, cfg.Store = serve(t, s3sim.Options{Objects: 30, Denied: 1})
	r, err := Measure(t.Context(), cfg)
	var none *NoSuccessError
	if !errors.As(err, &none) || none.Statuses["403"] == 0 || !strings.Contains(none.Hint(), "s3:GetObject") ||
		r.Complete || len(r.Steps) != 1 {
		t.Errorf("%v, %+v", err, r)
	}
	_, cfg.Store = serve(t, s3sim.Options{})
	if _, err := Measure(t.Context(), cfg); err == nil || err.Error() != "no key to send HEADs for in s3://demo/" {
		t.Error(err)
	}
	cfg.Store.Endpoints = []string{"no URL"}
	if _, err := Measure(t.Context(), cfg); err == nil {
		t.Error("there is no store")
	}
}
