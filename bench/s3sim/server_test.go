package s3sim

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestOptionsAreChecked(t *testing.T) {
	for _, test := range []struct {
		o    Options
		want string // part of the error
	}{
		{Options{}, ""},
		{Options{Objects: objectsMax, Shape: Nasty, Quirk: Unsorted, Gone: 0.5, Denied: 0.5}, ""},
		{Options{Faults: []Fault{{FaultHeadBody, 1}, {FaultListEmpty, 1}}}, ""}, // for different operations
		{Options{Faults: []Fault{{FaultHang, 0.7}, {Fault500, 0.4}}}, "add up to 1.1"},
		{Options{Faults: []Fault{{Fault500, -0.1}}}, "from 0 to 1"},
		{Options{Faults: []Fault{{Fault500, math.NaN()}}}, "from 0 to 1"},
		{Options{Faults: []Fault{{"501", 0.1}}}, "one of 500, 502, 503-empty"},
		{Options{Shape: "round"}, "one of flat, deep, dated, hashed, skewed, nasty"},
		{Options{Quirk: "slow"}, "one of truncated-no-token, same-token"},
		{Options{Objects: -1}, "from 0 to 1000000000000"},
		{Options{Objects: objectsMax + 1}, "from 0 to 1000000000000"},
		{Options{Bucket: "a/b"}, "bucket"},
		{Options{Latency: -1}, "must not be below 0"},
		{Options{ByteEvery: -1}, "must not be below 0"},
		{Options{Credentials: Credentials{AccessKey: "k"}}, "without a secret"},
		{Options{Gone: 0.6, Broken500: 0.6}, "add up to 1.2"},
		{Options{Rewritten: 1.5}, "from 0 to 1"},
	} {
		_, err := New(test.o)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %q", test.o, err, test.want)
		}
	}
}

func TestParseFault(t *testing.T) {
	if fault, err := ParseFault("503-empty=0.25"); err != nil || fault != (Fault{Fault503Empty, 0.25}) {
		t.Error(fault, err)
	}
	for _, text := range []string{"", "500", "500=", "500=x"} {
		if fault, err := ParseFault(text); err == nil || !strings.Contains(err.Error(), "kind=rate") {
			t.Errorf("%q: %v, %v", text, fault, err)
		}
	}
}

// listen serves s on one more port. It returns a function that waits until Serve returns.
func listen(t *testing.T, s *Server, config *tls.Config) (address string, ended func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address = l.Addr().String()
	if config != nil {
		l = tls.NewListener(l, config)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() { s.Close() })
	return address, func() error { return <-served }
}

// TestCloseEndsEverything closes a Server with idle, hanging, slow and delayed connections on two listeners. TestMain
// finds goroutines that survive.
func TestCloseEndsEverything(t *testing.T) {
	for _, o := range []Options{
		{},
		{Faults: []Fault{{FaultHang, 1}}},
		{Faults: []Fault{{FaultBytePerSecond, 1}}},
		{Faults: []Fault{{FaultRefuse, 1}}},
		{Latency: time.Hour},
		{ListLatency: time.Hour, Faults: []Fault{{FaultHang, 1}}},
	} {
		o.Objects = 10
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		one, ended1 := listen(t, s, nil)
		two, ended2 := listen(t, s, nil)
		idle, half, heads, pages := dial(t, one), dial(t, one), dial(t, two), dial(t, two)
		idle.send("")
		half.send(headRequest[:10])
		heads.send(headRequest + headRequest)
		pages.send(pageRequest)
		time.Sleep(20 * time.Millisecond) // most requests arrive before Close; the test passes at any speed
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error("again:", err)
		}
		s.mu.Lock()
		if len(s.conns)+len(s.listeners) > 0 {
			t.Errorf("%+v: Close left %d connections and %d listeners", o, len(s.conns), len(s.listeners))
		}
		s.mu.Unlock()

		if err1, err2 := ended1(), ended2(); err1 != nil || err2 != nil {
			t.Error("Serve:", err1, err2)
		}
		if c, err := net.Dial("tcp", two); err == nil {
			c.Close()
			t.Error("still listening")
		}
		half.readAll() // returns, with or without an error
	}
}

func TestServeAfterClose(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	address, ended := listen(t, s, nil)
	if err := ended(); err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", address); err == nil {
		c.Close()
		t.Error("the listener is open")
	}
}

