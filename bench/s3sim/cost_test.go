//go:build unix

package s3sim

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// costVariable is the environment variable that names the server of TestServeForCost. BenchmarkCost measures the CPU
// time of a server's process, which is the test binary, run again with this variable. The process answers each line on
// its standard input by its CPU time so far.
const costVariable = "S3SIM_SERVE_FOR_COST"

// TestServeForCost is the server's process of BenchmarkCost. Without costVariable it does nothing.
func TestServeForCost(t *testing.T) {
	what := os.Getenv(costVariable)
	if what == "" {
		return
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	if what == "constant" {
		wg.Go(func() { serveConstant(l) })
	} else {
		s, err := New(Options{Objects: 1_000_000_000})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		go func() { _ = s.Serve(l) }() // nil after Close
	}
	fmt.Println(l.Addr())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		fmt.Println(u.Utime.Nano() + u.Stime.Nano())
	}
	l.Close()
	wg.Wait()
}

// serveConstant answers every request with the same bytes and without parsing it. Its cost is a lower bound for any
// server.
func serveConstant(l net.Listener) {
	response := []byte("HTTP/1.1 200 OK\r\nETag: \"2e269e07581c9553e13f320890890be2\"\r\n" +
		strings.Repeat("X-Pad: 0123456789\r\n", 16) + "\r\n")
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			var in, out = make([]byte, 64<<10), []byte(nil)
			for {
				n, err := c.Read(in)
				if err != nil {
					return
				}
				out = out[:0]
				for range bytes.Count(in[:n], []byte("\r\n\r\n")) {
					out = append(out, response...)
				}
				if _, err := c.Write(out); err != nil {
					return
				}
			}
		}()
	}
}

// costServer is the server's process.
type costServer struct {
	address string
	stdin   io.WriteCloser
	stdout  *bufio.Scanner
}

func startForCost(b *testing.B, what string) *costServer {
	b.Helper()
	p := exec.Command(os.Args[0], "-test.run=^TestServeForCost$")
	p.Env = append(os.Environ(), costVariable+"="+what)
	p.Stderr = os.Stderr
	stdin, err := p.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := p.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := p.Start(); err != nil {
		b.Fatal(err)
	}
	s := &costServer{stdin: stdin, stdout: bufio.NewScanner(out)}
	b.Cleanup(func() {
		stdin.Close()
		_, _ = io.Copy(io.Discard, out) // the summary of the test binary
		if err := p.Wait(); err != nil {
			b.Error(err)
		}
	})
	s.address = s.line(b)
	return s
}

func (s *costServer) line(b *testing.B) string {
	b.Helper()
	if !s.stdout.Scan() {
		b.Fatal("the server's process prints nothing")
	}
	return s.stdout.Text()
}

// cpu returns the process's CPU time so far in nanoseconds.
func (s *costServer) cpu(b *testing.B) int64 {
	b.Helper()
	if _, err := io.WriteString(s.stdin, "\n"); err != nil {
		b.Fatal(err)
	}
	n, err := strconv.ParseInt(s.line(b), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// exchange sends request n times, and after each reads until end has come responses times.
func exchange(address string, request []byte, responses int, end []byte, n int) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	in := make([]byte, 512<<10)
	for range n {
		if _, err := c.Write(request); err != nil {
			return err
		}
		kept := 0 // bytes of an end that the last Read may have cut
		for got := 0; got < responses; {
			n, err := c.Read(in[kept:])
			if err != nil {
				return err
			}
			got += bytes.Count(in[:kept+n], end)
			tail := min(len(end)-1, kept+n)
			copy(in, in[kept+n-tail:kept+n])
			kept = tail
		}
	}
	return nil
}

// BenchmarkCost measures the CPU time of the server's process per HEAD, alone and pipelined, and per key of a LIST. For
// comparison it measures serveConstant. An iteration is 1,000 HEADs or one page of 1,000 keys, and the metric is in
// microseconds per HEAD or per key.
func BenchmarkCost(b *testing.B) {
	head := func(n int) (request []byte) {
		for i := range n {
			request = fmt.Appendf(request, signedHead, 123_456_789+i)
		}
		return request
	}
	page := fmt.Appendf(nil, listRequest, 123_456_789)
	for _, c := range []struct {
		name, server  string
		request       []byte
		responses     int // to one request
		end           string
		conns, rounds int // connections, and requests on each in an iteration
	}{
		{"head/constant", "constant", head(1), 1, "\r\n\r\n", 50, 20},
		{"head", "sim", head(1), 1, "\r\n\r\n", 50, 20},
		{"head/pipelined8", "sim", head(8), 8, "\r\n\r\n", 25, 5},
		{"list", "sim", page, 1, "</ListBucketResult>", 1, 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			s := startForCost(b, c.server)
			before := s.cpu(b)
			var wg sync.WaitGroup
			for range c.conns {
				wg.Go(func() {
					err := exchange(s.address, c.request, c.responses, []byte(c.end), c.rounds*b.N)
					if err != nil {
						b.Error(err)
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(s.cpu(b)-before)/1e3/1e3/float64(b.N), "µs-CPU/1")
		})
	}
}
