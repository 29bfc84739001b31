package fault

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// probes is a probe that answers with these errors, and then with the last of them.
type probes struct {
	errs []error
	sent int
}

func (p *probes) probe(context.Context) error {
	err := p.errs[min(p.sent, len(p.errs)-1)]
	p.sent++
	return err
}

func TestCanary(t *testing.T) {
	var (
		denied  = &describedError{answer(403, "AccessDenied")}
		busy    = &describedError{answer(503, "SlowDown")}
		skewed  = &describedError{answer(403, "RequestTimeTooSkewed")}
		expired = &describedError{answer(400, "ExpiredToken")}
		reset   = &describedError{unanswered(Reset)}
		keys    = &describedError{unanswered(Credentials)}
		unknown = &describedError{answer(403, "InvalidAccessKeyId")}
		bare    = &describedError{answer(400, "")}
		config  = &describedError{unanswered(Configuration)}
	)
	for _, c := range []struct {
		name             string
		answers          []error
		cannotRenew      bool
		err              error // errBusy: an UnavailableError
		sent, renewed    int
		isFailing, warns bool // while it was waited for
		answered         bool // before
	}{
		{"answered", []error{nil}, false, nil, 1, 0, false, false, false},
		{"an outage that ends", []error{busy, reset, busy, nil}, false, nil, 4, 0, true, true, false},
		{"an outage that stays", []error{busy}, false, errBusy, 0, 0, true, true, false},
		{"no credentials for a while", []error{keys, keys, nil}, false, nil, 3, 0, true, true, true},
		{"no credentials", []error{keys}, false, errBusy, 0, 0, true, true, true},
		{"other keys", []error{unknown, nil}, false, nil, 2, 1, true, false, true},
		{"other keys, refused too", []error{unknown}, false, unknown, 2, 1, true, false, true},
		{"no other keys", []error{unknown}, true, unknown, 1, 1, false, false, true},
		{"a HEAD refused without a reason", []error{bare, nil}, false, nil, 2, 1, true, false, true},
		{"denied", []error{denied}, false, denied, 1, 0, false, false, false},
		{"denied after an outage", []error{busy, denied}, false, denied, 2, 0, true, true, false},
		{"a wrong clock", []error{skewed, nil}, false, nil, 2, 0, false, false, false},
		{"a wrong clock after an outage", []error{busy, skewed, nil}, false, nil, 3, 0, true, true, false},
		{"a clock that stays wrong", []error{skewed}, false, skewed, 3, 0, true, false, false},
		{"a clock that an older answer made wrong again", []error{skewed, skewed, nil}, false, nil, 3, 0, true, false, false},
		{"expired credentials", []error{expired, expired, nil}, false, nil, 3, 2, true, false, false},
		{"expired credentials that stay", []error{expired}, true, expired, 1, 1, false, false, false},
		{"no answer to a store that answered before", []error{reset}, false, errBusy, 0, 0, true, true, false},
		{"a wrong configuration", []error{config}, false, config, 1, 0, false, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				renewed := 0
				renew := func(context.Context) bool { renewed++; return !c.cannotRenew }
				p, h := &probes{errs: c.answers}, NewHealth("HEAD")
				if c.answered {
					h.OK(time.Now())
					time.Sleep(time.Second)
				}
				began := time.Now()
				canary := NewCanary(p.probe, renew, time.Minute, slog.New(slog.NewTextHandler(&log, nil)))
				err := canary.Check(t.Context(), h, errBusy)
				var unavailable *UnavailableError
				switch {
				case c.err == errBusy:
					took := time.Since(began)
					if !errors.As(err, &unavailable) || unavailable.Last != errBusy {
						t.Errorf("%v", err)
					}
					if took <= time.Minute || took > time.Minute+2*backoffMax {
						t.Errorf("it took %v", took)
					}
				case err != c.err || p.sent != c.sent:
					t.Errorf("%v after %d probes, want %v after %d", err, p.sent, c.err, c.sent)
				}
				if renewed != c.renewed {
					t.Errorf("renewed %d times", renewed)
				}
				time.Sleep(time.Second)
				if isFailing := h.FailingFor() > 0; isFailing != c.isFailing {
					t.Errorf("failing: %v", isFailing)
				}
				if n := strings.Count(log.String(), "level=WARN"); n > 1 || (n == 1) != c.warns {
					t.Errorf("%d warnings: %s", n, &log)
				}
			})
		})
	}
}

