package s3sim

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"
)

// A Server with ConnectionsMax serves that many connections at once. The next one meets its Excess, until one of the
// others ends.
func TestConnectionsMax(t *testing.T) {
	const most = 3
	ask := func(c net.Conn) error {
		_ = c.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.WriteString(c, "HEAD /demo/obj-000000000001.dat HTTP/1.1\r\nHost: h\r\n\r\n"); err != nil {
			return err
		}
		_, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: http.MethodHead})
		return err
	}
	for excess, refused := range map[Excess]func(address string) error{
		ExcessReset: func(address string) error { return askNew(address, ask) },
		ExcessClose: func(address string) error { return askNew(address, ask) },
		ExcessHang: func(address string) error {
			return askNew(address, func(c net.Conn) error {
				_ = c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
				_, err := c.Read(make([]byte, 1))
				return err
			})
		},
		ExcessRefuse: func(address string) error {
			for range 1000 { // the Server closes its listener after it has accepted the last connection
				if err := askNew(address, ask); errors.Is(err, syscall.ECONNREFUSED) {
					return err
				}
			}
			return nil
		},
	} {
		t.Run(string(excess), func(t *testing.T) {
			_, address := start(t, Options{Objects: 10, ConnectionsMax: most, Excess: excess})
			var open []net.Conn
			for range most {
				c, err := net.Dial("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if err := ask(c); err != nil {
					t.Fatal(err)
				}
				open = append(open, c)
			}
			switch err := refused(address); {
			case err == nil:
				t.Error("one connection too many was served")
			case excess == ExcessHang && !errors.Is(err, os.ErrDeadlineExceeded):
				t.Errorf("got %v, want no answer", err)
			}
			if err := ask(open[0]); err != nil {
				t.Errorf("a connection that was served: %v", err)
			}
			open[1].Close()
			for askNew(address, ask) != nil { // until the Server has noticed the end
				time.Sleep(time.Millisecond)
			}
		})
	}
}

// askNew calls ask with a new connection.
func askNew(address string, ask func(net.Conn) error) error {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	return ask(c)
}
