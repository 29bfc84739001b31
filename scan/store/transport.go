package store

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"

	"headcount/scan/store/balance"
)

// Tuning of the transport. No specification gives these numbers.
const (
	// IdleTimeout is how long a connection may be idle before it is closed. It is shorter than the timeouts of stores
	// and of middleboxes, so that the client closes first and no request meets a connection that is being closed.
	IdleTimeout = 15 * time.Second

	// HeaderBytesMax is the maximum length of a response's header. S3 limits the header of a PUT to 8 KB, so that no
	// response of S3 comes near this bound on the memory that a broken store can take.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
	HeaderBytesMax = 64 << 10

	tlsTimeout = 10 * time.Second // the store's CPU may be busy with a thousand other handshakes

	// spareConnections are for requests that do not come from workers: LISTs and the canary.
	spareConnections = 16

	// readBufferBytes holds a dozen usual responses to a HEAD, of some 600 bytes. Every connection has a buffer.
	readBufferBytes = 8 << 10

	writeBufferBytes = 4 << 10 // the default of net/http
)

// tunedTransport returns the transport of the SDK's client, with its certificate authorities and proxy, tuned for
// thousands of small responses. It keeps an idle connection for each request in flight. It speaks HTTP/1.1, whose
// connections do not wait for each other.
func tunedTransport(client aws.HTTPClient, cfg Config, dialer *balance.Dialer) *http.Transport {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if b, ok := client.(*awshttp.BuildableClient); ok {
		transport = b.GetTransport()
	}
	connections := cfg.Connections + spareConnections
	transport.MaxIdleConns = 2 * connections * max(1, len(cfg.Endpoints))
	transport.MaxIdleConnsPerHost = 2 * connections
	transport.MaxConnsPerHost = 0
	transport.IdleConnTimeout = IdleTimeout
	transport.DialContext = dialer.DialContext
	transport.TLSHandshakeTimeout = tlsTimeout
	transport.DisableCompression = true
	transport.MaxResponseHeaderBytes = HeaderBytesMax
	transport.ReadBufferSize = readBufferBytes
	transport.WriteBufferSize = writeBufferBytes
	transport.Protocols = new(http.Protocols)
	transport.Protocols.SetHTTP1(true)
	transport.ForceAttemptHTTP2 = false
	transport.OnProxyConnectResponse = checkProxyAnswer
	if transport.TLSClientConfig == nil {
		transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	// The SDK's Clone of its transport leaves "h2" here. A server that prefers HTTP/2 would select it (RFC 7301 §3.2),
	// and answer with frames that an HTTP/1.1 client cannot read. Without ALPN, TLS carries HTTP/1.1.
	transport.TLSClientConfig.NextProtos = nil
	transport.TLSNextProto = nil
	transport.TLSClientConfig.InsecureSkipVerify = cfg.NoVerifyTLS
	return transport
}
