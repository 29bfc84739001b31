package s3sim

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"slices"
	"strings"
	"time"
)

// Signatures are verified from the text of the specification, step by step, and
// with nothing taken from any signer: an error that both made would not be seen.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

const (
	signatureAlgorithm = "AWS4-HMAC-SHA256"
	signatureService   = "s3"
	signatureEnd       = "aws4_request"
	amzDate            = "20060102T150405Z"
	// clockSkewMax: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
	clockSkewMax = 15 * time.Minute
)

// authorization is the Authorization header, taken apart.
type authorization struct {
	accessKey, day, region, service, end string
	signedHeaders                        []string // header names
	signature                            []byte
}

// signingKeyCache is what a connection keeps for the next signature.
type signingKeyCache struct {
	day, secretKey string
	key            []byte // signing key of both
}

// verify returns codeNone if the request is signed as it must be, else what S3
// says about it.
func (c *conn) verify(r *request) errorCode {
	o := &c.srv.options
	if o.AccessKey == "" {
		return codeNone
	}
	header, present := r.field("authorization")
	if !present {
		return codeAccessDenied // anonymous
	}
	auth, ok := parseAuthorization(string(header))
	if !ok || auth.service != signatureService || auth.end != signatureEnd {
		return codeWrongRegion
	}
	token, _ := r.field("x-amz-security-token")
	given, code := c.srv.findCredentials(auth.accessKey, string(token), r.arrived)
	if code != codeNone {
		return code
	}
	if auth.region != o.Region {
		if o.RedirectRegion {
			return codePermanentRedirect
		}
		return codeWrongRegion
	}
	return c.verifySignature(r, auth, given.SecretKey)
}

// verifySignature checks the time, what is signed, and the signature.
func (c *conn) verifySignature(r *request, auth authorization, secret string) errorCode {
	text, _ := r.field("x-amz-date")
	at, err := time.Parse(amzDate, string(text))
	if err != nil {
		return codeAccessDenied // S3 takes the Date header too, which no signer here sends
	}
	if skew := r.arrived.Add(c.srv.options.ClockAhead).Sub(at); skew.Abs() > clockSkewMax {
		return codeRequestTimeTooSkewed
	}
	if at.Format("20060102") != auth.day {
		return codeSignatureMismatch
	}
	if !r.signsRequired(auth.signedHeaders) {
		return codeAccessDenied
	}
	canonical, ok := r.canonicalRequest(auth.signedHeaders)
	if !ok {
		return codeSignatureMismatch
	}
	want := c.signature(auth, secret, string(text), canonical)
	if subtle.ConstantTimeCompare(want, auth.signature) != 1 {
		return codeSignatureMismatch
	}
	return codeNone
}

// parseAuthorization takes
// "AWS4-HMAC-SHA256 Credential=K/day/region/s3/aws4_request, SignedHeaders=a;b, Signature=hex" apart.
func parseAuthorization(text string) (a authorization, ok bool) {
	text, ok = strings.CutPrefix(text, signatureAlgorithm+" ")
	if !ok {
		return a, false
	}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) < 5 {
				return a, false
			}
			last := len(scope) - 4 // an access key may contain slashes
			a.accessKey = strings.Join(scope[:last], "/")
			a.day, a.region, a.service, a.end = scope[last], scope[last+1], scope[last+2], scope[last+3]
		case "SignedHeaders":
			a.signedHeaders = strings.Split(value, ";")
		case "Signature":
			var err error
			if a.signature, err = hex.DecodeString(value); err != nil {
				return a, false
			}
		}
	}
	return a, a.accessKey != "" && len(a.signedHeaders) > 0 && len(a.signature) == sha256.Size
}

// signsRequired tells whether host and every x-amz- header that was sent are signed.
func (r *request) signsRequired(signed []string) bool {
	if !slices.Contains(signed, "host") {
		return false
	}
	for name := range r.eachField {
		lower := strings.ToLower(string(name))
		if strings.HasPrefix(lower, "x-amz-") && !slices.Contains(signed, lower) {
			return false
		}
	}
	return true
}

