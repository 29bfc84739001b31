package direct

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding"
	"encoding/hex"
	"hash"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"headcount/scan/store"
)

// emptyPayloadHash is SHA-256 of nothing, in hex: a HEAD has no payload.
const emptyPayloadHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// algorithm names Signature Version 4.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
const algorithm = "AWS4-HMAC-SHA256"

// userAgent is what some firewalls want to see. It is not signed, since proxies rewrite it.
const userAgent = "headcount"

// requestTemplate is a HEAD with all that is the same for every key, for one route, one set of credentials and one second. Of the
// parts that depend on the key there are two, its path and the signature, and a template appends them.
//
// It signs host, x-amz-content-sha256 and x-amz-date, the session token and the payer where they are used, and no more:
// proxies rewrite what else the SDK signs (aws-sdk-go-v2#1816).
//
// It is not changed once it is made, and used by all Sessions, each with a signer of its own.
type requestTemplate struct {
	path   string // before the key's escaped bytes
	signed bool

	// The request: HEAD, the path, head, and where it is signed the signature and end.
	head []byte

	// The canonical request: its first line, the path, canonical.
	canonical []byte
	mac       mac // of what is signed: it begins alike for all keys, and ends with the canonical request's hash

	second     int64     // Unix time that it was made for
	generation uint64    // of the Store, then
	expiry     time.Time // of its credentials; zero: they outlive it

	keyInput   string // for which key is: date, region, service and secret
	signingKey []byte
}

// newTemplate returns a template for a second. Without an access key it signs nothing. The one before, which may be nil, is asked
// for the key of the day.
func newTemplate(before *requestTemplate, route *store.Route, c *aws.Credentials, payer string, at time.Time) *requestTemplate {
	t := &requestTemplate{path: route.Path, signed: c.AccessKeyID != ""}
	t.head = append(t.head, " HTTP/1.1\r\nHost: "...)
	t.head = append(t.head, route.Host...)
	// Without it a proxy may compress, and change the ETag and the length that are compared.
	t.head = append(t.head, "\r\nUser-Agent: "+userAgent+"\r\nAccept-Encoding: identity\r\n"...)
	if !t.signed {
		if payer != "" {
			t.head = append(append(append(t.head, "X-Amz-Request-Payer: "...), payer...), "\r\n"...)
		}
		t.head = append(t.head, "\r\n"...)
		return t
	}
	at = at.UTC()
	date := at.Format("20060102T150405Z")
	scope := date[:8] + "/" + route.Region + "/" + route.Service + "/aws4_request"

	signed := []struct{ name, value string }{ // sorted by name
		{"host", route.Host},
		{"x-amz-content-sha256", emptyPayloadHash},
		{"x-amz-date", date},
		{"x-amz-request-payer", payer},
		{"x-amz-security-token", c.SessionToken},
	}
	var names []string
	t.canonical = append(t.canonical, "\n\n"...) // after the path, and the empty query
	for _, h := range signed {
		if h.value == "" {
			continue
		}
		names = append(names, h.name)
		t.canonical = append(append(append(append(t.canonical, h.name...), ':'), h.value...), '\n')
		if h.name != "host" {
			t.head = append(append(append(append(t.head, h.name...), ": "...), h.value...), "\r\n"...)
		}
	}
	list := strings.Join(names, ";")
	t.canonical = append(t.canonical, "\n"+list+"\n"+emptyPayloadHash...)
	t.head = append(t.head, "Authorization: "+algorithm+" Credential="+c.AccessKeyID+"/"+scope+", SignedHeaders="+list+", Signature="...)
	toSign := algorithm + "\n" + date + "\n" + scope + "\n" // and the hash of the canonical request

	t.keyInput = scope + c.SecretAccessKey
	if before != nil && before.keyInput == t.keyInput {
		t.signingKey = before.signingKey
	} else {
		t.signingKey = signingKey(c.SecretAccessKey, date[:8], route.Region, route.Service)
	}
	t.mac = newMAC(t.signingKey, toSign)
	return t
}

