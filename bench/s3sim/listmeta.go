package s3sim

import (
	"net/textproto"
	"slices"
	"strings"
)

// appendUserMetadata appends the user metadata as MinIO lists it. The element names are header names as net/http
// capitalizes them, content-type is among them, repeated values are joined, and encoding-type has no effect. An object
// whose HEAD reports missing metadata has no UserMetadata element.
//
// For metadata that is not ASCII, MinIO's HEAD sends encoded words and its LIST raw bytes. The Server sends raw bytes
// in both.
func (o Object) appendUserMetadata(dst []byte, wrong bool) []byte {
	if o.MissingMeta() > 0 {
		return dst
	}
	var names []string
	values := map[string]string{}
	for _, h := range o.MetadataHeaders() {
		name := textproto.CanonicalMIMEHeaderKey(h.Name)
		if before, repeated := values[name]; repeated {
			values[name] = before + "," + h.Value
			continue
		}
		names = append(names, name)
		values[name] = h.Value
	}
	if wrong && len(names) > 0 {
		values[names[0]] = strings.ToUpper(values[names[0]]) + "?"
	}
	slices.Reverse(names) // the order is random in MinIO; this one differs from that of the HEAD
	dst = append(dst, "<UserMetadata>"...)
	for _, name := range names {
		dst = appendElement(dst, name, []byte(values[name]), false)
	}
	dst = appendElement(dst, "content-type", []byte(o.ContentType()), false)
	return append(dst, "</UserMetadata><Internal><K>1</K><M>0</M></Internal>"...)
}

// listsWrongMetadata reports whether the key with this index is listed with wrong metadata.
func (o *Options) listsWrongMetadata(i int64) bool {
	return o.ListMetadataWrongFrom > 0 && i+1 >= o.ListMetadataWrongFrom
}
