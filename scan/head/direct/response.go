package direct

import (
	"bytes"
	"net/http"

	"headcount/scan/head"
)

// response is a Result with its parser. One response parses many answers, one after the other.
type response struct {
	head.Result
	cache  headerCache // of the fields of the answer before
	prefix string      // head.Config.MetadataPrefix

	start, end int // of the answer in conn.buf

	// Of the answer that is being parsed.
	further                []head.Header // metadata under prefix
	unsorted               bool          // a metadata field came out of order, or twice
	sawClose, sawKeepAlive bool          // options of Connection
}

// parse parses the header block at the start of text, which must be complete, into r's Status, Metadata and Headers.
// These point into text and into r.cache. In text, parse joins the lines of folded fields. It returns the length of
// the block, and whether the store closes the connection after it.
//
// There is no body to skip: the answer to a HEAD has none, whatever its fields announce (RFC 9112 §6.3).
func (r *response) parse(text []byte) (length int, closing bool, err error) {
	line, length := nextLine(text)
	status, isHTTP10, err := parseStatusLine(line)
	if err != nil {
		return 0, false, err
	}
	r.Status, r.Metadata, r.Headers, r.OtherPrefix = status, r.Metadata[:0], r.Headers[:0], nil
	r.further = r.further[:0]
	r.unsorted, r.sawClose, r.sawKeepAlive = false, false, false
	at, size := r.parseCached(text[length:])
	length += size
	for ; ; at++ {
		line, size := nextField(text[length:])
		length += size
		if len(line) == 0 {
			break
		}
		if at == head.FieldsMax {
			return 0, false, head.ErrTooManyFields
		}
		slot, value, err := r.parseField(at, line)
		if err != nil {
			return 0, false, err
		}
		r.addField(slot, value)
	}
	if r.unsorted {
		head.SortHeaders(r.Metadata)
		r.JoinMetadata()
	}
	if len(r.further) > 0 {
		r.AddFurther(r.further)
	}
	return length, r.sawClose || isHTTP10 && !r.sawKeepAlive, nil // RFC 9112 §9.3
}

// hasObject reports whether the answer says what the object is like.
func (r *response) hasObject() bool { return r.Status == http.StatusOK && !r.Mismatch }

// addField adds the field of a slot.
func (r *response) addField(slot *headerSlot, value []byte) {
	switch slot.kind {
	case metadataField:
		r.unsorted = r.unsorted || !slot.inOrder
		r.Metadata = append(r.Metadata, head.Header{Name: slot.name, Value: value})
		return
	case furtherField:
		r.further = append(r.further, head.Header{Name: slot.name, Value: value})
		return
	case otherField:
		r.SetOtherPrefix(head.OtherPrefix(slot.name))
	case connectionField:
		r.sawClose = r.sawClose || hasOption(value, "close")
		r.sawKeepAlive = r.sawKeepAlive || hasOption(value, "keep-alive")
	}
	if !slot.repeated || !joinHeader(r.Headers, slot.name, value) {
		r.Headers = append(r.Headers, head.Header{Name: slot.name, Value: value})
	}
}

// joinHeader adds value to the header of that name, if there is one. An equal Content-Length is dropped instead (RFC
// 9110 §8.6).
func joinHeader(headers []head.Header, name, value []byte) bool {
	for i := range headers {
		h := &headers[i]
		if !bytes.Equal(h.Name, name) {
			continue
		}
		if string(name) != "content-length" || !bytes.Equal(h.Value, value) {
			h.Value = head.JoinValues(h.Value, value)
		}
		return true
	}
	return false
}

// hasOption reports whether a Connection field has that option (RFC 9110 §7.6.1).
func hasOption(value []byte, option string) bool {
	for text := range bytes.SplitSeq(value, []byte{','}) {
		// The lengths must be equal, too: EqualFold takes U+017F, which is not ASCII, for an s.
		if text = trimBlanks(text); len(text) == len(option) && bytes.EqualFold(text, []byte(option)) {
			return true
		}
	}
	return false
}