// TestServeReportsAClosedListener passes Serve a closed listener.
func TestServeReportsAClosedListener(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := s.Serve(l); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

func TestRefuse(t *testing.T) {
	for _, test := range []struct {
		code       string
		head, list int
		as404      bool
	}{
		{"ExpiredToken", 400, 400, false},
		{"InvalidAccessKeyId", 403, 403, false},
		{"InvalidAccessKeyId", 404, 403, true},
		{"SignatureDoesNotMatch", 403, 403, false},
		{"SlowDown", 503, 503, false},
		{"AccessDenied", 403, 403, false},
		{"", 200, 200, true},
	} {
		s, address := start(t, Options{Objects: 10, RefuseHead404: test.as404})
		c := dial(t, address)
		if err := s.Refuse(test.code); err != nil {
			t.Fatal(err)
		}
		if response, _ := c.send(headRequest).receive("HEAD"); response.StatusCode != test.head {
			t.Errorf("%s: HEAD %d", test.code, response.StatusCode)
		}
		if response, body := c.send(pageRequest).receive("GET"); response.StatusCode != test.list ||
			test.code != "" && !strings.Contains(body, "<Code>"+test.code+"</Code>") {
			t.Errorf("%s: LIST %d %s", test.code, response.StatusCode, body)
		}
		if err := s.Refuse("Nonsense"); err == nil || !strings.Contains(err.Error(), "one of ExpiredToken") {
			t.Error(err)
		}
		s.Refuse("")
		if response, _ := c.send(headRequest).receive("HEAD"); response.StatusCode != 200 {
			t.Errorf("%s: afterwards HEAD %d", test.code, response.StatusCode)
		}
	}
}

// TestLatencyOverlaps pipelines requests, all at once and with pauses. Each response comes one latency after its
// request.
func TestLatencyOverlaps(t *testing.T) {
	const latency = 200 * time.Millisecond
	for _, pause := range []time.Duration{0, latency / 10} {
		synctest.Test(t, func(t *testing.T) {
			_, c := startInProcess(t, Options{Objects: 10, Latency: latency, ListLatency: 2 * latency})
			began := time.Now()
			for range 6 {
				c.send(headRequest)
				time.Sleep(pause)
			}
			for i := range time.Duration(6) {
				c.receive("HEAD")
				if took := time.Since(began); took != latency+i*pause {
					t.Errorf("pause %s: response %d after %s", pause, i, took)
				}
			}
			began = time.Now()
			c.send(headRequest + pageRequest)
			c.receive("HEAD")
			if took := time.Since(began); took != latency {
				t.Errorf("a HEAD before a LIST takes %s", took)
			}
			_, body := c.receive("GET")
			if took := time.Since(began); took != 2*latency || !strings.Contains(body, "</ListBucketResult>") {
				t.Errorf("a LIST takes %s: %s", took, body)
			}
			c.send("HEAD /demo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").receive("HEAD")
			if text, err := c.readAll(); text != "" || err != nil {
				t.Errorf("%q, %v", text, err)
			}
		})
	}
}

func TestCounts(t *testing.T) {
	s, address := start(t, Options{Objects: 10})
	c := dial(t, address)
	c.send(headRequest + headRequest + pageRequest + "HEAD /demo/none HTTP/1.1\r\nHost: x\r\n\r\n" +
		"GET /demo?max-keys=x HTTP/1.1\r\nHost: x\r\n\r\n" + "HEAD /demo HTTP/1.1\r\nHost: x\r\n\r\n" +
		"GET /demo?acl HTTP/1.1\r\nHost: x\r\n\r\n")
	for _, method := range []string{"HEAD", "HEAD", "GET", "HEAD", "GET", "HEAD", "GET"} {
		c.receive(method)
	}
	got := s.Counts()
	want := Counts{
		Connections: 1, Heads: 3, Lists: 2, Pages: 1, Others: 2,
		HeadStatus: map[int]int64{200: 2, 404: 1}, ListStatus: map[int]int64{200: 1, 400: 1},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestManyConnections sends a HEAD for every key over several connections at once, with faults that keep the
// connections open. It is for the race detector.
func TestManyConnections(t *testing.T) {
	s, address := start(t, Options{Objects: 800, Faults: []Fault{{Fault500, 0.2}, {Fault103, 0.1}}})
	var all sync.WaitGroup
	for worker := range int64(8) {
		c := dial(t, address)
		all.Go(func() {
			for i := worker; i < 800; i += 8 {
				for status := 0; status != 200; {
					io.WriteString(c, "HEAD "+pathOf(s.Keyspace().Key(i))+" HTTP/1.1\r\nHost: x\r\n\r\n")
					response, _, err := c.tryReceive("HEAD")
					if err != nil {
						t.Error(err)
						return
					}
					if status = response.StatusCode; status == 103 {
						response, _, _ = c.tryReceive("HEAD")
						status = response.StatusCode
					}
				}
			}
		})
	}
	all.Wait()
	counts := s.Counts()
	if counts.HeadStatus[200] != 800 || counts.HeadStatus[500] != counts.Faults[Fault500] ||
		counts.Faults[Fault500] == 0 {
		t.Errorf("%+v", counts)
	}
}

// certificate returns a configuration with a new self-signed certificate.
func certificate(t *testing.T) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// TestTLS serves over TLS, where resets and cuts must happen on the TCP connection.
func TestTLS(t *testing.T) {
	config := certificate(t)
	for _, test := range []struct {
		kind     FaultKind // "": no fault
		responds bool
		want     error // of reading to the end
	}{
		{"", true, nil},
		{FaultIdleClose, true, io.EOF},
		{FaultRSTBeforeByte, false, syscall.ECONNRESET},
		{FaultFINInHeaders, false, io.EOF},
		{FaultRefuse, false, syscall.ECONNRESET},
	} {
		o := Options{Objects: 10, RefuseFor: refuseFor}
		if test.kind != "" {
			o.Faults = []Fault{{test.kind, 1}}
		}
		s, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		address, _ := listen(t, s, config)
		c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		c.SetDeadline(time.Now().Add(hangTimeout))
		began := time.Now()
		raw := &rawConn{c, t, bufio.NewReader(c)}
		raw.send(headRequest)
		if test.responds {
			if response, _ := raw.receive("HEAD"); response.StatusCode != 200 {
				t.Errorf("%s: %d", test.kind, response.StatusCode)
			}
		}
		if test.want != nil {
			text, err := raw.readAll()
			if err == nil {
				err = io.EOF
			}
			if !errors.Is(err, test.want) || strings.Contains(text, "\r\n\r\n") {
				t.Errorf("%s: %q, %v, want %v", test.kind, text, err, test.want)
			}
		}
		c.Close()
		if test.kind == FaultRefuse {
			checkRefusal(t, began.Add(o.RefuseFor), syscall.ECONNRESET, func() (net.Conn, error) {
				return tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
			})
		}
		s.Close()
	}
}

// TestSteadyStateAllocatesNothing covers a HEAD, alone and pipelined. A LIST allocates its token only.
func TestSteadyStateAllocatesNothing(t *testing.T) {
	s, err := New(Options{Objects: 1_000_000_000, Faults: []Fault{{Fault500, 0.01}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		request string
		allowed float64
	}{
		{fmt.Sprintf(signedHead, 123_456_789), 0},
		{fmt.Sprintf(signedHead, 1) + fmt.Sprintf(signedHead, 2), 0},
		{fmt.Sprintf(listRequest, 123_456_789), 4},
	} {
		c := newConn(s, discardConn{}, 1)
		buf := []byte(test.request)
		if n := testing.AllocsPerRun(200, func() {
			c.respondAll(buf)
			c.out = c.out[:0]
		}); n > test.allowed {
			t.Errorf("%v allocations for %.40s", n, test.request)
		}
	}
}

// discardConn discards what a Server writes. A page is longer than flushBytes, and is therefore written before its end.
type discardConn struct{ net.Conn }

func (discardConn) Write(p []byte) (int, error) { return len(p), nil }

// FuzzRequests searches for bytes from the network that make a Server panic or use more bytes than it received.
func FuzzRequests(f *testing.F) {
	f.Add([]byte(headRequest))
	f.Add([]byte("GET /demo?list-type=2&prefix=%2&max-keys=1&delimiter=%2F HTTP/1.1\r\n" +
		"Host: demo.x\r\nContent-Length: 2\r\n\r\nab"))
	f.Add([]byte("HEAD http://a HTTP/1.0\r\n" +
		"Authorization: AWS4-HMAC-SHA256 Credential=k/d/r/s3/aws4_request,Signature=aa\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, o := range []Options{
			{Objects: 100},
			{Objects: 100, Shape: Nasty, Quirk: KeysRepeated, Credentials: testCredentials},
		} {
			s, err := New(o)
			if err != nil {
				t.Fatal(err)
			}
			served, client := net.Pipe()
			go io.Copy(io.Discard, client)
			used, _ := newConn(s, served, 1).respondAll(data)
			served.Close()
			client.Close()
			if used > len(data) {
				t.Fatalf("%d of %d bytes used", used, len(data))
			}
		}
	})
}