// canonicalRequest returns the canonical request. It returns false for a request that
// has none: escapes that cannot be decoded, a signed header that was not sent.
func (r *request) canonicalRequest(signed []string) ([]byte, bool) {
	path, query := splitTarget(r.target)
	out := append([]byte(nil), r.method...)
	out = append(out, '\n')
	decoded, ok := appendUnescaped(nil, path, false)
	if !ok {
		return nil, false
	}
	out = append(appendCanonical(out, decoded, true), '\n')
	if out, ok = appendCanonicalQuery(out, query); !ok {
		return nil, false
	}
	out = append(out, '\n')
	for _, name := range signed {
		value, present := r.canonicalField(name)
		if !present {
			return nil, false
		}
		out = append(append(out, name...), ':')
		out = append(append(out, value...), '\n')
	}
	out = append(out, '\n')
	out = append(append(out, strings.Join(signed, ";")...), '\n')
	payload, _ := r.field("x-amz-content-sha256")
	return append(out, payload...), true
}

// appendCanonical is the specification's UriEncode: once, upper-case hex.
func appendCanonical(dst, text []byte, slashStays bool) []byte {
	for _, b := range text {
		if unreserved(b) || b == '/' && slashStays {
			dst = append(dst, b)
		} else {
			dst = append(dst, '%', upperHex[b>>4], upperHex[b&15])
		}
	}
	return dst
}

// appendCanonicalQuery appends the parameters encoded and sorted; one without a
// value gets an empty one.
func appendCanonicalQuery(dst, query []byte) ([]byte, bool) {
	type parameter struct{ name, value string }
	var parameters []parameter
	for part := range bytes.SplitSeq(query, []byte("&")) {
		if len(part) == 0 {
			continue
		}
		name, value, _ := bytes.Cut(part, []byte("="))
		name, ok1 := appendUnescaped(nil, name, true)
		value, ok2 := appendUnescaped(nil, value, true)
		if !ok1 || !ok2 {
			return dst, false
		}
		parameters = append(parameters, parameter{
			string(appendCanonical(nil, name, false)),
			string(appendCanonical(nil, value, false)),
		})
	}
	slices.SortFunc(parameters, func(a, b parameter) int {
		if order := strings.Compare(a.name, b.name); order != 0 {
			return order
		}
		return strings.Compare(a.value, b.value)
	})
	for i, p := range parameters {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, p.name+"="+p.value...)
	}
	return dst, true
}

// canonicalField returns all values of a header, trimmed, runs of blanks made
// one, and joined with a comma.
func (r *request) canonicalField(lower string) (value string, present bool) {
	var values []string
	for name, raw := range r.eachField {
		if equalFold(name, lower) {
			values = append(values, strings.Join(strings.Fields(string(raw)), " "))
		}
	}
	return strings.Join(values, ","), len(values) > 0
}

// field returns the first value of a header.
func (r *request) field(lower string) (value []byte, present bool) {
	for name, raw := range r.eachField {
		if equalFold(name, lower) {
			return raw, true
		}
	}
	return nil, false
}

// signature computes what the request's signature must be.
func (c *conn) signature(auth authorization, secret, at string, canonical []byte) []byte {
	o := &c.srv.options
	if c.signingKey.day != auth.day || c.signingKey.secretKey != secret {
		key := hmacSHA256([]byte("AWS4"+secret), auth.day)
		key = hmacSHA256(key, o.Region)
		key = hmacSHA256(key, signatureService)
		c.signingKey = signingKeyCache{day: auth.day, secretKey: secret, key: hmacSHA256(key, signatureEnd)}
	}
	hash := sha256.Sum256(canonical)
	scope := auth.day + "/" + o.Region + "/" + signatureService + "/" + signatureEnd
	return hmacSHA256(c.signingKey.key,
		signatureAlgorithm+"\n"+at+"\n"+scope+"\n"+hex.EncodeToString(hash[:]))
}

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
