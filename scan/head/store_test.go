package head_test

import (
	"cmp"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan/head"
	"headcount/scan/head/headtest"
	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// A store that verifies signatures by its own code accepts those of the direct engine, for every key that some client gets
// wrong, and what it answers arrives as it was sent.
func TestNastyKeysAreSignedForAStore(t *testing.T) {
	for name, c := range map[string]struct {
		credentials s3sim.Credentials
		cfg         store.Config
	}{
		"plain":              {s3sim.Credentials{AccessKey: "AK/1", SecretKey: "secret/with+signs="}, store.Config{}},
		"a session token":    {s3sim.Credentials{AccessKey: "AK", SecretKey: "secret", SessionToken: "token/+=="}, store.Config{}},
		"the requester pays": {s3sim.Credentials{AccessKey: "AK", SecretKey: "secret", SessionToken: "token"}, store.Config{RequestPayer: true}},
		"anonymous":          {s3sim.Credentials{}, store.Config{Anonymous: true}},
	} {
		for _, pipeline := range []int{1, 8} {
			t.Run(fmt.Sprint(name, " ", pipeline), func(t *testing.T) {
				server, url := simtest.Start(t, s3sim.Options{Objects: 500, Shape: s3sim.Nasty, Credentials: c.credentials, Region: "eu-west-1"})
				cfg := c.cfg
				cfg.Bucket, cfg.Endpoints, cfg.Region = "demo", []string{url}, "eu-west-1"
				opened := open(t, cfg,
					"AWS_ACCESS_KEY_ID", c.credentials.AccessKey, "AWS_SECRET_ACCESS_KEY", c.credentials.SecretKey,
					"AWS_SESSION_TOKEN", c.credentials.SessionToken)
				session := headtest.SessionOf(t, opened, head.DirectName, head.Config{Pipeline: pipeline, Timeout: 10 * time.Second})
				var batch []list.Entry
				for i := range server.Keyspace().Len() {
					key := server.Keyspace().Key(i)
					o := server.Object(key)
					batch = append(batch, list.Entry{Key: string(key), ETag: strings.Trim(o.ETag(), `"`), Size: o.Size()})
				}
				for i, r := range headtest.Ask(t, session, batch) {
					got := map[string]string{}
					for _, f := range r.Metadata {
						got[string(f.Name)] = string(f.Value)
					}
					want := server.Object([]byte(batch[i].Key)).Metadata()
					if r.Status != http.StatusOK || r.Mismatch || fmt.Sprint(got) != fmt.Sprint(want) {
						t.Errorf("key %q: status %d, error %v, metadata %v, want %v", batch[i].Key, r.Status, r.Err, got, want)
					}
				}
			})
		}
	}
}

// What requests are made of changes while a session is at work, and the next one is made of that. For another region it
// goes over a new connection: the old one may lead to a front end of the old region.
func TestSessionFollowsItsStore(t *testing.T) {
	var (
		mu   sync.Mutex
		seen []http.Header
	)
	s := headtest.NewRaw(t, func(c *headtest.Conn) {
		for r := c.Ask(); r != nil; r = c.Ask() {
			mu.Lock()
			seen = append(seen, r.Header)
			mu.Unlock()
			if !c.Say(headtest.Answer(r.RequestURI)) {
				return
			}
		}
	})
	opened := open(t, store.Config{Bucket: "b", Endpoints: []string{s.URL}, Region: "eu-1"},
		"AWS_ACCESS_KEY_ID", "AK", "AWS_SECRET_ACCESS_KEY", "secret")
	session := headtest.SessionOf(t, opened, head.DirectName, head.Config{})
	// last is what the latest request was signed for, and how far its clock was ahead.
	last := func(key string) (scope, sentTo string, ahead time.Duration) {
		t.Helper()
		r := headtest.Ask(t, session, headtest.Entries(key))[0]
		if !headtest.IsAnswer(&r, key) {
			t.Fatalf("%s: status %d, error %v", key, r.Status, r.Err)
		}
		mu.Lock()
		defer mu.Unlock()
		header := seen[len(seen)-1]
		at, err := time.Parse("20060102T150405Z", header.Get("X-Amz-Date"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(header.Get("Authorization"), "/")[2], r.Region, time.Until(at).Round(time.Minute)
	}
	check := func(key, wantRegion string, wantAhead time.Duration, connections int) {
		t.Helper()
		if scope, sentTo, ahead := last(key); scope != wantRegion || sentTo != wantRegion || ahead != wantAhead || s.Connections() != connections {
			t.Errorf("%s: signed for %s (%s), %v ahead, connection %d", key, scope, sentTo, ahead, s.Connections())
		}
	}
	check("a", "eu-1", 0, 1)
	check("b", "eu-1", 0, 1)
	opened.SwitchRegion("eu-1", "eu-2")
	check("c", "eu-2", 0, 2)
	opened.ObserveDate(http.Header{"Date": {time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}})
	check("d", "eu-2", time.Hour, 2)
	check("e", "eu-2", time.Hour, 2)
	time.Sleep(time.Second) // the form is made anew for each
	check("f", "eu-2", time.Hour, 2)
	mu.Lock()
	defer mu.Unlock()
	if n := len(seen); seen[n-1].Get("X-Amz-Date") == seen[n-2].Get("X-Amz-Date") {
		t.Errorf("signed a second later for the same time")
	}
}

// Sessions begin with different endpoints. One that is down costs one failure and is left alone, also behind TLS.
func TestEndpointsShareTheLoad(t *testing.T) {
	pair, bundle := certificate(t, "127.0.0.1")
	var (
		raws []*headtest.Raw
		urls []string
	)
	for range 3 {
		s, url := secure(t, pair, (*headtest.Conn).Serve)
		raws, urls = append(raws, s), append(urls, url)
	}
	loads := func(engine head.Engine, sessions int) (failed int) {
		t.Helper()
		for range sessions {
			session := engine.Session()
			defer session.Close()
			for _, r := range headtest.Ask(t, session, headtest.Entries(headtest.Keys(5)...)) {
				if r.Err != nil {
					failed++
				}
			}
		}
		return failed
	}
	connections := func() (counts []int) {
		for _, s := range raws {
			counts = append(counts, s.Connections())
		}
		return counts
	}
	cfg := store.Config{Bucket: "b", Endpoints: urls, Anonymous: true, Region: "r", CABundle: bundle}
	engine, _, err := head.Open(head.AutoName, head.Config{Store: open(t, cfg), Limiter: new(pace.Limiter), Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if failed := loads(engine, 6); failed != 0 || !slices.Equal(connections(), []int{2, 2, 2}) {
		t.Errorf("%d failed, connections %v", failed, connections())
	}

	l, err := net.Listen("tcp", "127.0.0.1:0") // where nobody listens any more
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	cfg.Endpoints = slices.Insert(urls, 1, "https://"+l.Addr().String())
	engine, _, err = head.Open(head.AutoName, head.Config{Store: open(t, cfg), Limiter: new(pace.Limiter), Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	// Of eight sessions the second begins at the endpoint that is down, and finds out; all share the others.
	if failed := loads(engine, 8); failed != 1 || !slices.Equal(connections(), []int{4, 5, 5}) {
		t.Errorf("%d failed, connections %v", failed, connections())
	}
}

// A session stays at its endpoint, and goes to another from one that it is to avoid, that fails, or that refuses more than an object
// or two. Where there is only one it stays there.
func TestSessionsGoElsewhere(t *testing.T) {
	for _, name := range []string{head.DirectName, head.SDKName} {
		t.Run(name, func(t *testing.T) {
			var answer atomic.Value // of the first endpoint, in place of a right one
			answer.Store("")
			first := headtest.NewRaw(t, func(c *headtest.Conn) {
				for r := c.Ask(); r != nil; r = c.Ask() {
					text := answer.Load().(string)
					if text == "reset" || !c.Say(cmp.Or(text, headtest.Answer(r.RequestURI))) {
						c.Reset()
						return
					}
				}
			})
			second := headtest.NewRaw(t, (*headtest.Conn).Serve)
			session := headtest.Session(t, name, head.Config{}, first.URL, second.URL)
			at := map[string]string{first.URL: "1", second.URL: "2"}
			var (
				last    *store.Address // of the answer before
				avoid   *store.Address // of the next batch
				newConn bool           // likewise
			)
			step := func(what string, n int, want string) {
				t.Helper()
				got := ""
				batch := head.NewBatch(headtest.Entries(headtest.Keys(n)...))
				batch.Avoid, batch.NewConn = avoid, newConn
				avoid, newConn = nil, false
				for _, r := range headtest.AskBatch(t, session, batch) {
					got += at[r.Address.URL]
					if last = r.Address; r.Err == nil && "http://"+r.Address.IP.String() != r.Address.URL {
						t.Errorf("%s: %s is at %v", what, r.Address.URL, r.Address.IP)
					}
				}
				if got != want {
					t.Errorf("%s: at %s, want %s", what, got, want)
				}
			}
			step("it stays", 5, "11111")
			avoid = last
			step("from the first", 3, "222")
			avoid = last
			step("from the second", 1, "1")
			answer.Store("HTTP/1.1 403 F\r\n\r\n")
			step("refusals", 5, "11122")
			avoid = last
			answer.Store("")
			step("back", 1, "1")
			answer.Store("HTTP/1.1 503 S\r\n\r\n")
			step("trouble", 3, "122")
			avoid = last
			answer.Store("")
			newConn = true // else the reset is one of a connection that was idle
			step("back", 1, "1")
			avoid = last
			step("away", 1, "2")
			answer.Store("reset")
			avoid = last
			step("failures", 3, "122")

			s := headtest.NewRaw(t, (*headtest.Conn).Serve)
			session = headtest.Session(t, name, head.Config{}, s.URL)
			at[s.URL] = "s"
			step("alone", 2, "ss")
			avoid = last
			step("still", 2, "ss")
			if n := s.Connections(); n != 1 {
				t.Errorf("%d connections to the only endpoint", n)
			}
		})
	}
}
