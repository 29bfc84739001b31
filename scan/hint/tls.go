package hint

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

const clientCertificateHint = "the endpoint wants a client certificate, which headcount does not support: " +
	"use an endpoint that wants none, or a proxy that holds the certificate"

const anyCertificate = "--no-verify-ssl accepts it meanwhile, and any other"

// forTLS returns the hint for a TLS connection that could not be made.
func (r Request) forTLS(err error) string {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		algorithm x509.InsecureAlgorithmError
		roots     x509.SystemRootsError
	)
	switch {
	case errors.As(err, &authority) && strings.Contains(err.Error(), "insecure algorithm"),
		strings.Contains(err.Error(), "keys are insecure"):
		return "the certificate has a signature or a key that is no longer secure, and must be issued anew"
	case errors.As(err, &authority):
		return "--ca-bundle FILE names a certificate authority to trust; --no-verify-ssl accepts any certificate" +
			issuerOf(authority.Cert)
	case errors.As(err, &host):
		return r.forHostname(host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return forDates(invalid.Cert)
	case errors.As(err, &invalid), errors.As(err, &algorithm):
		return "the certificate must be issued anew, for this use; " + anyCertificate
	case errors.As(err, &roots):
		return "this machine has no certificate authorities: --ca-bundle FILE"
	}
	return r.forTLSText(err.Error())
}

// forTLSText is for errors of crypto/tls that have no types: mostly alerts of the other side.
// https://www.rfc-editor.org/rfc/rfc8446#section-6.2
func (r Request) forTLSText(text string) string {
	has := func(part string) bool { return strings.Contains(text, part) }
	switch {
	case has("gave HTTP response to HTTPS client"), has("does not look like a TLS handshake"):
		return "the endpoint speaks plain HTTP: begin --endpoint-url with http://"
	case has("malformed HTTP response"):
		return "the endpoint speaks TLS: --endpoint-url " + r.withScheme("https")
	case has("negative serial number"):
		return "the certificate must be issued anew, with a positive serial number; " +
			"GODEBUG=x509negativeserial=1 in the environment accepts it meanwhile"
	case has("failed to parse certificate"):
		return "the certificate of the endpoint is malformed, and must be issued anew"
	case has("protocol version"):
		return "the endpoint speaks no TLS from 1.2 on: allow TLS 1.2 there, or use a proxy that speaks it"
	case has("certificate required"), has("remote error: tls: bad certificate"),
		r.ClientCertificate && has("remote error"):
		return clientCertificateHint
	case has("handshake failure"), has("no supported versions"), has("no mutually supported"):
		return "the endpoint and headcount have no TLS version, cipher or certificate in common: " +
			"it needs TLS 1.2 or 1.3"
	case has("unrecognized name"):
		return "the endpoint does not know this host name: is it right? --endpoint-url URL"
	}
	return "does the port of the endpoint speak TLS? --endpoint-url URL"
}

// forHostname is for a certificate of another name.
func (r Request) forHostname(e x509.HostnameError) string {
	var names []string
	if c := e.Certificate; c != nil {
		names = c.DNSNames
		for _, ip := range c.IPAddresses {
			names = append(names, ip.String())
		}
	}
	const namesMax = 3
	switch {
	case len(names) == 0 && net.ParseIP(e.Host) == nil:
		return "the certificate has only a Common Name, and must be issued anew with a " +
			"Subject Alternative Name; " + anyCertificate
	case len(names) == 0:
		return "the certificate must be issued anew with this IP address as a Subject Alternative Name; " +
			anyCertificate
	case r.VirtualHosted && strings.Contains(r.Bucket, "."):
		return "no certificate matches a bucket with dots in its host name: --addressing path"
	case r.VirtualHosted && e.Certificate.VerifyHostname(strings.TrimPrefix(e.Host, r.Bucket+".")) == nil:
		return pathHint
	case len(names) > namesMax:
		names = append(names[:namesMax:namesMax], "…")
	}
	return "name the endpoint as its certificate does (--endpoint-url https://NAME): " + strings.Join(names, ", ")
}

// issuerOf names the issuer of a certificate of an unknown authority.
func issuerOf(c *x509.Certificate) string {
	if c == nil || c.Issuer.CommonName == "" {
		return ""
	}
	return fmt.Sprintf("; the issuer is %.100q", c.Issuer.CommonName)
}

// forDates is for a certificate that is not valid now.
func forDates(c *x509.Certificate) string {
	if c != nil && time.Now().Before(c.NotBefore) {
		return "is the clock of this machine right? the certificate is valid from " +
			c.NotBefore.UTC().Format(time.DateTime) + " UTC on"
	}
	return "the certificate has expired, and must be renewed (if the clock of this machine is right); " + anyCertificate
}
