package direct_test

import (
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
	"testing"

	"headcount/scan/head"
	"headcount/scan/head/direct"
	"headcount/scan/head/headtest"
	"headcount/scan/store"
)

// TLS to a store without TLS is a failure of one object, and so is HTTP to a store with TLS.
func TestWrongScheme(t *testing.T) {
	pair, _ := headtest.Certificate(t, "127.0.0.1")
	_, secured := headtest.Secure(t, pair, (*headtest.Conn).Serve)
	plain := headtest.NewRawStore(t, (*headtest.Conn).Serve)
	for url, class := range map[string]string{
		"http" + strings.TrimPrefix(secured, "https"):   "malformed|closed", // the store may send an alert first
		"https" + strings.TrimPrefix(plain.URL, "http"): "tls|closed",
	} {
		session := headtest.OpenSession(t, direct.New, head.Config{}, url)
		r := headtest.Head(t, session, headtest.Entries("a"))[0]
		if got := headtest.Class(&r); !strings.Contains(class, string(got)) {
			t.Errorf("%s: status %d, error %v (%s)", url, r.Status, r.Err, got)
		}
	}
}

// A full handshake costs a store ten times as much as a HEAD. So later connections resume the TLS session, also those
// of another head.Session.
func TestTLSResumption(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			pair, bundle := headtest.Certificate(t, "127.0.0.1")
			var (
				mu      sync.Mutex
				resumed []bool
			)
			s := headtest.NewRawStore(t, headtest.OverTLS(
				&tls.Config{Certificates: []tls.Certificate{pair}, MaxVersion: version},
				func(c *headtest.Conn) {
					secured := c.Conn.(*tls.Conn)
					if secured.Handshake() != nil {
						return
					}
					mu.Lock()
					resumed = append(resumed, secured.ConnectionState().DidResume)
					mu.Unlock()
					c.Serve()
				}))
			opened := headtest.OpenStore(t, store.Config{
				Bucket: "b", Endpoints: []string{"https" + strings.TrimPrefix(s.URL, "http")}, Anonymous: true, Region: "r",
				CABundle: bundle,
			})
			session := headtest.OpenSessionOn(t, opened, direct.New, head.Config{})
			headtest.Expect(t, session, "a")
			batch := head.NewBatch(headtest.Entries("b"))
			batch.NewConn = true
			if r := headtest.HeadBatch(t, session, batch)[0]; !headtest.IsAnswer(&r, "b") {
				t.Errorf("b: status %d, error %v", r.Status, r.Err)
			}
			headtest.Expect(t, headtest.OpenSessionOn(t, opened, direct.New, head.Config{}), "c")
			mu.Lock()
			defer mu.Unlock()
			if got := fmt.Sprint(resumed); got != "[false true true]" {
				t.Errorf("resumed: %s", got)
			}
		})
	}
}

// A kept connection that the store has closed causes no failure with TLS either.
func TestClosedWhileIdleWithTLS(t *testing.T) {
	for name, end := range map[string]func(*headtest.Conn){
		"with an alert": func(c *headtest.Conn) { c.Conn.Close() },
		"without":       func(c *headtest.Conn) { c.Conn.(*tls.Conn).NetConn().Close() },
		"reset":         (*headtest.Conn).Reset,
	} {
		t.Run(name, func(t *testing.T) {
			pair, _ := headtest.Certificate(t, "127.0.0.1")
			closed := make(chan struct{})
			s, url := headtest.Secure(t, pair, func(c *headtest.Conn) {
				if c.Index > 0 {
					c.Serve()
					return
				}
				if r := c.ReadRequest(); r != nil {
					c.Send(headtest.Answer(r.RequestURI))
				}
				end(c)
				close(closed)
			})
			opened := headtest.OpenStore(t, store.Config{
				Bucket: "b", Endpoints: []string{url}, Anonymous: true, Region: "r", NoVerifyTLS: true,
			})
			session := headtest.OpenSessionOn(t, opened, direct.New, head.Config{})
			headtest.Expect(t, session, "a")
			<-closed
			headtest.Expect(t, session, "b")
			if got := summary(s); got != "a b by 2" {
				t.Errorf("requests %s", got)
			}
		})
	}
}