// validAt reports whether the template may be used at that time.
func (t *requestTemplate) validAt(now time.Time) bool {
	// Another Session's second may have begun already.
	return (t.second == now.Unix() || t.second == now.Unix()+1) && (t.expiry.IsZero() || now.Before(t.expiry))
}

// latestTemplate is the template that was made last for a Route.
type latestTemplate struct {
	atomic.Pointer[requestTemplate]
}

// mac is HMAC-SHA-256 (RFC 2104) of texts that begin alike: their beginning is hashed once, as the key is.
type mac struct {
	inner, outer []byte // states of SHA-256 after the key, and for inner after the beginning too
}

// newMAC returns the mac of texts that begin so. The key is no longer than a block.
func newMAC(key []byte, beginning string) mac {
	digest := sha256.New()
	return mac{inner: macState(digest, key, 0x36, beginning), outer: macState(digest, key, 0x5c, "")}
}

// macState is that of the digest after the padded key and text.
func macState(digest hash.Hash, key []byte, pad byte, text string) []byte {
	var block [sha256.BlockSize]byte
	copy(block[:], key)
	for i := range block {
		block[i] ^= pad
	}
	digest.Reset()
	digest.Write(block[:])
	digest.Write([]byte(text))
	state, err := digest.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic("a SHA-256 state that cannot be kept: " + err.Error()) // crypto/sha256 never fails to
	}
	return state
}

// signer is what one signature after the other is made with. It is not used concurrently.
type signer struct {
	digest hash.Hash // SHA-256
	text   []byte
	sum    [sha256.Size]byte
}

func newSigner() signer { return signer{digest: sha256.New()} }

// mac is the mac of the text that goes on with rest, valid until the next is made.
func (s *signer) mac(m *mac, rest []byte) []byte {
	s.resume(m.inner)
	s.digest.Write(rest)
	inner := s.digest.Sum(s.sum[:0])
	s.resume(m.outer)
	s.digest.Write(inner)
	return s.digest.Sum(s.sum[:0])
}

func (s *signer) resume(state []byte) {
	if err := s.digest.(encoding.BinaryUnmarshaler).UnmarshalBinary(state); err != nil {
		panic("a SHA-256 state that is not one: " + err.Error()) // it is one of MarshalBinary
	}
}

// signingKey is the key of a day.
func signingKey(secret, day, region, service string) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{day, region, service, "aws4_request"} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return key
}

// appendRequest appends the HEAD of a key.
func (t *requestTemplate) appendRequest(dst []byte, key string, by *signer) []byte {
	dst = append(append(dst, "HEAD "...), t.path...)
	from := len(dst) - len(t.path)
	dst = appendEscaped(dst, key)
	path := dst[from:]
	dst = append(dst, t.head...)
	if !t.signed {
		return dst
	}
	dst = t.appendSignature(dst, path, by)
	return append(dst, "\r\n\r\n"...)
}

// appendSignature appends the signature of a HEAD of path, 64 hex digits.
func (t *requestTemplate) appendSignature(dst, path []byte, by *signer) []byte {
	by.text = append(append(append(by.text[:0], "HEAD\n"...), path...), t.canonical...)
	by.sum = sha256.Sum256(by.text)
	by.text = hex.AppendEncode(by.text[:0], by.sum[:])
	return hex.AppendEncode(dst, by.mac(&t.mac, by.text))
}

// appendEscaped appends the key's bytes, percent-encoded once: all but the unreserved ones and the slash. The canonical
// URI is the same string, since S3 encodes once and cleans nothing.
func appendEscaped(dst []byte, key string) []byte {
	const digits = "0123456789ABCDEF"
	plain := 0 // where the bytes begin that are copied as they are
	for i := 0; i < len(key); i++ {
		if c := key[i]; !unreserved[c] {
			dst = append(append(dst, key[plain:i]...), '%', digits[c>>4], digits[c&15])
			plain = i + 1
		}
	}
	return append(dst, key[plain:]...)
}

// unreserved says which bytes stand for themselves in a path (RFC 3986 §2.3, and the slash).
var unreserved = byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/")

func byteSet(members string) (set [256]bool) {
	for i := range len(members) {
		set[members[i]] = true
	}
	return set
}
