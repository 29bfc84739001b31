package s3sim

import "bytes"

// head answers HeadObject.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
func (c *conn) head(r *request) {
	e, versions, code := c.findVersion()
	if code != codeNone {
		c.fail(r, opHead, code)
		return
	}
	object := c.srv.version(c.key, versions, e.version)
	if versions.isMarker(e.version) {
		c.headDeleteMarker(r, object)
		return
	}
	switch state := c.srv.headState(object); state {
	case HeadGone:
		c.srv.deleted.Store(e, true)
		c.fail(r, opHead, codeNoSuchKey)
	case HeadStale:
		c.fail(r, opHead, codeNoSuchKey)
	case HeadDenied:
		c.fail(r, opHead, codeAccessDenied)
	case HeadBroken500:
		c.fail(r, opHead, codeInternalError)
	case HeadDeleteMarked:
		c.headMethodNotAllowed(r)
	case HeadWebPage:
		c.headWebPage(r)
	default:
		code := c.srv.customerKeyError(r, object)
		if code == codeNone && r.checksumMode && c.srv.options.KMSDenied && c.srv.usesKMS(object) {
			code = codeAccessDenied
		}
		if code != codeNone {
			c.fail(r, opHead, code)
			return
		}
		c.headObject(r, object, state)
	}
}

// findVersion finds the version that the request names, and the newest one of its key where it names none.
func (c *conn) findVersion() (e entry, versions keyVersions, code errorCode) {
	index, exists := c.srv.keys.index(c.key, c.scratch)
	if !exists {
		return e, versions, codeNoSuchKey
	}
	e.index, versions = index, c.srv.versionsOf(index, c.key)
	if c.version != nil {
		if e.version, exists = versions.find(c.version); !exists {
			return e, versions, versionError(c.version)
		}
	}
	return e, versions, codeNone
}

// headObject appends the headers of an existing object.
func (c *conn) headObject(r *request, o Object, state HeadState) {
	modified := o.modifiedSecond()
	if state == HeadRewritten {
		modified += daySeconds
	}
	c.beginHead(opHead, 200)
	out := append(c.out, "Last-Modified: "...)
	out = c.srv.dates.appendHTTP(out, modified)
	out = append(out, "\r\nETag: \""...)
	size := o.Size()
	if state == HeadRewritten || state == HeadUnlike {
		out = o.appendRewrittenETag(out)
		size++
	} else {
		out = o.appendETag(out)
	}
	out = append(out, "\"\r\nAccept-Ranges: bytes\r\n"...)
	out = appendHeader(out, "Content-Type", o.ContentType())
	out = appendHeaderInt(out, "Content-Length", size)
	if o.attributes {
		out = c.srv.appendAttributes(out, o)
	}
	if r.customerKey != nil {
		out = appendCustomerKey(out)
	}
	if r.checksumMode {
		for _, header := range o.Checksums() {
			out = appendHeader(out, header.Name, header.Value)
		}
	}
	if o.place != nil {
		out = o.appendVersionHeader(out)
	}
	if o.nasty {
		out = o.appendNastyHeaders(out)
	}
	from := len(out)
	c.out = o.appendMetadata(out)
	if prefix := c.srv.options.MetadataPrefix; prefix != "" {
		c.out = append(c.out[:from], bytes.ReplaceAll(c.out[from:], []byte(metaPrefix), []byte(prefix))...)
	}
	c.endHead(r)
}

// appendNastyHeaders appends the headers that only objects of the Nasty shape have.
func (o Object) appendNastyHeaders(dst []byte) []byte {
	if class := o.StorageClass(); class != "STANDARD" {
		dst = appendHeader(dst, "x-amz-storage-class", class)
	}
	if version := o.VersionID(); version != "" && o.place == nil {
		dst = appendHeader(dst, "x-amz-version-id", version)
	}
	if missing := o.MissingMeta(); missing > 0 {
		dst = appendHeaderInt(dst, "x-amz-missing-meta", int64(missing))
	}
	return dst
}

func (o Object) appendVersionHeader(dst []byte) []byte {
	dst = append(dst, "x-amz-version-id: "...)
	return append(o.place.of.appendID(dst, o.place.n), "\r\n"...)
}

// versionError returns the error of a request for a version that does not exist.
func versionError(id []byte) errorCode {
	if string(id) == nullVersion || isVersionID(id) {
		return codeNoSuchVersion
	}
	return codeInvalidArgument
}

// headWebPage answers as a proxy with a rule for static files, a login, or a page of maintenance.
func (c *conn) headWebPage(r *request) {
	c.beginHead(opHead, 200)
	c.out = appendHeader(c.out, "Content-Type", "text/html; charset=utf-8")
	c.endHeadWithoutBody(r)
}

// headDeleteMarker answers a HEAD of a delete marker: with 405 where the request names it, and otherwise as if the key
// did not exist.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
func (c *conn) headDeleteMarker(r *request, o Object) {
	if c.version == nil {
		c.beginHead(opHead, 404)
		c.out = appendHeader(c.out, "x-amz-delete-marker", "true")
		c.out = o.appendVersionHeader(c.out)
		c.out = appendHeader(c.out, "Content-Type", "application/xml")
		c.endHeadWithoutBody(r)
		return
	}
	c.beginHead(opHead, 405)
	c.out = append(c.out, "Last-Modified: "...)
	c.out = append(c.srv.dates.appendHTTP(c.out, o.modifiedSecond()), "\r\n"...)
	c.out = o.appendVersionHeader(c.out)
	c.endMethodNotAllowed(r)
}

// headMethodNotAllowed answers as S3 does for a version that is a delete marker, though the request names no version.
func (c *conn) headMethodNotAllowed(r *request) {
	c.beginHead(opHead, 405)
	c.endMethodNotAllowed(r)
}

func (c *conn) endMethodNotAllowed(r *request) {
	c.out = appendHeader(c.out, "x-amz-delete-marker", "true")
	c.out = appendHeader(c.out, "Allow", "DELETE")
	c.out = appendHeader(c.out, "Content-Type", "application/xml")
	c.endHeadWithoutBody(r)
}

// headBucket answers HeadBucket.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
func (c *conn) headBucket(r *request) {
	c.beginHead(opHeadBucket, 200)
	c.out = appendHeader(c.out, "x-amz-bucket-region", c.srv.options.Region)
	c.out = appendHeader(c.out, "Content-Type", "application/xml")
	c.out = appendHeaderInt(c.out, "Content-Length", 0)
	c.endHead(r)
}
