package engines

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"headcount/bench/process"
	"headcount/bench/s3sim"
	"headcount/bench/s3sim/simtest"
	"headcount/scan/head"
	"headcount/scan/head/engine"
	"headcount/scan/list"
	"headcount/scan/pace"
	"headcount/scan/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The floor sends as many requests on as many connections as its Config says. It reads every answer before the next
// request, also an answer that arrives in pieces.
func TestFloor(t *testing.T) {
	certFile, keyFile := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	if err := writeCertificate(certFile, keyFile); err != nil {
		t.Fatal(err)
	}
	certificate, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	inPieces := s3sim.Options{
		Objects: 10, ByteEvery: time.Microsecond, Faults: []s3sim.Fault{{Kind: s3sim.FaultBytePerSecond, Rate: 1}},
	}
	for name, c := range map[string]struct {
		options     s3sim.Options
		tls         *tls.Config
		connections int
		requests    int64
		used        int64 // of the connections
	}{
		"plain":     {s3sim.Options{Objects: 10}, nil, 3, 100, 3},
		"TLS":       {s3sim.Options{Objects: 10}, &tls.Config{Certificates: []tls.Certificate{certificate}}, 3, 100, 3},
		"few":       {s3sim.Options{Objects: 10}, nil, 5, 2, 2},
		"in pieces": {inPieces, nil, 2, 6, 2},
	} {
		t.Run(name, func(t *testing.T) {
			server, url := simtest.StartTLS(t, c.options, c.tls)
			result, err := Floor(t.Context(), FloorConfig{
				URL: url + "/demo/obj-000000000003", Connections: c.connections, Requests: c.requests,
				CABundle: certFile,
			})
			if err != nil || result.Requests != c.requests || result.Seconds <= 0 {
				t.Fatalf("%+v, %v", result, err)
			}
			counts := server.Counts()
			if counts.HeadStatus[200] != c.requests || counts.Connections != c.used || counts.Lists+counts.Others > 0 {
				t.Errorf("the store counted %+v", counts)
			}
		})
	}
}

// An answer other than 200 is an error, since it costs less than the answers that are measured.
func TestFloorErrors(t *testing.T) {
	_, url := simtest.Start(t, s3sim.Options{Objects: 10})
	address := strings.TrimPrefix(url, "http://")
	for url, want := range map[string]string{
		"http://" + address + "/demo/obj-000000000010":  `the answer is "HTTP/1.1 404 Not Found"`,
		"https://" + address + "/demo/obj-000000000000": "tls:",
		"ftp://" + address + "/demo/obj-000000000000":   "neither http nor https",
		"http://127.0.0.1/demo/obj-000000000000":        "names no port",
	} {
		_, err := Floor(t.Context(), FloorConfig{URL: url, Connections: 2, Requests: 10})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestFloorStops(t *testing.T) {
	_, url := simtest.Start(t, s3sim.Options{Objects: 10, Latency: time.Hour})
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(why) })
	_, err := Floor(ctx, FloorConfig{URL: url + "/demo/obj-000000000000", Connections: 2, Requests: 10})
	if !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
}

// The floor sends the headers that the direct engine sends, in as many bytes. The kernel copies the bytes and s3sim
// parses them, so a shorter request would make the floor too low.
func TestFloorRequestIsLikeDirect(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	t.Setenv("AWS_ACCESS_KEY_ID", process.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", process.SecretKey)
	url := "http://" + l.Addr().String()
	opened, err := store.Open(t.Context(), store.Config{Bucket: bucket, Endpoints: []string{url}, Connections: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	engine, _, err := engine.Open(engine.Direct,
		head.Config{Store: opened, Limiter: new(pace.Limiter), Timeout: 10 * time.Second, Pipeline: 1})
	if err != nil {
		t.Fatal(err)
	}
	session := engine.Session()
	defer session.Close()

	sent := make(chan string, 1)
	go func() { sent <- answerOne(l) }()
	if err := session.Head(t.Context(), head.NewBatch([]list.Entry{{Key: "obj-000000000000"}}),
		func(*head.Result) {}); err != nil {
		t.Fatal(err)
	}
	f, err := newFloor(FloorConfig{URL: url + "/" + bucket + "/obj-000000000000"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(f.request), <-sent; len(got) != len(want) || !slices.Equal(headersOf(got), headersOf(want)) {
		t.Errorf("the floor sends\n%s\nand the direct engine\n%s", got, want)
	}
}

// answerOne accepts a connection and answers its first request, which it returns.
func answerOne(l net.Listener) string {
	c, err := l.Accept()
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	var request []byte
	for buffer := make([]byte, 4<<10); !bytes.HasSuffix(request, []byte("\r\n\r\n")); {
		n, err := c.Read(buffer)
		if err != nil {
			return err.Error()
		}
		request = append(request, buffer[:n]...)
	}
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") // the engine reports a failed write
	return string(request)
}

// headersOf are the request line and the names of the headers, sorted.
func headersOf(request string) []string {
	line, headers, _ := strings.Cut(request, "\r\n")
	names := []string{line}
	for header := range strings.SplitSeq(strings.TrimSuffix(headers, "\r\n\r\n"), "\r\n") {
		name, _, _ := strings.Cut(header, ":")
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names[1:])
	return names
}
