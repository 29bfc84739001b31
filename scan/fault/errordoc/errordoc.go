// Package errordoc reads the body of an answer that is an error, whoever wrote it: the Error document of S3, the same
// under another root, JSON, or the page of a proxy.
package errordoc

import (
	"bytes"
	"io"
	"strings"
	"unicode"
)

// Document is what the body of an error says. A field that the body lacks is empty.
type Document struct {
	Code      string // of S3, as NoSuchBucket
	Message   string // at most messageMax characters, or the beginning of a body without Code and Message
	RequestID string
	Endpoint  string // the host at which the store wants to be asked, or a URL
	Region    string // of the bucket
}

const (
	// bodyBytesMax is how much of a body is read. An Error document has some hundred bytes, a page some thousand.
	bodyBytesMax = 64 << 10

	messageMax   = 500 // characters; those of AWS have at most some 300
	beginningMax = 200 // characters of a body that is no error document

	// wordMax is the length from which a word in the beginning of a body is cut. Debugging proxies answer with the
	// request, and a session token is a word of several hundred characters.
	wordMax = 64
)

// Read reads the beginning of a body. A body that cannot be read has the Document of the part that was read.
func Read(body io.Reader) Document {
	text, err := io.ReadAll(io.LimitReader(body, bodyBytesMax))
	return parse(text, err != nil || len(text) == bodyBytesMax)
}

// Beginning returns what a person would read first in a body that is no error document: the title of a page, or the
// first characters.
func Beginning(body []byte) string {
	if title := htmlTitle(body); title != "" {
		return title
	}
	if bytes.IndexByte(body[:min(len(body), beginningMax)], 0) >= 0 || bytes.HasPrefix(body, []byte("\x1f\x8b")) {
		return "" // a binary format, such as gzip
	}
	words := strings.FieldsFunc(withoutTags(body), func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) })
	for i, word := range words {
		words[i] = cut(word, wordMax)
	}
	return cut(strings.Join(words, " "), beginningMax)
}

// Checked returns the Document with texts of a bounded length, and with a Code only if it can be one of S3.
func (d Document) Checked() Document {
	if d.Code != "" && !isCode(d.Code) {
		d.Message = strings.TrimSuffix(d.Code+": "+d.Message, ": ")
		d.Code = ""
	}
	d.Message = cut(d.Message, messageMax)
	for _, text := range []*string{&d.Code, &d.RequestID, &d.Endpoint, &d.Region} {
		*text = cut(*text, beginningMax)
	}
	return d
}

// parse reads a body; isCut is set where more of it exists.
func parse(body []byte, isCut bool) Document {
	d, found := parseXML(body, isCut)
	if !found {
		d, found = parseJSON(body)
	}
	if !found {
		d = Document{Message: Beginning(body)}
	}
	return d.Checked()
}

// isCode reports whether text can be an error code of S3. Other texts must not become a fault.Class, which has words of
// its own such as timeout. https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
func isCode(text string) bool {
	if text == "" || text[0] < 'A' || text[0] > 'Z' || len(text) > wordMax {
		return false
	}
	isOther := func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r))
	}
	return !strings.ContainsFunc(text, isOther)
}

// Short returns the beginning of a text of a store, such as a header, for a message.
func Short(text string) string { return cut(text, beginningMax) }

// cut returns at most so many characters of text, with an ellipsis where it was longer.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	n := 0
	for i := range text {
		if n == most {
			return text[:i] + "…"
		}
		n++
	}
	return text
}

// htmlTitle returns the title of an HTML page; empty: the body has none.
func htmlTitle(body []byte) string {
	lower := bytes.ToLower(body) // of the same length for ASCII, and a tag is ASCII
	if len(lower) != len(body) {
		return ""
	}
	_, after, found := bytes.Cut(lower, []byte("<title"))
	if !found {
		return ""
	}
	from := len(body) - len(after)
	open := bytes.IndexByte(body[from:], '>')
	end := bytes.Index(lower[from:], []byte("</title"))
	if open < 0 || end < open {
		return ""
	}
	return cut(strings.Join(strings.Fields(unescape(string(body[from+open+1:from+end]))), " "), beginningMax)
}

// withoutTags returns the text of a page: what is between tags.
func withoutTags(body []byte) string {
	if trimmed := bytes.TrimSpace(body); len(trimmed) == 0 || trimmed[0] != '<' {
		return string(body)
	}
	var text strings.Builder
	for part := range bytes.SplitSeq(body, []byte("<")) {
		if _, after, found := bytes.Cut(part, []byte(">")); found {
			text.Write(after)
			text.WriteByte(' ')
		}
	}
	return unescape(text.String())
}
