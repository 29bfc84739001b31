package s3sim

import "bytes"

// play answers a request with a fault, and says how the answer is to be sent.
// Whatever was appended before it belongs to other requests, and is sent well.
func (c *conn) play(kind FaultKind, r *request, op operation) manner {
	c.srv.counts.played(kind)
	if then, ok := c.playStatus(kind, r, op); ok {
		return then
	}
	if then, ok := c.playList(kind, r); ok {
		return then
	}
	return c.playConnection(kind, r, op)
}

// playStatus plays the faults that are an answer with an error status.
func (c *conn) playStatus(kind FaultKind, r *request, op operation) (manner, bool) {
	switch kind {
	case Fault500:
		c.fail(r, op, codeInternalError)
	case Fault502:
		c.failPlain(r, op, 502, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>")
	case Fault503Empty:
		c.failPlain(r, op, 503, "", "")
	case Fault503RetryAfter:
		c.begin(op, 503)
		c.out = appendHeader(c.out, "Retry-After", "1")
		c.out = appendHeaderInt(c.out, "Content-Length", 0)
		c.endHead(r)
	case Fault504:
		c.failPlain(r, op, 504, "text/html", "<html><body><h1>504 Gateway Time-out</h1></body></html>")
	case Fault429:
		c.failPlain(r, op, 429, "", "")
	case Fault520:
		c.failPlain(r, op, 520, "text/plain", "error code: 520")
	case FaultListSlowDown:
		c.fail(r, op, codeSlowDown)
	default:
		return thenGoOn, false
	}
	return after(r), true
}

// failPlain answers as what stands in front of a store does: not in XML.
func (c *conn) failPlain(r *request, op operation, status int, contentType, body string) {
	c.begin(op, status)
	if contentType != "" {
		c.out = appendHeader(c.out, "Content-Type", contentType)
	}
	c.out = appendHeaderInt(c.out, "Content-Length", int64(len(body)))
	c.endHead(r)
	if op != opHead {
		c.out = append(c.out, body...)
	}
}

// after is how a whole answer is sent.
func after(r *request) manner {
	if r.closing {
		return thenClose
	}
	return thenGoOn
}

const loginPage = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>" +
	"<body><form action=\"/login\"><input name=\"user\"></form></body></html>\n"

// playList plays the faults that are a LIST's 200 gone wrong.
func (c *conn) playList(kind FaultKind, r *request) (manner, bool) {
	switch kind {
	case FaultListError:
		c.failAs(r, opList, 200, codeInternalError, "We encountered an internal error. Please try again.")
	case FaultListEmpty:
		c.failPlain(r, opList, 200, "application/xml", "")
	case FaultListHTML:
		c.failPlain(r, opList, 200, "text/html", loginPage)
	case FaultListCutShort:
		start := c.apart()
		c.answerWell(r, opList, codeNone)
		body := start + headLength(c.out[start:])
		c.out = c.out[:body+(len(c.out)-body)/2]
		return thenFIN, true
	case FaultListBadChunk:
		c.badChunk(r)
		return thenClose, true
	default:
		return thenGoOn, false
	}
	return after(r), true
}

// badChunk sends one good chunk and then one whose size is no number (RFC 9112 §7.1).
func (c *conn) badChunk(r *request) {
	c.begin(opList, 200)
	c.out = appendHeader(c.out, "Content-Type", "application/xml")
	c.out = appendHeader(c.out, "Transfer-Encoding", "chunked")
	c.endHead(r)
	c.out = append(c.out, "27\r\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\r\n"...)
	c.out = append(c.out, "chunk of unknown size\r\n<ListBucketResult>\r\n0\r\n\r\n"...)
}

// playConnection plays the faults of the connection.
func (c *conn) playConnection(kind FaultKind, r *request, op operation) manner {
	switch kind {
	case FaultRSTBeforeByte:
		c.apart()
		return thenReset
	case FaultRefuse:
		c.apart()
		c.srv.refuseConnections()
		return thenReset
	case FaultHang:
		c.apart()
		return thenHang
	case FaultRSTInHeaders, FaultFINInHeaders:
		start := c.apart()
		c.answerWell(r, op, codeNone)
		c.out = c.out[:start+headLength(c.out[start:])/2]
		if kind == FaultRSTInHeaders {
			return thenReset
		}
		return thenFIN
	case FaultIdleClose:
		c.apart()
		c.answerWell(r, op, codeNone)
		return thenClose
	case FaultBytePerSecond:
		c.apart()
		c.answerWell(r, op, codeNone)
		return drip
	}
	return c.playExtra(kind, r, op)
}

// playExtra plays the faults that are more than an answer.
func (c *conn) playExtra(kind FaultKind, r *request, op operation) manner {
	switch kind {
	case FaultHeadBody:
		c.answerWell(r, op, codeNone)
		c.out = append(c.out, "a HEAD has no body, and this is one\n"...)
	case FaultUnsolicited:
		c.answerWell(r, op, codeNone)
		c.unsolicited(r)
	case FaultGarbageStatus:
		c.out = append(c.out, "HTTZ/1,1 2OO 0K\r\n\r\n"...)
	case Fault103: // RFC 8297
		c.out = append(c.out, "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"...)
		c.answerWell(r, op, codeNone)
	}
	return after(r)
}

// unsolicited appends the answer to a HEAD that nobody sent, of another object:
// a client that reads on takes it for the answer to its next request.
func (c *conn) unsolicited(r *request) {
	other := c.srv.Object([]byte("unsolicited"))
	c.headObject(r, other, false)
}

// apart sends what was appended so far, so that the fault hits this answer
// alone. It returns where the answer begins.
func (c *conn) apart() int {
	if len(c.out) > 0 {
		c.flush(thenGoOn)
	}
	return len(c.out)
}

// headLength returns the length of an answer's head.
func headLength(answer []byte) int {
	end := bytes.Index(answer, []byte("\r\n\r\n"))
	return end + 4
}

// refuseConnections shuts all doors for a while.
func (s *Server) refuseConnections() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for d := range s.doors {
		d.refuse()
	}
}
