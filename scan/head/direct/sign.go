package direct

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding"
	"hash"
)

// mac is the HMAC-SHA-256 (RFC 2104) of texts with a common beginning. The key and that beginning are hashed once.
type mac struct {
	inner, outer []byte // SHA-256 states after the padded key; inner is after the beginning, too
}

// newMAC returns the mac of texts that start with beginning. key must not be longer than a block of SHA-256.
func newMAC(key []byte, beginning string) mac {
	digest := sha256.New()
	return mac{inner: macState(digest, key, 0x36, beginning), outer: macState(digest, key, 0x5c, "")}
}

// macState returns the state of digest after the padded key and text.
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
		panic("SHA-256 state cannot be saved: " + err.Error()) // crypto/sha256 never returns an error here
	}
	return state
}

// signer is the working memory for signatures. It must not be used concurrently.
type signer struct {
	digest hash.Hash // SHA-256
	text   []byte
	sum    [sha256.Size]byte
}

func newSigner() signer { return signer{digest: sha256.New()} }

// mac returns the MAC of the text that ends with rest. It is valid until the next call.
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
		panic("invalid SHA-256 state: " + err.Error()) // state comes from MarshalBinary
	}
}

// signingKey derives the signing key of a day.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
func signingKey(secret, day, region, service string) []byte {
	key := []byte("AWS4" + secret)
	for _, part := range []string{day, region, service, "aws4_request"} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return key
}
