package s3sim

import "bytes"

// listQuery is the decoded query of a LIST.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
type listQuery struct {
	v2               bool
	prefix           []byte
	delimiter        []byte
	startAfter       []byte // V2
	token            []byte // V2
	marker           []byte // V1
	maxKeys          int
	wantsURLEncoding bool // encoding-type=url
	versions         bool // ListObjectVersions
	keyMarker        []byte
	versionMarker    []byte // nil: none
	metadata         bool   // metadata=true, an extension of MinIO
	fetchOwner       bool
	restoreStatus    bool // a header asks for it

	// set by the Server, and changed by quirks
	start        token  // where the page begins
	afterVersion *entry // the page begins behind this version; nil: behind all versions of a key
	inclusive    bool   // the start point itself is listed
	urlEncode    bool   // keys are URL-encoded
	echoEncoding bool   // the response contains EncodingType
}

// pageKeysMax is the limit of max-keys in S3, and its default.
const pageKeysMax = 1000

// isSubresource reports whether a parameter selects another operation on a bucket.
func isSubresource(name string) bool {
	switch name {
	case "accelerate", "acl", "analytics", "cors", "encryption", "intelligent-tiering",
		"inventory", "lifecycle", "location", "logging", "metrics", "notification",
		"object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock",
		"replication", "requestPayment", "session", "tagging", "uploads", "versioning",
		"website":
		return true
	}
	return false
}

// parseList parses the query of a GET on the bucket. It ignores unknown parameters, as S3 does.
func (c *conn) parseList(r *request, query []byte) (operation, errorCode) {
	q := &c.page.query
	*q = listQuery{maxKeys: pageKeysMax, restoreStatus: r.restoreStatus}
	if q.restoreStatus && c.srv.options.NoRestoreStatus {
		return opList, codeNotImplemented
	}
	c.arena = c.arena[:0]
	for len(query) > 0 {
		var pair []byte
		pair, query, _ = bytes.Cut(query, []byte("&"))
		name, escaped, _ := bytes.Cut(pair, []byte("="))
		if isSubresource(string(name)) || string(name) == "versions" && c.srv.options.NoVersions {
			return c.notImplemented(r)
		}
		value, ok := c.unescapeQuery(escaped)
		if !ok {
			return opList, codeInvalidURI
		}
		if !q.setParameter(string(name), value) {
			return opList, codeInvalidArgument
		}
	}
	return opList, c.setStart(q)
}

// unescapeQuery decodes a value into the arena. When the arena grows, earlier values keep pointing to the old one.
func (c *conn) unescapeQuery(escaped []byte) (value []byte, ok bool) {
	at := len(c.arena)
	c.arena, ok = appendUnescaped(c.arena, escaped, true)
	return c.arena[at:len(c.arena):len(c.arena)], ok
}

// setParameter stores one parameter. It returns false when S3 would refuse the value.
func (q *listQuery) setParameter(name string, value []byte) bool {
	switch name {
	case "list-type":
		q.v2 = string(value) == "2"
		return q.v2
	case "versions":
		q.versions = true
	case "key-marker":
		q.keyMarker = value
	case "version-id-marker":
		q.versionMarker = value
	case "prefix":
		q.prefix = value
	case "delimiter":
		q.delimiter = value
	case "start-after":
		q.startAfter = value
	case "continuation-token":
		q.token = value
		return len(value) > 0
	case "marker":
		q.marker = value
	case "max-keys":
		n, ok := parseDigits(value)
		q.maxKeys = int(min(n, pageKeysMax))
		return ok
	case "fetch-owner":
		q.fetchOwner = string(value) == "true"
	case "metadata":
		q.metadata = string(value) == "true"
	case "encoding-type":
		q.wantsURLEncoding = string(value) == "url"
		return q.wantsURLEncoding
	}
	return true
}

// setStart sets where the page begins. A continuation token takes precedence over start-after.
func (c *conn) setStart(q *listQuery) errorCode {
	switch {
	case q.versions:
		return c.setVersionMarker(q)
	case !q.v2:
		q.start.last = q.marker
		return codeNone
	case q.token == nil:
		q.start.last = q.startAfter
		q.start.fromStartAfter = len(q.startAfter) > 0
		return codeNone
	}
	var ok bool
	if q.start, ok = parseToken(q.token); !ok {
		return codeInvalidArgument
	}
	if q.start.epoch != c.srv.tokenEpoch.Load() && c.srv.options.Quirk != TokensVoid {
		return codeInvalidArgument
	}
	return codeNone
}

// list answers ListObjectsV2, ListObjects and ListObjectVersions.
func (c *conn) list(r *request) {
	p := &c.page
	p.query.urlEncode = p.query.wantsURLEncoding && c.srv.options.ListForm.honoursEncodingType()
	p.query.echoEncoding = p.query.urlEncode
	c.srv.applyQueryQuirk(&p.query)
	if o := c.srv.order; o != nil {
		o.fill(p, c.scratch)
	} else if p.query.versions {
		p.fillVersions(c.srv, c.scratch)
	} else {
		p.fill(c.srv.keys, c.srv.isDeleted(), c.scratch)
	}
	if !p.query.versions {
		c.setNextToken(p)
		c.srv.applyPageQuirk(p)
	}

	c.beginHead(opList, 200)
	c.out = appendHeader(c.out, "x-amz-bucket-region", c.srv.options.Region)
	c.endXML(r, func(dst []byte) []byte {
		if p.query.versions {
			return p.appendVersionsXML(dst, c)
		}
		return p.appendXML(dst, c)
	})
}

// setNextToken sets the token of the next page.
func (c *conn) setNextToken(p *page) {
	p.token = p.token[:0]
	if !p.truncated || len(p.entries) == 0 {
		return
	}
	last := p.entries[len(p.entries)-1]
	name := last.name(c.srv.keys, c.scratch)
	if !p.query.v2 {
		if len(p.query.delimiter) > 0 { // without one, V1 pages by the last key
			p.token = append(p.token, name...)
		}
		return
	}
	p.token = token{
		epoch:          c.srv.tokenEpoch.Load(),
		serial:         c.srv.tokensIssued.Add(1),
		fromStartAfter: p.query.start.fromStartAfter,
		last:           name,
	}.append(p.token)
}
