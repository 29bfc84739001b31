package seed

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"headcount/scan/fault"
)

// A body where S3 sends none is no success, whatever the status says. A blank one is.
func TestSeedBelievesNoPage(t *testing.T) {
	for name, c := range map[string]struct {
		body  string
		class fault.Class // empty: the object counts as put
	}{
		"no body":       {"", ""},
		"blank":         {"\r\n", ""},
		"code":          {"<Error><Code>Whatever</Code><Message>so it is</Message></Error>", "Whatever"},
		"code in words": {"<Error><Code>no such luck</Code><Message>so it is</Message></Error>", fault.WrongDocument},
		"no code":       {"<Error><Message>so it is</Message></Error>", fault.WrongDocument},
		"empty":         {"<Error/>", fault.WrongDocument},
		"namespace":     {`<Error xmlns="http://s3.amazonaws.com/doc/"><Code>Whatever</Code></Error>`, "Whatever"},
		"cut":           {"<Error><Code>Whatever</Code><Mess", "Whatever"},
		"page":          {"<!doctype html><html><title>Sign in</title></html>", fault.WrongDocument},
		"text":          {"maintenance", fault.WrongDocument},
		"JSON":          {"{\"error\": \"busy\"}", fault.WrongDocument},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			o := Objects{Count: 3}
			answered := "/seeded/" + keysOf(t, o)[1]
			f.faults(func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if r.Method != http.MethodPut || r.URL.Path != answered {
					return false
				}
				_, _ = io.WriteString(w, c.body)
				return true
			})
			cfg := f.config(t)
			objectErrors := failed(&cfg)
			s, err := New(cfg, o)
			if err != nil {
				t.Fatal(err)
			}
			s.setDelay(time.Millisecond)
			stats, err := s.Run(t.Context())
			if c.class == "" {
				if err != nil || stats.Put != 3 || stats.Failed != 0 {
					t.Errorf("%+v, %v; want 3 put", stats, err)
				}
				return
			}
			if err != nil || stats.Put != 2 || stats.Failed != 1 || len(*objectErrors) != 1 {
				t.Fatalf("%+v, %v; want one failed", stats, err)
			}
			// Failures before the first PUT that succeeds do not count: that depends on the machine.
			if e := (*objectErrors)[0]; e.Class != c.class || e.Attempts > 3*fault.MaxAttemptsDefault {
				t.Errorf("%v, %s after %d; want %s", e, e.Class, e.Attempts, c.class)
			}
		})
	}
}

// If a proxy answers every PUT with its page, the run ends early, and the hint names the endpoint.
func TestSeedEndsBehindALoginPage(t *testing.T) {
	f := newFake(t)
	f.faults(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Method == http.MethodPut {
			fmt.Fprint(w, "<html><title>Sign in</title></html>")
		}
		return r.Method == http.MethodPut
	})
	s, err := New(f.config(t), Objects{Count: 1000})
	if err != nil {
		t.Fatal(err)
	}
	s.setDelay(time.Millisecond)
	stats, err := s.Run(t.Context())
	var page *pageError
	if !errors.As(err, &page) || page.text != "Sign in" || page.Hint() == "" || stats.Complete || stats.Put != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	if n := f.sent("PUT"); n > 2*refusedAtStart {
		t.Errorf("%d PUTs", n)
	}
}

// The same holds for DELETEs: a page removes nothing.
func TestCleanEndsBehindALoginPage(t *testing.T) {
	f := newFake(t)
	o := Objects{Count: 100}
	f.seeds(t, o)
	f.faults(func(w http.ResponseWriter, r *http.Request, _ int) bool {
		if r.Method == http.MethodDelete {
			fmt.Fprint(w, "<html><title>Sign in</title></html>")
		}
		return r.Method == http.MethodDelete
	})
	c, err := NewClean(f.config(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	c.setDelay(time.Millisecond)
	stats, err := c.Run(t.Context())
	if page := (*pageError)(nil); !errors.As(err, &page) || stats.Complete || stats.Removed != 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	if n := f.sent("DELETE"); n > 2*refusedAtStart {
		t.Errorf("%d DELETEs", n)
	}
}
