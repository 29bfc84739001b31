package xmllist

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// depthMax is how deep elements may be nested. A listing is four levels deep, a web page in its place some dozens.
const depthMax = 250

// slowReader reads with encoding/xml what the fast scanner does not understand. Its first error ends everything: from
// then on there are no children and no text.
type slowReader struct {
	page   *page
	window *window
	xml    *xml.Decoder
	input  *tokenReader // of xml
	before int64        // the offset in the body at which it begins, less the start tag that it begins with
	tokens int
	depth  int
	failed error
}

// decodeSlowly collects the rest of the document.
func (d *Decoder) decodeSlowly() error {
	r := slowReader{page: &d.page, window: &d.window, before: d.offset()}
	var body io.Reader = windowReader{&d.window}
	if d.rootOpen { // encoding/xml needs the start tag that the scanner has taken
		root := "<" + d.asked.root() + ">"
		body = io.MultiReader(strings.NewReader(root), body)
		r.before -= int64(len(root))
	}
	r.input = &tokenReader{Reader: body}
	r.xml = xml.NewDecoder(r.input)
	r.xml.CharsetReader = charsetReader
	r.sizeError(d.checkSize())
	var other error
	switch root := r.root(); root {
	case d.asked.root():
		r.listing()
	case "Error":
		other = r.errorDocument()
	default:
		other = fmt.Errorf("%w %s but <%.40s>", ErrNotListing, d.asked.root(), root)
		r.skip()
	}
	r.finish()
	if document, ok := other.(*ErrorDocument); ok && document.Code != "" && errors.Is(r.failed, ErrTooLarge) {
		return document // its first part says what is wrong
	}
	if r.failed != nil {
		return r.failed
	}
	return other
}

// root enters the root element and returns its local name.
func (r *slowReader) root() string {
	name, isOpen := r.child()
	if r.failed == nil && !isOpen {
		r.failed = errors.New("the response is empty")
	}
	return name
}

// finish reads up to the end of the body, where the connection may still fail.
func (r *slowReader) finish() {
	if _, isOpen := r.child(); isOpen {
		r.fail(errors.New("the response continues after its end"))
	}
}

// listing collects the children of the root.
func (r *slowReader) listing() {
	for name, ok := r.child(); ok; name, ok = r.child() {
		switch {
		case r.page.isObjectName(name):
			r.contents(name)
		case name == "Contents":
			r.unsupported("<Contents> among versions")
		case name == "CommonPrefixes":
			r.commonPrefixes()
		default:
			if text := r.page.single(name); text != nil {
				r.single(name, text)
				continue
			}
			r.skip()
		}
	}
}

// errorDocument reads the children of an Error.
func (r *slowReader) errorDocument() *ErrorDocument {
	var code, message, requestID []byte
	for name, ok := r.child(); ok; name, ok = r.child() {
		switch name {
		case "Code":
			r.single(name, &code)
		case "Message":
			r.single(name, &message)
		case "RequestId":
			r.single(name, &requestID)
		default:
			r.skip()
		}
	}
	return &ErrorDocument{cutText(code), cutText(message), cutText(requestID)}
}

// commonPrefixes collects each Prefix of a CommonPrefixes.
func (r *slowReader) commonPrefixes() {
	for name, ok := r.child(); ok; name, ok = r.child() {
		if name != "Prefix" {
			r.skip()
			continue
		}
		r.page.addPrefix(r.field())
		r.sizeError(r.page.checkSize())
	}
}

// contents collects one object, whose element has a name.
func (r *slowReader) contents(element string) {
	o, v := object{size: -1}, version{isMarker: element == markerElement}
	var t detail
	seen := map[string]bool{}
	for name, ok := r.child(); ok; name, ok = r.child() {
		if r.page.isFieldName(name) {
			if seen[name] {
				r.duplicate(name)
			}
			seen[name] = true
		}
		switch name {
		case "Key":
			o.key = r.field()
		case "LastModified":
			o.modified = r.field()
		case "ETag":
			o.etag = r.page.trimETag(r.field())
		case "Size":
			digits := r.field()
			o.size = parseSize(r.page.textOf(digits))
			r.page.text = r.page.text[:digits.from]
		case "StorageClass":
			o.class = r.field()
		case "UserMetadata":
			if r.page.asked.Metadata {
				r.userMetadata()
			} else {
				r.skip()
			}
		case "VersionId", "IsLatest":
			r.versionField(name, &v)
		default:
			if r.page.isDetailName(name) {
				r.detail(name, &t)
			} else {
				r.skip()
			}
		}
	}
	r.page.objects = append(r.page.objects, o)
	r.page.addDetail(t)
	if r.page.asked.Versions {
		r.page.versions = append(r.page.versions, v)
	}
	r.sizeError(r.page.checkSize())
}

// versionField collects a field that only a version has.
func (r *slowReader) versionField(name string, v *version) {
	switch {
	case !r.page.asked.Versions:
		r.skip()
	case name == "VersionId":
		v.id = r.field()
	default:
		text := r.field()
		v.isLatest = isTrue(r.page.textOf(text))
		r.page.text = r.page.text[:text.from]
	}
}

