package s3sim

import (
	"bytes"
	"math/bits"
)

// operation is what a request asks for.
type operation uint8

const (
	opOther operation = iota
	opHead
	opHeadBucket
	opList
	operationCount // how many there are
)

// respond appends the answer to a request and says how it is to be sent.
func (c *conn) respond(r *request) sendMode {
	c.seq++
	op, code := c.route(r)
	c.schedule(r, op)
	if (op == opHead || op == opList) && !c.srv.rateLimit.take(r.arrived) {
		c.srv.counts.throttled.Add(1)
		c.fail(r, op, codeSlowDown)
		return sendModeOf(r)
	}
	if fault := c.drawFault(op); fault != "" {
		return c.injectFault(fault, r, op)
	}
	c.respondNormally(r, op, code)
	if r.closeAfter {
		return sendClose
	}
	return sendKeepOpen
}

// schedule sets when the answer is due. Answers that are due at another time
// than those before are sent apart.
func (c *conn) schedule(r *request, op operation) {
	due := c.srv.stall.resumeAt(r.arrived)
	switch op {
	case opHead, opHeadBucket:
		due = due.Add(c.srv.options.Latency)
	case opList:
		due = due.Add(c.srv.options.ListLatency)
	}
	due = c.srv.stall.resumeAt(due)
	if c.delayed != nil && len(c.out) > 0 && !due.Equal(c.due) {
		c.flush(sendKeepOpen) // a broken connection shows at the next read
	}
	c.due = due
}

// respondNormally is the answer of a store in which nothing goes wrong by chance.
func (c *conn) respondNormally(r *request, op operation, code errorCode) {
	if refused := c.srv.refusalCode(); refused != codeNone {
		c.refuse(r, op, refused)
		return
	}
	if unsigned := c.verify(r); unsigned != codeNone {
		code = unsigned
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
	}
}

// refuse answers as Server.Refuse has ordered.
func (c *conn) refuse(r *request, op operation, code errorCode) {
	status, message := code.statusAndMessage()
	if op == opHead && c.srv.options.RefuseHead404 {
		status = 404
	}
	c.failAs(r, op, status, code, message)
}

// route finds out what is asked: the operation, and the key or the listing's
// parameters.
func (c *conn) route(r *request) (operation, errorCode) {
	c.key, c.page.query = c.key[:0], listQuery{}
	path, query := splitTarget(r.target)
	if r.isChunked || len(path) == 0 || path[0] != '/' {
		return c.notImplemented(r)
	}
	path, ok := c.bucketOf(r, path[1:])
	if len(path) > 0 {
		var escaped bool
		c.key, escaped = appendUnescaped(c.key, path, false)
		if !escaped {
			return opOther, codeInvalidURI
		}
	}
	op, code := c.operationOf(r, query)
	if code == codeNone && !ok {
		code = codeNoSuchBucket
	}
	return op, code
}

// operationOf tells the operations apart that a Server knows, once the key is known.
func (c *conn) operationOf(r *request, query []byte) (operation, errorCode) {
	switch method := string(r.method); {
	case method == "HEAD" && len(c.key) > 0 && !selectsVersion(query):
		return opHead, codeNone
	case method == "HEAD" && len(c.key) == 0:
		return opHeadBucket, codeNone
	case method == "GET" && len(c.key) == 0:
		return c.parseList(r, query)
	}
	return c.notImplemented(r)
}

// notImplemented refuses; a body that would follow is not read, so the
// connection ends.
func (c *conn) notImplemented(r *request) (operation, errorCode) {
	if r.isChunked || r.bodyBytes > 0 {
		r.closeAfter = true
	}
	return opOther, codeNotImplemented
}

// splitTarget returns path and query, still encoded. The absolute form, which
// proxies send, is accepted: RFC 9112 §3.2.2.
func splitTarget(target []byte) (path, query []byte) {
	for _, scheme := range []string{"http://", "https://"} {
		if len(target) > len(scheme) && equalFold(target[:len(scheme)], scheme) {
			target = target[len(scheme):]
			slash := bytes.IndexByte(target, '/')
			if slash < 0 {
				return nil, nil
			}
			target = target[slash:]
		}
	}
	path, query, _ = bytes.Cut(target, []byte("?"))
	return path, query
}

// bucketOf returns the encoded key, and whether the bucket is the one there is:
// virtual-hosted when Host begins with "bucket.", else the path's first segment.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
func (c *conn) bucketOf(r *request, path []byte) (key []byte, ok bool) {
	bucket := c.srv.options.Bucket
	if len(r.host) > len(bucket) && r.host[len(bucket)] == '.' && string(r.host[:len(bucket)]) == bucket {
		return path, true
	}
	name, key, _ := bytes.Cut(path, []byte("/"))
	return key, string(name) == bucket
}

// selectsVersion tells whether a HEAD asks for a version or a part, of which
// there are none.
func selectsVersion(query []byte) bool {
	return bytes.Contains(query, []byte("versionId=")) || bytes.Contains(query, []byte("partNumber="))
}

// beginHead appends the status line and the headers that every answer has.
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

// endHead appends what the connection's state asks for, and the empty line.
func (c *conn) endHead(r *request) {
	switch {
	case r.closeAfter:
		c.out = append(c.out, "Connection: close\r\n"...)
	case r.http10:
		c.out = append(c.out, "Connection: keep-alive\r\n"...)
	}
	c.out = append(c.out, "\r\n"...)
}

// endHeadWithoutBody ends the head of an error to a HEAD. AWS announces a chunked body
// there, which never comes (RFC 9112 §6.3): a client that waits for it, hangs.
func (c *conn) endHeadWithoutBody(r *request) {
	if !r.http10 {
		c.out = append(c.out, "Transfer-Encoding: chunked\r\n"...)
	}
	c.endHead(r)
}

// appendRequestID appends sixteen digits that no other request of this Server
// gets: mix is a bijection. A connection has 2^40 requests before they repeat.
func appendRequestID(dst []byte, conn, seq uint64) []byte {
	id := mix(bits.RotateLeft64(conn, 40)^seq, saltRequestID)
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, upperHex[id>>shift&15])
	}
	return dst
}
