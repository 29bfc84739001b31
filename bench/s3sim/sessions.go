package s3sim

import (
	"fmt"
	"sync"
	"time"
)

// sessions are the temporary credentials that were handed out. They may be used concurrently.
type sessions struct {
	mu    sync.Mutex
	byKey map[string]session
}

type session struct {
	Credentials
	expiry time.Time
}

// NewSession returns credentials that are accepted for that long from now on, as STS hands them out: a key, a secret and a token
// that belong together. After that they are refused with ExpiredToken. Where Options has no Credentials nothing is verified,
// and so none are refused.
func (s *Server) NewSession(lasts time.Duration) Credentials {
	s.sessions.mu.Lock()
	defer s.sessions.mu.Unlock()
	if s.sessions.byKey == nil {
		s.sessions.byKey = map[string]session{}
	}
	n := len(s.sessions.byKey)
	c := Credentials{
		AccessKey: fmt.Sprint("session", n), SecretKey: fmt.Sprint("secret", n), SessionToken: fmt.Sprint("token", n),
	}
	s.sessions.byKey[c.AccessKey] = session{c, time.Now().Add(lasts)}
	return c
}

// findCredentials returns those of an access key, if the token belongs to it and they are still accepted.
func (s *Server) findCredentials(accessKey, token string, at time.Time) (Credentials, errorCode) {
	c, expired := s.options.Credentials, false
	if accessKey != c.AccessKey {
		s.sessions.mu.Lock()
		given, known := s.sessions.byKey[accessKey]
		s.sessions.mu.Unlock()
		if !known {
			return c, codeInvalidAccessKeyID
		}
		c, expired = given.Credentials, at.After(given.expiry)
	}
	switch {
	case token != c.SessionToken:
		return c, codeInvalidToken
	case expired:
		return c, codeExpiredToken
	}
	return c, codeNone
}
