package s3sim

import (
	"net/textproto"
	"slices"
	"strings"
)

// appendUserMetadata appends the custom metadata as MinIO lists it: by the names of the headers, as net/http capitalizes them, with the content-type
// among them, repeated values joined, and all of it as XML, whatever encoding-type says. Where a HEAD would say that it leaves metadata out, there is
// no UserMetadata at all.
//
// MinIO's HEAD has encoded words for what is not ASCII, and the listing the raw bytes. Here they are raw in both.
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
	slices.Reverse(names) // MinIO's order is of chance
	dst = append(dst, "<UserMetadata>"...)
	for _, name := range names {
		dst = appendElement(dst, name, []byte(values[name]), false)
	}
	dst = appendElement(dst, "content-type", []byte(o.ContentType()), false)
	return append(dst, "</UserMetadata><Internal><K>1</K><M>0</M></Internal>"...)
}

// listsWrongMetadata tells whether the metadata of a key are listed as they are not.
func (o *Options) listsWrongMetadata(i int64) bool {
	return o.ListMetadataWrongFrom > 0 && i+1 >= o.ListMetadataWrongFrom
}
