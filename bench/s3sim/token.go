package s3sim

import (
	"encoding/base64"
	"encoding/binary"
)

// token is a decoded continuation token. Clients must treat its text as opaque. The text is base64 and contains "+",
// "/" and "=" as the tokens of AWS do, so that a client must escape it.
type token struct {
	epoch          uint32 // Server.Restart invalidates the tokens of earlier epochs
	serial         uint32 // differs between any two tokens of a Server
	fromStartAfter bool   // the listing began with start-after
	last           []byte // last entry before the page; empty at the start
}

// tokenHeaderBytes is the length of all that precedes last: checksum, epoch, serial, flag.
const tokenHeaderBytes = 4 + 4 + 4 + 1

// append appends the token as text.
func (t token) append(dst []byte) []byte {
	raw := make([]byte, 4, tokenHeaderBytes+len(t.last))
	raw = binary.BigEndian.AppendUint32(raw, t.epoch)
	raw = binary.BigEndian.AppendUint32(raw, t.serial)
	flag := byte(0)
	if t.fromStartAfter {
		flag = 1
	}
	raw = append(append(raw, flag), t.last...)
	binary.BigEndian.PutUint32(raw, tokenChecksum(raw))
	return base64.StdEncoding.AppendEncode(dst, raw)
}

// parseToken is the inverse of append. It returns false for text that no Server issued.
func parseToken(text []byte) (t token, ok bool) {
	raw, err := base64.StdEncoding.Strict().AppendDecode(nil, text)
	if err != nil || len(raw) < tokenHeaderBytes || binary.BigEndian.Uint32(raw) != tokenChecksum(raw) {
		return token{}, false
	}
	return token{
		epoch:          binary.BigEndian.Uint32(raw[4:]),
		serial:         binary.BigEndian.Uint32(raw[8:]),
		fromStartAfter: raw[12] == 1,
		last:           raw[tokenHeaderBytes:],
	}, true
}

// tokenChecksum detects a token that the client cut or decoded wrongly.
func tokenChecksum(raw []byte) uint32 { return uint32(hashKey(raw[4:])) }
