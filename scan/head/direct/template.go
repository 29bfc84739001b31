package direct

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"headcount/scan/head"
	"headcount/scan/store"
)

// emptyPayloadHash is the SHA-256 of the empty string, in hex: a HEAD has no payload.
const emptyPayloadHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// algorithm is the name of Signature Version 4.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
const algorithm = "AWS4-HMAC-SHA256"

// userAgent is sent because some firewalls require one. It is not signed, because proxies rewrite it.
const userAgent = "headcount"

// requestTemplate holds the parts of a HEAD that are the same for every key, for one Route, one set of credentials
// and one second. Only the path and the signature depend on the key.
//
// The signature covers host, x-amz-content-sha256 and x-amz-date, and where they are used the session token, the payer
// and head.Config.Headers. Proxies rewrite other headers (aws-sdk-go-v2#1816).
//
// A finished template does not change. All sessions share it, each with a signer of its own.
type requestTemplate struct {
	path   string // before the escaped key
	signed bool

	// The request is: "HEAD ", the path, head. If it is signed, the signature and the end follow.
	head []byte

	// The canonical request is: its first line, the path, the query, canonical.
	canonical []byte
	mac       mac // of the string to sign, except for its end: the hash of the canonical request

	second     int64     // Unix time that the template was made for
	generation uint64    // of the Store
	expiry     time.Time // of the credentials; zero: they are valid longer than the template

	keyInput string // date, region, service and secret, which the signing key is derived from
	key      []byte // the signing key, valid for a day
}

// latestTemplate holds the template of a Route that was made last.
type latestTemplate struct {
	atomic.Pointer[requestTemplate]
}

// newTemplate returns a template for the second of at. Without an access key it signs nothing. previous, which may be
// nil, saves the derivation of the signing key, which changes once a day.
func newTemplate(
	previous *requestTemplate, route *store.Route, c *aws.Credentials, further []head.RequestHeader, at time.Time,
) *requestTemplate {
	t := &requestTemplate{path: route.Path, signed: c.AccessKeyID != ""}
	t.head = append(t.head, " HTTP/1.1\r\nHost: "...)
	t.head = append(t.head, route.Host...)
	// Without Accept-Encoding a proxy may compress, and change the ETag and the length that are compared.
	t.head = append(t.head, "\r\nUser-Agent: "+userAgent+"\r\nAccept-Encoding: identity\r\n"...)
	if !t.signed {
		for _, h := range further {
			t.addHeader(h)
		}
		t.head = append(t.head, "\r\n"...)
		return t
	}
	at = at.UTC()
	date := at.Format("20060102T150405Z")
	day := date[:8]
	scope := day + "/" + route.Region + "/" + route.Service + "/aws4_request"
	signedHeaders := t.addSignedHeaders(route.Host, date, c.SessionToken, further)
	t.head = append(t.head, "Authorization: "+algorithm+" Credential="+c.AccessKeyID+"/"+scope+
		", SignedHeaders="+signedHeaders+", Signature="...)

	t.keyInput = scope + c.SecretAccessKey
	if previous != nil && previous.keyInput == t.keyInput {
		t.key = previous.key
	} else {
		t.key = signingKey(c.SecretAccessKey, day, route.Region, route.Service)
	}
	t.mac = newMAC(t.key, algorithm+"\n"+date+"\n"+scope+"\n")
	return t
}

// addSignedHeaders adds the signed headers to the request and to the canonical request, and returns the list of their
// names.
func (t *requestTemplate) addSignedHeaders(host, date, token string, further []head.RequestHeader) (names string) {
	headers := append([]head.RequestHeader{
		{Name: "host", Value: host},
		{Name: "x-amz-content-sha256", Value: emptyPayloadHash},
		{Name: "x-amz-date", Value: date},
	}, further...)
	if token != "" {
		headers = append(headers, head.RequestHeader{Name: "x-amz-security-token", Value: token})
	}
	// The canonical request has them sorted by name.
	slices.SortFunc(headers, func(a, b head.RequestHeader) int { return strings.Compare(a.Name, b.Name) })
	var list []string
	t.canonical = append(t.canonical, '\n') // after the query
	for _, h := range headers {
		list = append(list, h.Name)
		t.canonical = append(append(append(append(t.canonical, h.Name...), ':'), h.Value...), '\n')
		if h.Name != "host" {
			t.addHeader(h)
		}
	}
	names = strings.Join(list, ";")
	t.canonical = append(t.canonical, "\n"+names+"\n"+emptyPayloadHash...)
	return names
}

// addHeader adds a header to the request.
func (t *requestTemplate) addHeader(h head.RequestHeader) {
	t.head = append(append(append(append(t.head, h.Name...), ": "...), h.Value...), "\r\n"...)
}

// validAt reports whether the template may be used at that time. A template of the next second is valid: another
// session may have read the clock later.
func (t *requestTemplate) validAt(now time.Time) bool {
	return (t.second == now.Unix() || t.second == now.Unix()+1) && (t.expiry.IsZero() || now.Before(t.expiry))
}

// appendRequest appends the HEAD of a key to dst, of one of its versions if one is named.
func (t *requestTemplate) appendRequest(dst []byte, key, version string, by *signer) []byte {
	dst = append(append(dst, "HEAD "...), t.path...)
	from := len(dst) - len(t.path)
	dst = appendEscaped(dst, key, &unreserved)
	path, query := dst[from:], []byte(nil)
	if version != "" {
		dst = append(dst, '?')
		from = len(dst)
		dst = appendEscaped(append(dst, "versionId="...), version, &unreservedInQuery)
		query = dst[from:]
	}
	dst = append(dst, t.head...)
	if !t.signed {
		return dst
	}
	dst = t.appendSignature(dst, path, query, by)
	return append(dst, "\r\n\r\n"...)
}

// appendSignature appends the signature of a HEAD of path and query, 64 hex digits.
func (t *requestTemplate) appendSignature(dst, path, query []byte, by *signer) []byte {
	by.text = append(append(append(by.text[:0], "HEAD\n"...), path...), '\n')
	by.text = append(append(by.text, query...), t.canonical...)
	by.sum = sha256.Sum256(by.text)
	by.text = hex.AppendEncode(by.text[:0], by.sum[:])
	return hex.AppendEncode(dst, by.mac(&t.mac, by.text))
}

// appendEscaped appends the bytes of key, and percent-encodes all but those in plainBytes, once. The canonical request
// has the same string: S3 encodes once and normalizes nothing.
func appendEscaped(dst []byte, key string, plainBytes *[256]bool) []byte {
	const digits = "0123456789ABCDEF"
	plain := 0 // start of the bytes that are copied without a change
	for i := 0; i < len(key); i++ {
		if c := key[i]; !plainBytes[c] {
			dst = append(append(dst, key[plain:i]...), '%', digits[c>>4], digits[c&15])
			plain = i + 1
		}
	}
	return append(dst, key[plain:]...)
}

// unreserved marks the bytes that a path may have without encoding (RFC 3986 §2.3, and the slash).
var unreserved = byteSet(unreservedBytes + "/")

// unreservedInQuery marks the bytes that the value of a parameter may have without encoding, in a signed request.
var unreservedInQuery = byteSet(unreservedBytes)

const unreservedBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

func byteSet(members string) (set [256]bool) {
	for i := range len(members) {
		set[members[i]] = true
	}
	return set
}
