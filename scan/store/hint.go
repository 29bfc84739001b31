package store

import (
	"crypto/tls"
	"time"

	"headcount/scan/hint"
)

// HintRequest describes a request to an endpoint, for a hint about its failure. timeout is the request's.
func (s *Store) HintRequest(e *Endpoint, timeout time.Duration) hint.Request {
	options, url := e.Client.Options(), e.displayURL()
	r := hint.Request{
		Bucket: s.cfg.Bucket, Region: e.Region, VirtualHosted: !options.UsePathStyle, Timeout: timeout,
		Proxy: s.proxyOf(url), ClientCertificate: s.clientCertificate.Load(),
	}
	if options.BaseEndpoint != nil {
		r.Endpoint = url
	}
	return r
}

// watchClientCertificate notes whether an endpoint asks for a client certificate. The connection has none, as without
// this function: what follows is then the reason of the endpoint's next alert.
func (s *Store) watchClientCertificate() {
	config := s.transport.TLSClientConfig
	if config.GetClientCertificate != nil || len(config.Certificates) > 0 {
		return
	}
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		s.clientCertificate.Store(true)
		return new(tls.Certificate), nil
	}
}
