package s3sim

import (
	"math/bits"
	"strconv"
)

// respond appends the response to a request and returns how it is sent.
func (c *conn) respond(r *request) sendMode {
	c.seq++
	op, code := c.route(r)
	c.schedule(r, op)
	if op.isLimited() && !c.srv.rateLimit.take(r.arrived) {
		c.srv.counts.throttled.Add(1)
		c.fail(r, op, codeSlowDown)
		return sendModeOf(r)
	}
	if fault := c.drawFault(op); fault != "" {
		return c.injectFault(fault, r, op)
	}
	c.respondNormally(r, op, code)
	return sendModeOf(r)
}

// schedule sets the time at which the response is due. It first sends earlier responses that are due at another time.
func (c *conn) schedule(r *request, op operation) {
	due := c.srv.stall.resumeAt(r.arrived)
	switch op {
	case opHead, opHeadBucket, opTags, opAnnotations:
		due = due.Add(c.srv.options.Latency)
	case opList:
		due = due.Add(c.srv.options.ListLatency)
	}
	due = c.srv.stall.resumeAt(due)
	if c.delayed != nil && len(c.out) > 0 && !due.Equal(c.due) {
		c.flush(sendKeepOpen) // the next read reports a broken connection
	}
	c.due = due
}

// respondNormally appends the response without a fault. code is the error that route found.
func (c *conn) respondNormally(r *request, op operation, code errorCode) {
	if refusal := c.srv.refusalCode(); refusal != codeNone {
		c.refuse(r, op, refusal)
		return
	}
	if refusal := c.verify(r); refusal != codeNone {
		code = refusal
	}
	switch {
	case code != codeNone:
		c.fail(r, op, code)
	case op == opHead:
		c.head(r)
	case op == opHeadBucket:
		c.headBucket(r)
	case op == opList:
		c.list(r)
	case op == opTags:
		c.tags(r)
	case op == opAnnotations:
		c.annotations(r)
	}
}

// refuse answers with the code that Server.Refuse set.
func (c *conn) refuse(r *request, op operation, code errorCode) {
	status, message := code.statusAndMessage()
	if op == opHead && c.srv.options.RefuseHead404 {
		status = 404
	}
	c.failAs(r, op, status, code, message)
}

// beginHead appends the status line and the headers that every response has.
func (c *conn) beginHead(op operation, status int) {
	c.uncounted.add(&c.srv.counts, op, status)
	c.out = append(c.out, "HTTP/1.1 "...)
	c.out = appendDigits(c.out, int64(status), 3)
	c.out = append(c.out, ' ')
	c.out = append(c.out, reason(status)...)
	c.out = append(c.out, "\r\nx-amz-request-id: "...)
	c.out = appendRequestID(c.out, c.id, c.seq)
	c.out = append(c.out, "\r\nDate: "...)
	c.out = c.dateHeader.appendDate(c.out, c.req.arrived.Add(c.srv.options.ClockAhead))
	if c.srv.options.ListMetadata {
		c.out = append(c.out, "\r\nServer: MinIO\r\n"...)
	} else {
		c.out = append(c.out, "\r\nServer: s3sim\r\n"...)
	}
}

// endHead appends the Connection header, if one is needed, and the empty line.
func (c *conn) endHead(r *request) {
	switch {
	case r.closeAfter:
		c.out = append(c.out, "Connection: close\r\n"...)
	case r.http10:
		c.out = append(c.out, "Connection: keep-alive\r\n"...)
	}
	c.out = append(c.out, "\r\n"...)
}

// lengthSpace is the placeholder of a Content-Length that is known only after the body is written. Blanks before a
// field's value are not part of it: RFC 9112 §5.
const lengthSpace = "          "

// endXML ends the head of a response and appends its body.
func (c *conn) endXML(r *request, appendBody func(dst []byte) []byte) {
	c.out = appendHeader(c.out, "Content-Type", "application/xml")
	c.out = append(c.out, "Content-Length: "...)
	c.out = append(c.out, lengthSpace...)
	lengthEnd := len(c.out)
	c.out = append(c.out, "\r\n"...)
	c.endHead(r)
	bodyAt := len(c.out)
	c.out = append(c.out, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"...)
	c.out = appendBody(c.out)
	digits := strconv.AppendInt(make([]byte, 0, len(lengthSpace)), int64(len(c.out)-bodyAt), 10)
	copy(c.out[lengthEnd-len(digits):], digits)
}

// endHeadWithoutBody ends the head of an error response to a HEAD. AWS announces a chunked body there, and sends none
// (RFC 9112 §6.3): a client that waits for the body hangs.
func (c *conn) endHeadWithoutBody(r *request) {
	if !r.http10 {
		c.out = append(c.out, "Transfer-Encoding: chunked\r\n"...)
	}
	c.endHead(r)
}

// appendRequestID appends sixteen digits that are unique among the requests of a Server, because mix is a bijection.
// They repeat after 2^40 requests on one connection.
func appendRequestID(dst []byte, conn, seq uint64) []byte {
	id := mix(bits.RotateLeft64(conn, 40)^seq, saltRequestID)
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, upperHex[id>>shift&15])
	}
	return dst
}
