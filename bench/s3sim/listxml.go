package s3sim

import "strconv"

// appendXML appends the page as ListBucketResult, elements in the order of AWS.
func (p *page) appendXML(dst []byte, c *conn) []byte {
	q := &p.query
	dst = append(dst, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+
		`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`...)
	dst = appendElement(dst, "Name", []byte(c.srv.options.Bucket), false)
	dst = appendElement(dst, "Prefix", q.prefix, q.encode)
	if q.v2 {
		dst = p.appendV2(dst)
	} else {
		dst = appendElement(dst, "Marker", q.marker, q.encode)
		if len(p.token) > 0 {
			dst = appendElement(dst, "NextMarker", p.token, q.encode)
		}
	}
	dst = appendIntElement(dst, "MaxKeys", q.maxKeys)
	if len(q.delimiter) > 0 {
		dst = appendElement(dst, "Delimiter", q.delimiter, q.encode)
	}
	if q.echo {
		dst = append(dst, "<EncodingType>url</EncodingType>"...)
	}
	dst = append(dst, "<IsTruncated>"...)
	dst = append(strconv.AppendBool(dst, p.truncated), "</IsTruncated>"...)
	dst = p.appendEntries(dst, c)
	return append(dst, "</ListBucketResult>"...)
}

// appendV2 appends what only ListObjectsV2 has. Tokens are not encoded.
func (p *page) appendV2(dst []byte) []byte {
	q := &p.query
	if len(q.startAfter) > 0 {
		dst = appendElement(dst, "StartAfter", q.startAfter, q.encode)
	}
	if len(q.token) > 0 {
		dst = appendElement(dst, "ContinuationToken", q.token, false)
	}
	if len(p.token) > 0 {
		dst = appendElement(dst, "NextContinuationToken", p.token, false)
	}
	return appendIntElement(dst, "KeyCount", len(p.entries))
}

// appendEntries appends the keys, and after them the common prefixes.
func (p *page) appendEntries(dst []byte, c *conn) []byte {
	prefixes := 0
	for _, e := range p.entries {
		if e.prefixEnd > 0 {
			prefixes++
			continue
		}
		key := c.srv.keys.Append(c.scratch[:0], e.i)
		dst = append(dst, "<Contents><Key>"...)
		dst = appendText(dst, key, p.query.encode)
		dst = append(dst, "</Key>"...)
		o := c.srv.Object(key)
		dst = o.appendXML(dst, c.srv.calendar)
		if p.query.metadata && p.query.v2 && c.srv.options.ListMetadata {
			dst = o.appendUserMetadata(dst, c.srv.options.listsWrongMetadata(e.i))
		}
		dst = append(dst, "</Contents>"...)
	}
	if prefixes == 0 {
		return dst
	}
	for _, e := range p.entries {
		if e.prefixEnd > 0 {
			dst = append(dst, "<CommonPrefixes>"...)
			dst = appendElement(dst, "Prefix", e.name(c.srv.keys, c.scratch), p.query.encode)
			dst = append(dst, "</CommonPrefixes>"...)
		}
	}
	return dst
}

// appendXML appends what a LIST tells of an object.
func (o Object) appendXML(dst []byte, days *calendar) []byte {
	dst = append(dst, "<LastModified>"...)
	dst = days.appendISO(dst, o.modifiedSecond())
	dst = append(dst, "</LastModified><ETag>&quot;"...)
	dst = o.appendETag(dst)
	dst = append(dst, "&quot;</ETag><Size>"...)
	dst = strconv.AppendInt(dst, o.Size(), 10)
	dst = append(dst, "</Size><StorageClass>"...)
	dst = append(dst, o.StorageClass()...)
	return append(dst, "</StorageClass>"...)
}

// appendElement appends text that may be anything, url-encoded or as XML.
func appendElement(dst []byte, name string, text []byte, encode bool) []byte {
	dst = append(dst, '<')
	dst = append(dst, name...)
	dst = append(dst, '>')
	dst = appendText(dst, text, encode)
	dst = append(dst, "</"...)
	dst = append(dst, name...)
	return append(dst, '>')
}

func appendIntElement(dst []byte, name string, n int) []byte {
	var digits [20]byte
	return appendElement(dst, name, strconv.AppendInt(digits[:0], int64(n), 10), false)
}

// appendText appends text url-encoded or as XML.
func appendText(dst, text []byte, encode bool) []byte {
	if encode {
		return appendURLEncoded(dst, text)
	}
	return appendXML(dst, text)
}
