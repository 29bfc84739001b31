package store

import (
	"context"
	"net"
	"net/http"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// SessionTransport returns a transport for the requests of one session, which shares no connection with others. wrap
// gets each new TCP connection, and returns the one to use.
func (s *Store) SessionTransport(wrap func(net.Conn) net.Conn) *http.Transport {
	t := s.transport.Clone()
	dial := t.DialContext
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return wrap(c), nil
	}
	return t
}

// WithTransport returns an option of an S3 client's operation that sends the request over t.
func WithTransport(t http.RoundTripper) func(*s3.Options) {
	client := &http.Client{Transport: t, CheckRedirect: noRedirect}
	return func(o *s3.Options) { o.HTTPClient = client }
}

// Pinned sends requests to one IP address of an endpoint's name: the address that another request went to. Two stores
// may share a name, and what one says of an object is not true of the other's. A Pinned belongs to one goroutine.
type Pinned struct {
	transport *http.Transport
	option    func(*s3.Options)
	at        netip.AddrPort // zero: any address of the name
}

// NewPinned returns a Pinned for the requests of one worker.
func (s *Store) NewPinned() *Pinned {
	p := &Pinned{transport: s.transport.Clone()}
	dial := p.transport.DialContext
	p.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if p.at.IsValid() {
			address = p.at.String()
		}
		return dial(ctx, network, address)
	}
	p.option = WithTransport(p.transport)
	return p
}

// To returns an option of an S3 client's operation that sends the request to the IP address of a.
func (p *Pinned) To(a *Address) func(*s3.Options) {
	if p.at != a.IP {
		p.transport.CloseIdleConnections()
		p.at = a.IP
	}
	return p.option
}

// Close closes the idle connections.
func (p *Pinned) Close() { p.transport.CloseIdleConnections() }
