package s3sim

import "bytes"

// operation is what a request asks for.
type operation uint8

const (
	opOther operation = iota
	opHead
	opHeadBucket
	opList
	opTags         // GetObjectTagging
	opAnnotations  // ListObjectAnnotations
	operationCount // number of operations
)

// isLimited reports whether Options.RateMax limits the operation, and Options.Faults affect it.
func (o operation) isLimited() bool { return o != opOther && o != opHeadBucket }

// route returns the operation of a request. It sets c.key and c.version, or for a LIST c.page.query.
func (c *conn) route(r *request) (operation, errorCode) {
	c.key, c.version, c.page.query = c.key[:0], nil, listQuery{}
	path, query := splitTarget(r.target)
	if r.chunked || len(path) == 0 || path[0] != '/' {
		return c.notImplemented(r)
	}
	path, ok := c.bucketOf(r, path[1:])
	if len(path) > 0 {
		var valid bool
		c.key, valid = appendUnescaped(c.key, path, false)
		if !valid {
			return opOther, codeInvalidURI
		}
	}
	op, code := c.operationOf(r, query)
	if code == codeNone && !ok {
		code = codeNoSuchBucket
	}
	return op, code
}

// operationOf returns the operation, once c.key is set.
func (c *conn) operationOf(r *request, query []byte) (operation, errorCode) {
	switch method := string(r.method); {
	case (method == "HEAD" || method == "GET") && len(c.key) > 0:
		return c.parseObject(r, query)
	case method == "HEAD" && len(c.key) == 0:
		return opHeadBucket, codeNone
	case method == "GET" && len(c.key) == 0:
		return c.parseList(r, query)
	}
	return c.notImplemented(r)
}

// notImplemented refuses the operation. The Server does not read the request's body, so a body ends the connection.
func (c *conn) notImplemented(r *request) (operation, errorCode) {
	if r.chunked || r.bodyBytes > 0 {
		r.closeAfter = true
	}
	return opOther, codeNotImplemented
}

// splitTarget returns path and query, still escaped. It accepts the absolute form, which proxies send:
// RFC 9112 §3.2.2.
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

// bucketOf returns the escaped key, and whether the request names the Server's bucket. A request is virtual-hosted when
// Host begins with "bucket."; otherwise the bucket is the first segment of the path.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
func (c *conn) bucketOf(r *request, path []byte) (key []byte, ok bool) {
	bucket := c.srv.options.Bucket
	if len(r.host) > len(bucket) && r.host[len(bucket)] == '.' && string(r.host[:len(bucket)]) == bucket {
		return path, true
	}
	name, key, _ := bytes.Cut(path, []byte("/"))
	return key, string(name) == bucket
}

// parseObject parses the query of a request about an object. It sets c.version and c.annotation.
func (c *conn) parseObject(r *request, query []byte) (operation, errorCode) {
	op, code := opOther, codeNotImplemented
	c.arena = c.arena[:0]
	c.annotation = annotationQuery{most: annotationsMax}
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = bytes.Cut(query, []byte("&"))
		name, escaped, _ := bytes.Cut(pair, []byte("="))
		value, ok := c.unescapeQuery(escaped)
		if !ok {
			return opOther, codeInvalidURI
		}
		switch string(name) {
		case "partNumber":
			return c.notImplemented(r)
		case "versionId":
			if c.version = value; len(value) == 0 {
				return opOther, codeInvalidArgument
			}
		case "tagging":
			op, code = opTags, c.srv.tagsError()
		case "annotation":
			op, code = opAnnotations, c.srv.annotationsError()
		default:
			if !c.annotation.setParameter(string(name), value) {
				return opOther, codeInvalidArgument
			}
		}
	}
	switch {
	case string(r.method) == "HEAD":
		return opHead, codeNone
	case op == opOther:
		return c.notImplemented(r)
	}
	return op, code
}
