package store

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const (
	dialTimeout = 5 * time.Second  // a TCP handshake that takes longer has lost two SYNs
	tlsTimeout  = 10 * time.Second // the store's CPU may be busy with a thousand other handshakes

	// IdleTimeout is how long a connection is kept that nothing is sent over: below what stores and the middleboxes before them allow, so that it is we who close.
	IdleTimeout = 15 * time.Second

	// spareConnections are for what is not a worker: the LISTs and the canary.
	spareConnections = 16

	// HeaderBytesMax is how long the header block of an answer may be.
	HeaderBytesMax = 64 << 10

	// readBuffer holds a usual answer to a HEAD (600 bytes) eight times over; every connection has one.
	readBuffer = 8 << 10
)

// tunedTransport is the transport of the SDK's client, with its authorities and proxy, tuned for thousands of small
// answers: as many kept connections as there are requests in flight, and HTTP/1.1, whose connections do not queue
// behind each other.
func tunedTransport(client aws.HTTPClient, cfg Config, d *dialer) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if b, ok := client.(*awshttp.BuildableClient); ok {
		transport = b.GetTransport()
	}
	connections := cfg.Connections + spareConnections
	transport.MaxIdleConns = 2 * connections * max(1, len(cfg.Endpoints))
	transport.MaxIdleConnsPerHost = 2 * connections
	transport.MaxConnsPerHost = 0
	transport.IdleConnTimeout = IdleTimeout
	transport.DialContext = d.DialContext
	transport.TLSHandshakeTimeout = tlsTimeout
	transport.DisableCompression = true
	transport.MaxResponseHeaderBytes = HeaderBytesMax
	transport.ReadBufferSize = readBuffer
	transport.WriteBufferSize = 4 << 10
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	transport.ForceAttemptHTTP2 = false
	if cfg.NoVerifyTLS {
		if transport.TLSClientConfig == nil {
			transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		transport.TLSClientConfig.InsecureSkipVerify = true
	}
	return transport
}
