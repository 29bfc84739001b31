package s3sim

import (
	"bytes"
	"strconv"
)

// This file lists versions.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html

// setVersionMarker sets where a page of versions begins: behind all versions of key-marker, or behind one of them.
func (c *conn) setVersionMarker(q *listQuery) errorCode {
	q.start.last = q.keyMarker
	if q.versionMarker == nil {
		return codeNone
	}
	if len(q.keyMarker) == 0 || len(q.versionMarker) == 0 {
		return codeInvalidArgument
	}
	if string(q.versionMarker) != nullVersion && !isVersionID(q.versionMarker) {
		return codeInvalidArgument
	}
	index, exists := c.srv.keys.index(q.keyMarker, c.scratch)
	if !exists {
		return codeNone
	}
	v := c.srv.versionsOf(index, q.keyMarker)
	n, ok := v.find(q.versionMarker)
	if !ok {
		return codeInvalidArgument
	}
	if n+1 < v.count {
		q.afterVersion = &entry{index: index, version: n}
	}
	return codeNone
}

// fillVersions sets the entries of a page of versions. A page may end inside a key.
func (p *page) fillVersions(s *Server, scratch []byte) {
	q := &p.query
	p.entries = p.entries[:0]
	i, end := q.firstKey(s.keys, scratch), s.keys.rankAfterPrefix(q.prefix, scratch)
	n := int64(0)
	if after := q.afterVersion; after != nil && q.listsKey(q.keyMarker) {
		i, n = after.index, after.version+1
	}
	for i < end && len(p.entries) < q.maxKeys {
		key := s.keys.Append(scratch[:0], i)
		if prefixEnd := q.commonPrefix(key); prefixEnd > 0 {
			p.entries = append(p.entries, entry{index: i, prefixEnd: prefixEnd})
			i = s.keys.rankAfterPrefix(key[:prefixEnd], scratch)
			continue
		}
		v := s.versionsOf(i, key)
		for ; n < v.count && len(p.entries) < q.maxKeys; n++ {
			if e := (entry{index: i, version: n}); !s.isGone(e) {
				p.entries = append(p.entries, e)
			}
		}
		if n == v.count {
			i, n = i+1, 0
		}
	}
	p.truncated = i < end && q.maxKeys > 0
}

// listsKey reports whether a key is an entry of its own, not behind a common prefix and not without the prefix.
func (q *listQuery) listsKey(key []byte) bool {
	return bytes.HasPrefix(key, q.prefix) && q.commonPrefix(key) == 0
}

// appendVersionsXML appends the page as a ListVersionsResult.
func (p *page) appendVersionsXML(dst []byte, c *conn) []byte {
	q := &p.query
	dst = append(dst, `<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`...)
	dst = appendElement(dst, "Name", []byte(c.srv.options.Bucket), false)
	dst = appendElement(dst, "Prefix", q.prefix, q.urlEncode)
	dst = appendElement(dst, "KeyMarker", q.keyMarker, q.urlEncode)
	dst = appendElement(dst, "VersionIdMarker", q.versionMarker, false)
	if p.truncated && len(p.entries) > 0 && c.srv.options.Quirk != TruncatedNoToken {
		last := p.entries[len(p.entries)-1]
		name := last.name(c.srv.keys, c.scratch)
		dst = appendElement(dst, "NextKeyMarker", name, q.urlEncode)
		if last.prefixEnd == 0 {
			v := c.srv.versionsOf(last.index, name)
			dst = append(dst, "<NextVersionIdMarker>"...)
			dst = append(v.appendID(dst, last.version), "</NextVersionIdMarker>"...)
		}
	}
	dst = p.appendLimits(dst, c)
	dst = p.appendEncoding(dst, c)
	dst = p.appendTruncated(dst, c)
	for _, e := range p.entries {
		if e.prefixEnd == 0 {
			dst = p.appendVersion(dst, c, e)
		}
	}
	return append(p.appendCommonPrefixes(dst, c), "</ListVersionsResult>"...)
}

// appendVersion appends a Version or a DeleteMarker.
func (p *page) appendVersion(dst []byte, c *conn, e entry) []byte {
	key := c.srv.keys.Append(c.scratch[:0], e.index)
	v := c.srv.versionsOf(e.index, key)
	name := "Version>"
	if v.isMarker(e.version) {
		name = "DeleteMarker>"
	}
	dst = append(append(dst, '<'), name...)
	dst = appendElement(dst, "Key", key, p.query.urlEncode)
	dst = append(dst, "<VersionId>"...)
	dst = append(v.appendID(dst, e.version), "</VersionId><IsLatest>"...)
	dst = append(strconv.AppendBool(dst, e.version == 0), "</IsLatest>"...)
	o := c.srv.version(key, v, e.version)
	if v.isMarker(e.version) {
		dst = append(o.appendModifiedXML(dst, c.srv.dates, ".000Z"), awsOwner...)
	} else {
		dst = o.appendAWSXML(dst, c.srv.dates, &p.query)
	}
	return append(append(dst, "</"...), name...)
}
