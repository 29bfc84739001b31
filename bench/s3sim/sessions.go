package s3sim

import (
	"fmt"
	"sync"
	"time"
)

// sessions holds the temporary credentials that NewSession issued. It may be used concurrently.
type sessions struct {
	mu    sync.Mutex
	byKey map[string]session // by access key
}

type session struct {
	Credentials
	expiry time.Time
}

// NewSession returns temporary credentials as STS issues them: an access key, a secret key and a token that belong
// together. The Server accepts them for lifetime from now on, and then refuses them with ExpiredToken. A Server whose
// Options have no Credentials verifies nothing and accepts them for ever. NewSession may be called concurrently.
func (s *Server) NewSession(lifetime time.Duration) Credentials {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	if s.sessions.byKey == nil {
		s.sessions.byKey = map[string]session{}
	}
	n := len(s.sessions.byKey)
	c := Credentials{
		AccessKey: fmt.Sprint("session", n), SecretKey: fmt.Sprint("secret", n), SessionToken: fmt.Sprint("token", n),
	}
	s.sessions.byKey[c.AccessKey] = session{c, time.Now().Add(lifetime)}
	return c
}

// findCredentials returns the credentials of an access key. It returns an error code when the key is unknown, the token
// belongs to another key, or the session has expired.
func (s *Server) findCredentials(accessKey, token string, at time.Time) (Credentials, errorCode) {
	c, expired := s.options.Credentials, false
	if accessKey != c.AccessKey {
		s.sessions.mu.Lock()
		found, ok := s.sessions.byKey[accessKey]
		s.sessions.mu.Unlock()
		if !ok {
			return c, codeInvalidAccessKeyID
		}
		c, expired = found.Credentials, at.After(found.expiry)
	}
	switch {
	case token != c.SessionToken:
		return c, codeInvalidToken
	case expired:
		return c, codeExpiredToken
	}
	return c, codeNone
}
