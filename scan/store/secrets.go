package store

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Masked stands in a text for a secret.
const Masked = "[masked]"

// Redact returns a text of the store without the secrets that requests carry or are signed with: the session token, the
// secret key, and signatures. Debugging proxies and some errors echo the request. Each text of an answer that becomes
// an error, or a part of one, passes Redact or RedactError. Records do not: metadata are as the store has them.
func (s *Store) Redact(text string) string {
	if s.anonymous() || len(text) < secretBytesMin {
		return text
	}
	return s.provider.secrets.redact(text)
}

// RedactError returns an error whose text passes Redact, and that wraps err; nil for nil.
func (s *Store) RedactError(err error) error {
	if err == nil || s.anonymous() {
		return err
	}
	return &redactedError{err, &s.provider.secrets}
}

type redactedError struct {
	err     error
	secrets *secrets
}

func (e *redactedError) Error() string { return e.secrets.redact(e.err.Error()) }
func (e *redactedError) Unwrap() error { return e.err }

const (
	// secretBytesMin is the length of the shortest secret that is masked. A shorter one, such as test, is a word.
	secretBytesMin = 8

	// pieceBytes is the length of the shortest piece of a secret that is masked: messages are cut somewhere.
	pieceBytes = 12

	// secretsKept is how many pairs of keys are remembered. A late answer may echo the keys before the present ones.
	secretsKept = 3
)

// secrets are those of the latest credentials. The zero value has none. Its methods may be called concurrently.
type secrets struct {
	latest atomic.Pointer[secretPair]
	mu     sync.Mutex // held while latest is replaced
}

// secretPair is the secrets of one pair of keys.
type secretPair struct {
	key, token string
	pieces     func() map[string]struct{} // by their length, which is pieceBytes or that of a shorter secret
	before     *secretPair
}

// note remembers the secrets of credentials. In the usual case they are known, and it allocates nothing.
func (s *secrets) note(c *aws.Credentials) {
	if s.isLatest(c) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isLatest(c) {
		return
	}
	latest := newSecretPair(c.SecretAccessKey, c.SessionToken)
	last := latest
	for p, n := s.latest.Load(), 1; p != nil && n < secretsKept; p, n = p.before, n+1 {
		last.before = &secretPair{key: p.key, token: p.token, pieces: p.pieces}
		last = last.before
	}
	s.latest.Store(latest)
}

func (s *secrets) isLatest(c *aws.Credentials) bool {
	p := s.latest.Load()
	return p != nil && p.key == c.SecretAccessKey && p.token == c.SessionToken
}

// signature is a signature of SigV4, whole or cut.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
var signature = regexp.MustCompile(`(?i)(signature(?:=|%3D|&#61;|"?: ?"?))[0-9a-f]{8,}`)

func (s *secrets) redact(text string) string {
	for p := s.latest.Load(); p != nil; p = p.before {
		text = mask(text, p.pieces())
	}
	return signature.ReplaceAllString(text, "${1}"+Masked)
}

func newSecretPair(key, token string) *secretPair {
	return &secretPair{key: key, token: token, pieces: sync.OnceValue(func() map[string]struct{} {
		pieces := map[string]struct{}{}
		for _, secret := range []string{key, token} {
			addPieces(pieces, secret)
		}
		return pieces
	})}
}

// addPieces adds all pieces of a secret, in each form in which an answer may echo it.
func addPieces(pieces map[string]struct{}, secret string) {
	if len(secret) < secretBytesMin {
		return
	}
	escaped := url.QueryEscape(secret)
	forms := []string{
		secret, escaped, url.PathEscape(secret), url.QueryEscape(escaped), html.EscapeString(secret),
		strings.NewReplacer("+", "&#43;", "/", "&#47;", "=", "&#61;").Replace(secret),
		strings.NewReplacer("+", `\u002b`, "=", `\u003d`).Replace(secret), strings.ReplaceAll(secret, "/", `\/`),
	}
	for _, form := range forms {
		for _, f := range []string{form, strings.ToLower(form)} {
			for n := min(pieceBytes, len(f)); len(f) >= n; f = f[1:] {
				pieces[f[:n]] = struct{}{}
			}
		}
	}
}

// mask replaces the parts of text that consist of pieces.
func mask(text string, pieces map[string]struct{}) string {
	if len(pieces) == 0 {
		return text
	}
	var masked strings.Builder
	copied, secretEnd := 0, 0 // text before copied is in masked; a secret ends at secretEnd
	for i := range len(text) {
		n := pieceAt(text[i:], pieces)
		switch {
		case n == 0:
		case i > secretEnd || secretEnd == 0:
			masked.WriteString(text[copied:i])
			masked.WriteString(Masked)
			fallthrough
		default:
			secretEnd = max(secretEnd, i+n)
			copied = secretEnd
		}
	}
	return masked.String() + text[copied:]
}

// pieceAt returns the length of the piece with which text begins; 0: none.
func pieceAt(text string, pieces map[string]struct{}) int {
	for n := min(pieceBytes, len(text)); n >= secretBytesMin; n-- {
		if _, ok := pieces[text[:n]]; ok {
			return n
		}
	}
	return 0
}
