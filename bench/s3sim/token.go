package s3sim

import (
	"encoding/base64"
	"encoding/binary"
)

// token is what a continuation token means. To clients it is opaque; it holds
// "+", "/" and "=" as those of AWS do, so that a client must escape it.
type token struct {
	epoch          uint32 // Server.Restart makes tokens of an earlier one void
	serial         uint32 // of all tokens handed out: two are never equal
	fromStartAfter bool   // the listing began with start-after
	last           []byte // the last entry before the page; empty at the start
}

// tokenHeaderBytes is what precedes last: a sum, epoch, number, flag.
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

// parseToken is the inverse. It returns false for what no Server handed out.
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

// tokenChecksum finds a token that was cut or decoded wrongly on its way.
func tokenChecksum(raw []byte) uint32 { return uint32(hashKey(raw[4:])) }
