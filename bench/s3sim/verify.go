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

// This file verifies signatures by the text of the specification, step by step. It shares no code with any signer,
// because an error that both make would go unnoticed.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html

const (
	signatureAlgorithm = "AWS4-HMAC-SHA256"
	signatureService   = "s3"
	signatureEnd       = "aws4_request"
	amzDate            = "20060102T150405Z"
	// clockSkewMax: https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
	clockSkewMax = 15 * time.Minute
)

// authorization is a parsed Authorization header.
type authorization struct {
	accessKey, day, region, service, end string
	signedHeaders                        []string // header names
	signature                            []byte
}

// signingKeyCache holds the signing key of a connection's latest request.
type signingKeyCache struct {
	day, secretKey string
	key            []byte // derived from both
}

// verify returns codeNone if the request's signature is valid, else the error code of S3.
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
	credentials, code := c.srv.findCredentials(auth.accessKey, string(token), r.arrived)
	if code != codeNone {
		return code
	}
	if auth.region != o.Region {
		if o.RedirectRegion {
			return codePermanentRedirect
		}
		return codeWrongRegion
	}
	return c.verifySignature(r, auth, credentials.SecretKey)
}

// verifySignature checks the time, the list of signed headers, and the signature.
func (c *conn) verifySignature(r *request, auth authorization, secret string) errorCode {
	text, _ := r.field("x-amz-date")
	at, err := time.Parse(amzDate, string(text))
	if err != nil {
		return codeAccessDenied // S3 also accepts the Date header, which no tested signer sends
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

// parseAuthorization parses a header such as
// "AWS4-HMAC-SHA256 Credential=K/day/region/s3/aws4_request, SignedHeaders=a;b, Signature=hex".
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

// signsRequired reports whether the signed headers include Host and every x-amz- header of the request.
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

// canonicalRequest returns the canonical request. It returns false if a percent escape is invalid or a signed header is
// missing.
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

// appendCanonical is UriEncode of the specification. It escapes once, with upper-case hex digits.
func appendCanonical(dst, text []byte, keepSlash bool) []byte {
	for _, b := range text {
		if isUnreserved(b) || b == '/' && keepSlash {
			dst = append(dst, b)
		} else {
			dst = append(dst, '%', upperHex[b>>4], upperHex[b&15])
		}
	}
	return dst
}

// appendCanonicalQuery appends the parameters, encoded and sorted. A parameter without a value gets an empty value.
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

// canonicalField returns all values of a header, trimmed, with runs of blanks replaced by one blank, joined by commas.
func (r *request) canonicalField(lower string) (value string, present bool) {
	var values []string
	for name, raw := range r.eachField {
		if equalFold(name, lower) {
			values = append(values, strings.Join(strings.Fields(string(raw)), " "))
		}
	}
	return strings.Join(values, ","), len(values) > 0
}

// signature computes the request's valid signature.
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
