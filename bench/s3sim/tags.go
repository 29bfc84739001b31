package s3sim

import (
	"net/url"
	"strings"
)

// Tagging is how a store tells the tags of objects.
type Tagging string

// The values of Options.Tagging.
const (
	// TagsCounted: a HEAD says the number of tags, if there are any, as AWS does for a client with the right
	// s3:GetObjectTagging. GetObjectTagging returns them.
	TagsCounted Tagging = "counted"
	// TagsUncounted: a HEAD does not say the number.
	TagsUncounted Tagging = "uncounted"
	// TagsInHead: a HEAD says the tags themselves in x-amz-tagging, as SeaweedFS and gofakes3 do.
	TagsInHead Tagging = "in-head"
	// TagsDenied: the client lacks the right. A HEAD says no number, and GetObjectTagging is 403.
	TagsDenied Tagging = "denied"
	// TagsNotImplemented: GetObjectTagging is 501.
	TagsNotImplemented Tagging = "not-implemented"
)

// Taggings returns all values.
func Taggings() []Tagging {
	return []Tagging{TagsCounted, TagsUncounted, TagsInHead, TagsDenied, TagsNotImplemented}
}

// Tag is a tag of an object.
type Tag struct{ Key, Value string }

// Tags returns the tags of an object: none, or up to three for one in four objects with Options.Attributes.
func (o Object) Tags() []Tag {
	return []Tag{
		{"env", pick(o.hash, saltTagEnv, "prod", "staging", "dev")},
		{"team", pick(o.hash, saltTagTeam, "data", "web & mail", "Überwachung", "a b+c=d")},
		{"cost-center", string(appendDigits(nil, int64(mix(o.hash, saltTagCost)%10_000), 4))},
	}[:o.tagCount()]
}

func (o Object) tagCount() int64 {
	if !o.attributes || !o.oneIn(4, saltTags) {
		return 0
	}
	return 1 + int64(mix(o.hash, saltTags)%3)
}

// appendTagHeader appends what a HEAD says of the tags.
func (o Object) appendTagHeader(dst []byte, tagging Tagging) []byte {
	count := o.tagCount()
	if count == 0 {
		return dst
	}
	switch tagging {
	case TagsCounted:
		return appendHeaderInt(dst, "x-amz-tagging-count", count)
	case TagsInHead:
		var pairs []string
		for _, tag := range o.Tags() {
			pairs = append(pairs, url.QueryEscape(tag.Key)+"="+url.QueryEscape(tag.Value))
		}
		return appendHeader(dst, "x-amz-tagging", strings.Join(pairs, "&"))
	}
	return dst
}

// tags answers GetObjectTagging.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html
func (c *conn) tags(r *request) {
	o, ok := c.lookup(r, opTags)
	if !ok {
		return
	}
	c.beginHead(opTags, 200)
	if o.place != nil {
		c.out = o.appendVersionHeader(c.out)
	}
	c.endXML(r, func(dst []byte) []byte {
		dst = append(dst, `<Tagging xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><TagSet>`...)
		for _, tag := range o.Tags() {
			dst = append(dst, "<Tag>"...)
			dst = appendElement(dst, "Key", []byte(tag.Key), false)
			dst = appendElement(dst, "Value", []byte(tag.Value), false)
			dst = append(dst, "</Tag>"...)
		}
		return append(dst, "</TagSet></Tagging>"...)
	})
}

// tagsError returns the error of every GetObjectTagging, or codeNone.
func (s *Server) tagsError() errorCode {
	switch s.options.Tagging {
	case TagsDenied:
		return codeAccessDenied
	case TagsNotImplemented:
		return codeNotImplemented
	}
	return codeNone
}

// lookup returns the object of a request about one object other than its HEAD. It answers with an error where there is
// none: S3 treats a delete marker that the request names as an object without the operation.
func (c *conn) lookup(r *request, op operation) (o Object, ok bool) {
	e, versions, code := c.findVersion()
	if code == codeNone && versions.isMarker(e.version) {
		code = codeNoSuchKey
		if c.version != nil {
			code = codeMethodNotAllowed
		}
	}
	if code != codeNone {
		c.fail(r, op, code)
		return o, false
	}
	o = c.srv.version(c.key, versions, e.version)
	if state := c.srv.headState(o); state == HeadGone || state == HeadStale {
		c.fail(r, op, codeNoSuchKey)
		return o, false
	}
	return o, true
}
