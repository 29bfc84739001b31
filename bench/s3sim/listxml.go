package s3sim

import "strconv"

// appendRequest appends the elements that repeat the request. Tokens are not URL-encoded.
func (p *page) appendRequest(dst []byte, c *conn) []byte {
	q := &p.query
	dst = appendElement(dst, "Name", []byte(c.srv.options.Bucket), false)
	dst = appendElement(dst, "Prefix", q.prefix, q.urlEncode)
	if !q.v2 {
		return appendElement(dst, "Marker", q.marker, q.urlEncode)
	}
	if len(q.startAfter) > 0 {
		dst = appendElement(dst, "StartAfter", q.startAfter, q.urlEncode)
	}
	if len(q.token) > 0 {
		dst = appendElement(dst, "ContinuationToken", q.token, false)
	}
	return dst
}

// appendNext appends the start of the next page, and for V2 the number of entries.
func (p *page) appendNext(dst []byte, _ *conn) []byte {
	if !p.query.v2 {
		if len(p.token) > 0 {
			dst = appendElement(dst, "NextMarker", p.token, p.query.urlEncode)
		}
		return dst
	}
	if len(p.token) > 0 {
		dst = appendElement(dst, "NextContinuationToken", p.token, false)
	}
	return appendIntElement(dst, "KeyCount", len(p.entries))
}

func (p *page) appendLimits(dst []byte, _ *conn) []byte {
	dst = appendIntElement(dst, "MaxKeys", p.query.maxKeys)
	if len(p.query.delimiter) > 0 {
		dst = appendElement(dst, "Delimiter", p.query.delimiter, p.query.urlEncode)
	}
	return dst
}

func (p *page) appendEncoding(dst []byte, _ *conn) []byte {
	if p.query.echoEncoding {
		dst = append(dst, "<EncodingType>url</EncodingType>"...)
	}
	return dst
}

func (p *page) appendTruncated(dst []byte, _ *conn) []byte {
	dst = append(dst, "<IsTruncated>"...)
	return append(strconv.AppendBool(dst, p.truncated), "</IsTruncated>"...)
}

// appendEntries appends the keys and then the common prefixes.
func (p *page) appendEntries(dst []byte, c *conn) []byte {
	prefixes := 0
	for _, e := range p.entries {
		if e.prefixEnd > 0 {
			prefixes++
			continue
		}
		key := c.srv.keys.Append(c.scratch[:0], e.index)
		dst = append(dst, "<Contents>"...)
		o := c.srv.objectAt(e.index, key)
		dst = o.appendXML(dst, c.srv.options.ListForm, c.srv.dates, key, &p.query)
		if p.query.metadata && p.query.v2 && c.srv.options.ListMetadata {
			dst = o.appendUserMetadata(dst, c.srv.options.listsWrongMetadata(e.index))
		}
		dst = append(dst, "</Contents>"...)
	}
	if prefixes == 0 {
		return dst
	}
	return p.appendCommonPrefixes(dst, c)
}

func (p *page) appendCommonPrefixes(dst []byte, c *conn) []byte {
	for _, e := range p.entries {
		if e.prefixEnd > 0 {
			dst = append(dst, "<CommonPrefixes>"...)
			dst = appendElement(dst, "Prefix", e.name(c.srv.keys, c.scratch), p.query.urlEncode)
			dst = append(dst, "</CommonPrefixes>"...)
		}
	}
	return dst
}

// appendElement appends an element with any text, URL-encoded or escaped for XML.
func appendElement(dst []byte, name string, text []byte, urlEncode bool) []byte {
	dst = append(dst, '<')
	dst = append(dst, name...)
	dst = append(dst, '>')
	dst = appendText(dst, text, urlEncode)
	dst = append(dst, "</"...)
	dst = append(dst, name...)
	return append(dst, '>')
}

func appendIntElement(dst []byte, name string, n int) []byte {
	var digits [20]byte
	return appendElement(dst, name, strconv.AppendInt(digits[:0], int64(n), 10), false)
}

// appendText appends text URL-encoded or escaped for XML.
func appendText(dst, text []byte, urlEncode bool) []byte {
	if urlEncode {
		return appendURLEncoded(dst, text)
	}
	return appendXML(dst, text)
}
