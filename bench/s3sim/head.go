package s3sim

import "bytes"

// head answers HeadObject.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
func (c *conn) head(r *request) {
	index, exists := c.srv.keys.index(c.key, c.scratch)
	if !exists {
		c.fail(r, opHead, codeNoSuchKey)
		return
	}
	object := c.srv.Object(c.key)
	switch state := c.srv.headState(object); state {
	case HeadGone:
		c.srv.deleted.Store(index, true)
		c.fail(r, opHead, codeNoSuchKey)
	case HeadStale:
		c.fail(r, opHead, codeNoSuchKey)
	case HeadDenied:
		c.fail(r, opHead, codeAccessDenied)
	case HeadBroken500:
		c.fail(r, opHead, codeInternalError)
	case HeadDeleteMarked:
		c.headDeleteMarker(r)
	case HeadWebPage:
		c.headWebPage(r)
	default:
		c.headObject(r, object, state)
	}
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
		out = o.appendAttributes(out, c.srv.lockEndsSoon)
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
	if version := o.VersionID(); version != "" {
		dst = appendHeader(dst, "x-amz-version-id", version)
	}
	if missing := o.MissingMeta(); missing > 0 {
		dst = appendHeaderInt(dst, "x-amz-missing-meta", int64(missing))
	}
	return dst
}

// headWebPage answers as a proxy with a rule for static files, a login, or a page of maintenance.
func (c *conn) headWebPage(r *request) {
	c.beginHead(opHead, 200)
	c.out = appendHeader(c.out, "Content-Type", "text/html; charset=utf-8")
	c.endHeadWithoutBody(r)
}

// headDeleteMarker answers as S3 does for a version that is a delete marker.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
func (c *conn) headDeleteMarker(r *request) {
	c.beginHead(opHead, 405)
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