// One probe serves all callers that wait when it is sent, and none that comes later.
func TestCanaryServesAllThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent atomic.Int64
		c := NewCanary(func(context.Context) error {
			sent.Add(1)
			time.Sleep(time.Second)
			return nil
		}, nil, time.Minute, slog.New(slog.DiscardHandler))
		h, results := NewHealth("PUT"), make(chan error, 100)
		check := func() { results <- c.Check(t.Context(), h, errBusy) }
		go check()
		time.Sleep(time.Millisecond) // the first probe is in flight
		for range 99 {
			go check()
		}
		for range 100 {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		if n := sent.Load(); n != 2 {
			t.Errorf("%d probes for callers before and during the first", n)
		}
		check()
		if n := sent.Load(); n != 3 {
			t.Errorf("%d probes", n)
		}
	})
}

// The end of ctx is the reason, and not the error that the probe makes of it.
func TestCanaryIsStoppedByItsProbe(t *testing.T) {
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	c := NewCanary(func(context.Context) error {
		cancel(cause)
		return &describedError{answer(403, "AccessDenied")}
	}, nil, time.Hour, slog.New(slog.DiscardHandler))
	if err := c.Check(ctx, NewHealth("HEAD"), errBusy); err != cause {
		t.Errorf("%v", err)
	}
}

func TestCanaryIsStopped(t *testing.T) {
	cause := errors.New("interrupted")
	for name, probe := range map[string]func(context.Context) error{
		"in a probe":     func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"between probes": func(context.Context) error { return &describedError{answer(503, "")} },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				c := NewCanary(probe, nil, time.Hour, slog.New(slog.DiscardHandler))
				results := make(chan error, 2)
				for range 2 { // the second one waits for its turn
					go func() { results <- c.Check(ctx, NewHealth("HEAD"), errBusy) }()
				}
				time.Sleep(time.Minute)
				cancel(cause)
				for range 2 {
					if err := <-results; err != cause {
						t.Errorf("%v", err)
					}
				}
			})
		})
	}
}

// At the first contact of a run, a store that cannot be reached ends the run soon.
func TestCanaryOfFirstContact(t *testing.T) {
	for _, c := range []struct {
		class Class
		sent  int
	}{{Credentials, 1}, {DNS, 1}, {TLS, 1}, {ConnRefused, 6}, {Timeout, 6}} {
		for _, answered := range []string{"", "a request", "a probe"} {
			synctest.Test(t, func(t *testing.T) {
				p, h := &probes{errs: []error{&describedError{unanswered(c.class)}}}, NewHealth("HEAD")
				canary := NewCanary(p.probe, nil, time.Minute, slog.New(slog.DiscardHandler)).FirstContact()
				switch answered {
				case "a request":
					h.OK(time.Now())
					time.Sleep(time.Second)
				case "a probe":
					p.errs = append([]error{nil}, p.errs...)
					if err := canary.Check(t.Context(), h, errBusy); err != nil {
						t.Fatal(err)
					}
					p.errs, p.sent = p.errs[1:], 0
				}
				err := canary.Check(t.Context(), h, errBusy)
				var unavailable *UnavailableError
				if waits := errors.As(err, &unavailable); waits != (answered != "") || !waits && p.sent != c.sent {
					t.Errorf("%s, answered before %q: %v after %d probes", c.class, answered, err, p.sent)
				}
			})
		}
	}
}

// Refusals that come one after the other cost ten probes a second.
func TestCanaryProbesSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, h := &probes{errs: []error{nil}}, NewHealth("HEAD")
		canary := NewCanary(p.probe, nil, time.Minute, slog.New(slog.DiscardHandler))
		for began := time.Now(); time.Since(began) < time.Second; {
			if err := canary.Check(t.Context(), h, errBusy); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Millisecond)
		}
		if p.sent > 11 {
			t.Errorf("%d probes in a second", p.sent)
		}
	})
}
