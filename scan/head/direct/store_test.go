package direct_test

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan/head"
	"headcount/scan/head/direct"
	"headcount/scan/head/headtest"
	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

func withToken(token string) s3sim.Credentials {
	return s3sim.Credentials{AccessKey: "AK", SecretKey: "secret", SessionToken: token}
}

// A store with its own verification accepts the engine's signatures, for all keys that clients get wrong, and the
// engine returns the metadata that the store sent.
func TestSignaturesOfNastyKeys(t *testing.T) {
	for name, c := range map[string]struct {
		credentials s3sim.Credentials
		cfg         store.Config
	}{
		"plain":              {s3sim.Credentials{AccessKey: "AK/1", SecretKey: "secret/with+signs="}, store.Config{}},
		"a session token":    {withToken("token/+=="), store.Config{}},
		"the requester pays": {withToken("token"), store.Config{RequestPayer: true}},
		"anonymous":          {s3sim.Credentials{}, store.Config{Anonymous: true}},
	} {
		for _, pipeline := range []int{1, 8} {
			t.Run(fmt.Sprint(name, " ", pipeline), func(t *testing.T) {
				server, url := simtest.Start(t, s3sim.Options{
					Objects: 500, Shape: s3sim.Nasty, Credentials: c.credentials, Region: "eu-west-1",
				})
				cfg := c.cfg
				cfg.Bucket, cfg.Endpoints, cfg.Region = "demo", []string{url}, "eu-west-1"
				opened := headtest.OpenStore(t, cfg,
					"AWS_ACCESS_KEY_ID", c.credentials.AccessKey, "AWS_SECRET_ACCESS_KEY", c.credentials.SecretKey,
					"AWS_SESSION_TOKEN", c.credentials.SessionToken)
				session := headtest.OpenSessionOn(t, opened, direct.New, head.Config{Pipeline: pipeline, Timeout: 10 * time.Second})
				var batch []list.Entry
				for i := range server.Keyspace().Len() {
					key := server.Keyspace().Key(i)
					o := server.Object(key)
					batch = append(batch, list.Entry{Key: string(key), ETag: strings.Trim(o.ETag(), `"`), Size: o.Size()})
				}
				for i, r := range headtest.Head(t, session, batch) {
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

// A session uses the Store's new region and clock for the next request. For another region it opens a new connection:
// the old one may lead to a front end of the old region.
func TestSessionFollowsItsStore(t *testing.T) {
	var (
		mu   sync.Mutex
		seen []http.Header
	)
	s := headtest.NewRawStore(t, func(c *headtest.Conn) {
		for r := c.ReadRequest(); r != nil; r = c.ReadRequest() {
			mu.Lock()
			seen = append(seen, r.Header)
			mu.Unlock()
			if !c.Send(headtest.Answer(r.RequestURI)) {
				return
			}
		}
	})
	opened := headtest.OpenStore(t, store.Config{Bucket: "b", Endpoints: []string{s.URL}, Region: "eu-1"},
		"AWS_ACCESS_KEY_ID", "AK", "AWS_SECRET_ACCESS_KEY", "secret")
	session := headtest.OpenSessionOn(t, opened, direct.New, head.Config{})
	// send sends a HEAD. It returns the region of its signature, the region of its Result, and the lead of its date.
	send := func(key string) (scope, region string, ahead time.Duration) {
		t.Helper()
		r := headtest.Head(t, session, headtest.Entries(key))[0]
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
		scope, region, ahead := send(key)
		if scope != wantRegion || region != wantRegion || ahead != wantAhead || s.Connections() != connections {
			t.Errorf("%s: signed for %s (%s), %v ahead, connection %d", key, scope, region, ahead, s.Connections())
		}
	}
	check("a", "eu-1", 0, 1)
	check("b", "eu-1", 0, 1)
	opened.SwitchRegion("eu-1", "eu-2")
	check("c", "eu-2", 0, 2)
	opened.ObserveClockRefusal(&http.Response{
		Header: http.Header{"Date": {time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}},
	})
	check("d", "eu-2", time.Hour, 2)
	check("e", "eu-2", time.Hour, 2)
	time.Sleep(time.Second) // a template is valid for a second
	check("f", "eu-2", time.Hour, 2)
	mu.Lock()
	defer mu.Unlock()
	if n := len(seen); seen[n-1].Get("X-Amz-Date") == seen[n-2].Get("X-Amz-Date") {
		t.Errorf("a request a second later has the same date")
	}
}

// Sessions start at different endpoints, with TLS too. An endpoint that is down costs one failure and is then
// avoided.
func TestEndpointsShareTheLoad(t *testing.T) {
	pair, bundle := headtest.Certificate(t, "127.0.0.1")
	var (
		raws []*headtest.RawStore
		urls []string
	)
	for range 3 {
		s, url := headtest.Secure(t, pair, (*headtest.Conn).Serve)
		raws, urls = append(raws, s), append(urls, url)
	}
	loads := func(engine head.Engine, sessions int) (failed int) {
		t.Helper()
		for range sessions {
			session := engine.Session()
			defer session.Close()
			for _, r := range headtest.Head(t, session, headtest.Entries(headtest.Keys(5)...)) {
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
	newEngine := func() head.Engine {
		opened := headtest.OpenStore(t, cfg)
		return direct.New(head.Config{Store: opened, Limiter: new(pace.Limiter), Timeout: headtest.Timeout})
	}
	engine := newEngine()
	if failed := loads(engine, 6); failed != 0 || !slices.Equal(connections(), []int{2, 2, 2}) {
		t.Errorf("%d failed, connections %v", failed, connections())
	}

	l, err := net.Listen("tcp", "127.0.0.1:0") // closed below: an address without a listener
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	cfg.Endpoints = slices.Insert(urls, 1, "https://"+l.Addr().String())
	engine = newEngine()
	// The second of eight sessions starts at the endpoint that is down. All share the others.
	if failed := loads(engine, 8); failed != 1 || !slices.Equal(connections(), []int{4, 5, 5}) {
		t.Errorf("%d failed, connections %v", failed, connections())
	}
}