// userMetadata collects the UserMetadata of the object that is being read.
func (r *slowReader) userMetadata() {
	m := objectMetadata{object: len(r.page.objects), from: len(r.page.items)}
	for header, ok := r.child(); ok; header, ok = r.child() {
		name, isItem := itemName([]byte(header))
		if !isItem {
			m.customerKey = m.customerKey || isCustomerKeyHeader([]byte(header))
			r.skip()
			continue
		}
		o := item{name: r.page.addLower(name)}
		o.value = r.field()
		r.page.items = append(r.page.items, o)
		r.sizeError(r.page.checkSize())
	}
	m.to = len(r.page.items)
	r.page.metadata = append(r.page.metadata, m)
}

// field collects the text of the element as one of the object.
func (r *slowReader) field() span {
	from := len(r.page.text)
	r.text(&r.page.text)
	return r.page.since(from)
}

// single collects the text of an element that may occur once.
func (r *slowReader) single(name string, text *[]byte) {
	if *text != nil {
		r.duplicate(name)
	}
	*text = []byte{}
	r.text(text)
	if len(*text) > keyBytesMax {
		r.sizeError(fmt.Errorf("%w: <%s> has more than %d bytes", ErrTooLarge, name, keyBytesMax))
	}
}

// sizeError fails with err, if it is one.
func (r *slowReader) sizeError(err error) {
	if err != nil {
		r.fail(err)
	}
}

func (r *slowReader) duplicate(name string) { r.unsupported("duplicate element <" + name + ">") }

// child enters the next child of the innermost element and returns its local name. Where there is none, it leaves that
// element. No text may be beside the children.
func (r *slowReader) child() (name string, ok bool) {
	for {
		switch t := r.token().(type) {
		case xml.StartElement:
			return t.Name.Local, true
		case xml.CharData:
			text := string(t)
			if r.tokens == 1 {
				text = strings.TrimPrefix(text, byteOrderMark)
			}
			if strings.Trim(text, " \t\r\n") != "" {
				r.unsupported("text beside elements")
			}
		case xml.EndElement, nil:
			return "", false
		}
	}
}

// text appends the text of the innermost element and leaves it. No element may be in it.
func (r *slowReader) text(dst *[]byte) {
	for {
		switch t := r.token().(type) {
		case xml.CharData:
			if len(*dst) > textBytesMax {
				r.sizeError(fmt.Errorf("%w: its texts have more than %d bytes", ErrTooLarge, textBytesMax))
			}
			*dst = append(*dst, t...)
		case xml.StartElement:
			r.unsupported("an element in the text of another one")
		case xml.EndElement, nil:
			return
		}
	}
}

// skip leaves the innermost element and everything in it.
func (r *slowReader) skip() {
	for outside := r.depth - 1; r.depth > outside; {
		if r.token() == nil {
			return
		}
	}
}

// token returns the next token, and nil at the end or after a failure.
func (r *slowReader) token() xml.Token {
	if r.failed != nil {
		return nil
	}
	r.input.left = tokenBytesMax
	t, err := r.xml.Token()
	r.tokens++
	if err != nil {
		r.tokenFailed(err)
		return nil
	}
	switch t := t.(type) {
	case xml.StartElement:
		if r.depth++; r.depth > depthMax {
			r.unsupported("elements nested too deep")
		}
	case xml.EndElement:
		r.depth--
	case xml.Directive:
		// It could change the meaning of the document. No store sends one.
		r.unsupported("a DOCTYPE, or another declaration,")
	case xml.ProcInst, xml.Comment:
		return t
	}
	if r.failed != nil {
		return nil
	}
	return t
}

// tokenFailed keeps the reason why there are no more tokens, unless the document and the body have ended.
func (r *slowReader) tokenFailed(err error) {
	var syntax *xml.SyntaxError
	switch {
	case r.window.err != nil && r.window.err != io.EOF: // of the body
		r.fail(r.window.err)
	case errors.Is(err, ErrTooLarge), errors.Is(err, errNotASCII):
		r.fail(err)
	case err == io.EOF && r.depth == 0:
	case errors.As(err, &syntax) && syntax.Msg == "unexpected EOF":
		r.fail(fmt.Errorf("the response is cut short after %d bytes", r.window.read))
	case syntax != nil:
		r.notXML(syntax.Msg)
	default:
		r.notXML(err.Error())
	}
}

func (r *slowReader) notXML(what string) {
	r.fail(fmt.Errorf("the response is not XML: %s at byte %d", what, r.offset()))
}

func (r *slowReader) unsupported(what string) {
	r.fail(fmt.Errorf("%w: %s at byte %d", errUnsupported, what, r.offset()))
}

// offset returns the number of bytes of the body that were read.
func (r *slowReader) offset() int64 { return r.before + r.xml.InputOffset() }

// fail keeps the first error: those that follow are its consequences.
func (r *slowReader) fail(err error) {
	if r.failed == nil {
		r.failed = err
	}
}
