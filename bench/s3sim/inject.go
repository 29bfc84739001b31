package s3sim

import "bytes"

// injectFault answers a request with a fault and returns how the response is sent. Responses that were appended before
// belong to other requests and are sent whole.
func (c *conn) injectFault(kind FaultKind, r *request, op operation) sendMode {
	c.srv.counts.countFault(kind)
	if mode, ok := c.injectStatus(kind, r, op); ok {
		return mode
	}
	if mode, ok := c.injectBadList(kind, r); ok {
		return mode
	}
	return c.injectConnFault(kind, r, op)
}

// injectStatus answers with the faults that are an error status. It returns false for other kinds.
func (c *conn) injectStatus(kind FaultKind, r *request, op operation) (sendMode, bool) {
	switch kind {
	case Fault500:
		c.fail(r, op, codeInternalError)
	case Fault502:
		c.failAsProxy(r, op, 502, "text/html", "<html><body><h1>502 Bad Gateway</h1></body></html>")
	case Fault503Empty:
		c.failAsProxy(r, op, 503, "", "")
	case Fault503RetryAfter:
		c.beginHead(op, 503)
		c.out = appendHeader(c.out, "Retry-After", "1")
		c.out = appendHeaderInt(c.out, "Content-Length", 0)
		c.endHead(r)
	case Fault504:
		c.failAsProxy(r, op, 504, "text/html", "<html><body><h1>504 Gateway Time-out</h1></body></html>")
	case Fault429:
		c.failAsProxy(r, op, 429, "", "")
	case Fault520:
		c.failAsProxy(r, op, 520, "text/plain", "error code: 520")
	case FaultListSlowDown:
		c.fail(r, op, codeSlowDown)
	default:
		return sendKeepOpen, false
	}
	return sendModeOf(r), true
}

// failAsProxy answers as a proxy in front of a store does: without S3's XML.
func (c *conn) failAsProxy(r *request, op operation, status int, contentType, body string) {
	c.beginHead(op, status)
	if contentType != "" {
		c.out = appendHeader(c.out, "Content-Type", contentType)
	}
	c.out = appendHeaderInt(c.out, "Content-Length", int64(len(body)))
	c.endHead(r)
	if op != opHead {
		c.out = append(c.out, body...)
	}
}

// sendModeOf returns how a complete response to r is sent.
func sendModeOf(r *request) sendMode {
	if r.closeAfter {
		return sendClose
	}
	return sendKeepOpen
}

const loginPage = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head>" +
	"<body><form action=\"/login\"><input name=\"user\"></form></body></html>\n"

// injectBadList answers a LIST with 200 and a wrong body. It returns false for other kinds.
func (c *conn) injectBadList(kind FaultKind, r *request) (sendMode, bool) {
	switch kind {
	case FaultListError:
		c.failAs(r, opList, 200, codeInternalError, "We encountered an internal error. Please try again.")
	case FaultListEmpty:
		c.failAsProxy(r, opList, 200, "application/xml", "")
	case FaultListHTML:
		c.failAsProxy(r, opList, 200, "text/html", loginPage)
	case FaultListCutShort:
		start := c.flushEarlier()
		c.respondNormally(r, opList, codeNone)
		body := start + headLength(c.out[start:])
		c.out = c.out[:body+(len(c.out)-body)/2]
		return sendFIN, true
	case FaultListBadChunk:
		c.appendBadChunk(r)
		return sendClose, true
	default:
		return sendKeepOpen, false
	}
	return sendModeOf(r), true
}

// appendBadChunk appends one valid chunk and then a chunk whose size is not a number: RFC 9112 §7.1.
func (c *conn) appendBadChunk(r *request) {
	c.beginHead(opList, 200)
	c.out = appendHeader(c.out, "Content-Type", "application/xml")
	c.out = appendHeader(c.out, "Transfer-Encoding", "chunked")
	c.endHead(r)
	c.out = append(c.out, "27\r\n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\r\n"...)
	c.out = append(c.out, "chunk of unknown size\r\n<ListBucketResult>\r\n0\r\n\r\n"...)
}

// injectConnFault breaks or slows the connection.
func (c *conn) injectConnFault(kind FaultKind, r *request, op operation) sendMode {
	switch kind {
	case FaultRSTBeforeByte:
		c.flushEarlier()
		return sendReset
	case FaultRefuse:
		c.flushEarlier()
		c.srv.pauseListeners()
		return sendReset
	case FaultHang:
		c.flushEarlier()
		return sendHang
	case FaultRSTInHeaders, FaultFINInHeaders:
		start := c.flushEarlier()
		c.respondNormally(r, op, codeNone)
		c.out = c.out[:start+headLength(c.out[start:])/2]
		if kind == FaultRSTInHeaders {
			return sendReset
		}
		return sendFIN
	case FaultIdleClose:
		c.flushEarlier()
		c.respondNormally(r, op, codeNone)
		return sendClose
	case FaultBytePerSecond:
		c.flushEarlier()
		c.respondNormally(r, op, codeNone)
		return sendSlowly
	}
	return c.injectExtraBytes(kind, r, op)
}

// injectExtraBytes answers with bytes that do not belong to the response.
func (c *conn) injectExtraBytes(kind FaultKind, r *request, op operation) sendMode {
	switch kind {
	case FaultHeadBody:
		c.respondNormally(r, op, codeNone)
		c.out = append(c.out, "a HEAD has no body, and this is one\n"...)
	case FaultUnsolicited:
		c.respondNormally(r, op, codeNone)
		c.appendUnsolicited(r)
	case FaultGarbageStatus:
		c.out = append(c.out, "HTTZ/1,1 2OO 0K\r\n\r\n"...)
	case Fault103: // RFC 8297
		c.out = append(c.out, "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"...)
		c.respondNormally(r, op, codeNone)
	}
	return sendModeOf(r)
}

// appendUnsolicited appends the response to a HEAD of another object, which no client sent. A client that reads on
// mistakes it for the response to its next request.
func (c *conn) appendUnsolicited(r *request) {
	other := c.srv.Object([]byte("unsolicited"))
	plain := *r
	plain.customerKey, plain.checksumMode = nil, false
	c.headObject(&plain, other, HeadOK)
}

// flushEarlier sends the responses that were appended before, so that the fault affects this response alone. It returns
// the index in out at which this response begins.
func (c *conn) flushEarlier() int {
	if len(c.out) > 0 {
		c.flush(sendKeepOpen)
	}
	return len(c.out)
}

// headLength returns the length of a response's head.
func headLength(response []byte) int {
	end := bytes.Index(response, []byte("\r\n\r\n"))
	return end + 4
}

// pauseListeners refuses new connections for Options.RefuseFor.
func (s *Server) pauseListeners() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.listeners {
		l.pause()
	}
}
