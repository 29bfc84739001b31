package lookup

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"headcount/scan/fault"
	"headcount/scan/fault/errordoc"
	"headcount/scan/head"
)

const (
	// documentBytesMax is far more than 1,000 annotations take, or the 10 to 50 tags that stores allow.
	documentBytesMax = 4 << 20

	// rootBytesMax bounds what is read of a body before its root element is known: a body may be an object of many
	// gigabytes.
	rootBytesMax = 4 << 10
)

// document is the answer to any Kind.
type document struct {
	Tags []struct {
		Key, Value string
	} `xml:"TagSet>Tag"`
	Annotations []struct {
		Name string `xml:"AnnotationName"`
		Size string
	} `xml:"Annotations>AnnotationEntry"`
	Next string `xml:"NextContinuationToken"`
}

// isRoot reports whether the document of a Kind has this root element.
func (k Kind) isRoot(name string) bool {
	if k == Tags {
		return name == "Tagging"
	}
	return strings.HasPrefix(name, "ListObjectAnnotations")
}

// readAnswer reads an answer. Its error is an *Error, or that of the connection.
func readAnswer(k Kind, response *http.Response) (Answer, error) {
	refused := &Error{
		Kind: k, Status: response.StatusCode, RequestID: response.Header.Get("x-amz-request-id"),
		RetryAfter: fault.RetryAfter(response.Header.Get("Retry-After")),
		isMarker:   response.Header.Get("x-amz-delete-marker") == "true",
	}
	if response.StatusCode != http.StatusOK {
		return refused.answer(errordoc.Read(response.Body))
	}
	body := bufio.NewReaderSize(response.Body, rootBytesMax)
	beginning, err := body.Peek(rootBytesMax)
	if err != nil && err != io.EOF {
		return Answer{}, err
	}
	switch root := rootOf(beginning); {
	case root == "Error":
		return refused.answer(errordoc.Read(body))
	case !k.isRoot(root):
		refused.Message = "the answer is no list of " + k.String()
		refused.isObject = response.Header.Get("ETag") != ""
		refused.isOther = true
		return Answer{}, refused
	}
	text, err := io.ReadAll(io.LimitReader(body, documentBytesMax))
	if err != nil {
		return Answer{}, err
	}
	var d document
	if err := xml.Unmarshal(text, &d); err != nil {
		refused.Message, refused.isOther = "the answer is no list of "+k.String()+": "+errordoc.Short(err.Error()), true
		return Answer{}, refused
	}
	return d.answer(), nil
}

func (d *document) answer() Answer {
	a := Answer{Next: d.Next}
	for _, tag := range d.Tags {
		a.Texts = append(a.Texts, head.Header{Name: []byte(tag.Key), Value: []byte(tag.Value)})
	}
	for _, annotation := range d.Annotations {
		a.Texts = append(a.Texts, head.Header{Name: []byte(annotation.Name), Value: []byte(annotation.Size)})
	}
	return a
}

// rootOf returns the name of the root element of a document that begins so; empty: it is no XML.
func rootOf(beginning []byte) string {
	decoder := xml.NewDecoder(bytes.NewReader(beginning))
	for {
		token, err := decoder.RawToken()
		if err != nil {
			return ""
		}
		switch t := token.(type) {
		case xml.StartElement:
			return t.Name.Local
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return ""
			}
		}
	}
}

var errTagHeader = errors.New("no list of tags")

// ParseTags reads the value of x-amz-tagging, in which some stores answer a HEAD with the tags: those of a URL's query.
// Its error says that the value is none.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html (x-amz-tagging)
func ParseTags(value []byte) ([]head.Header, error) {
	tags := []head.Header{}
	for pair := range strings.SplitSeq(string(value), "&") {
		name, text, _ := strings.Cut(pair, "=")
		if pair == "" {
			continue
		}
		name, nameErr := url.QueryUnescape(name)
		text, textErr := url.QueryUnescape(text)
		if nameErr != nil || textErr != nil || name == "" {
			return nil, errTagHeader
		}
		tags = append(tags, head.Header{Name: []byte(name), Value: []byte(text)})
	}
	return tags, nil
}
