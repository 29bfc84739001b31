package xmllist

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// The slow twin of the Decoder reads a document with encoding/xml into a tree of strings, and applies the rules of a
// listing to it.

// document is the XML of both versions.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (Response Syntax)
type document struct {
	XMLName               xml.Name
	EncodingType          string
	IsTruncated           string
	NextContinuationToken string
	NextMarker            string
	KeyCount              *string
	Prefix                string
	CommonPrefixes        []struct{ Prefix []string }
	NextKeyMarker         string
	NextVersionIDMarker   string `xml:"NextVersionIdMarker"`
	Contents              []twinObject
	Others                []twinObject `xml:",any"` // versions and delete markers are among them
	// Of an <Error> document.
	Code      string
	Message   string
	RequestID string `xml:"RequestId"`
}

// twinObject is a Contents, a Version or a DeleteMarker.
type twinObject struct {
	XMLName      xml.Name
	Key          string
	LastModified string
	ETag         string
	Size         string
	StorageClass string
	VersionID    string `xml:"VersionId"`
	IsLatest     string
}

// twinDecode is the twin of Decoder.decode.
func twinDecode(body io.Reader, asked Asked, bytesMax int64) (*Listing, error) {
	doc, err := twinRead(body, bytesMax)
	if err != nil {
		return nil, err
	}
	if doc.XMLName.Local == "Error" {
		return nil, &ErrorDocument{doc.Code, doc.Message, doc.RequestID}
	}
	if asked.Versions && doc.XMLName.Local == asked.root() {
		return doc.versions()
	}
	return doc.listing(asked)
}

// versions applies the rules of a listing to the versions of a document, as if each was a Contents.
func (d *document) versions() (*Listing, error) {
	if len(d.Contents) > 0 {
		return nil, errUnsupported
	}
	d.NextMarker, d.NextContinuationToken = d.NextKeyMarker, ""
	d.Contents = slices.DeleteFunc(slices.Clone(d.Others), func(o twinObject) bool {
		return o.XMLName.Local != versionElement && o.XMLName.Local != markerElement
	})
	d.XMLName.Local = Asked{}.root()
	l, err := d.listing(Asked{})
	if err != nil {
		return nil, err
	}
	l.NextVersion = d.NextVersionIDMarker
	for i, c := range d.Contents {
		l.Entries[i].Details = &Details{
			VersionID: cmp.Or(c.VersionID, "null"), DeleteMarker: c.XMLName.Local == markerElement,
			IsLatest: strings.EqualFold(strings.TrimSpace(c.IsLatest), "true"),
		}
	}
	return l, nil
}

// cutReader makes ReadErrors of the errors of a body.
type cutReader struct{ io.Reader }

func (r cutReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = &ReadError{err}
	}
	return n, err
}

// twinRead reads the whole body. A body that cannot be read to its end is a ReadError; one that is not XML, is cut
// short, goes on after its end, or is longer than bytesMax is another error.
func twinRead(body io.Reader, bytesMax int64) (*document, error) {
	limited := &io.LimitedReader{R: cutReader{body}, N: bytesMax}
	decoder := xml.NewDecoder(limited)
	decoder.CharsetReader = charsetReader
	doc := new(document)
	if err := decoder.Decode(doc); err != nil {
		switch {
		case limited.N <= 0:
			return nil, fmt.Errorf("the response is longer than %d bytes", bytesMax)
		case err == io.EOF:
			return nil, errors.New("the response is empty")
		}
		return nil, fmt.Errorf("the response is not a whole XML document: %w", err)
	}
	// White space may follow the document element, up to the end of the body.
	for {
		token, err := decoder.Token()
		if err == io.EOF {
			return doc, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the end of the response is not XML: %w", err)
		}
		if _, isElement := token.(xml.StartElement); isElement {
			return nil, errors.New("the response continues after its end")
		}
	}
}

// listing checks the document and decodes its keys.
func (d *document) listing(asked Asked) (*Listing, error) {
	if d.XMLName.Local != asked.root() {
		return nil, fmt.Errorf("%w %s but <%.40s>", ErrNotListing, asked.root(), d.XMLName.Local)
	}
	a := &Listing{NextToken: d.NextContinuationToken, KeyCount: -1, Prefix: d.Prefix}
	if d.KeyCount != nil && strings.TrimSpace(*d.KeyCount) != "" {
		n, err := strconv.ParseUint(strings.TrimLeft(strings.TrimSpace(*d.KeyCount), "+"), 10, 63)
		if err != nil {
			return nil, fmt.Errorf("KeyCount is %q", *d.KeyCount)
		}
		a.KeyCount = int(n)
	}
	switch strings.ToLower(strings.TrimSpace(d.IsTruncated)) {
	case "true":
		a.Truncated = true
	case "false", "": // where it is absent, the next page confirms the end
	default:
		return nil, fmt.Errorf("IsTruncated is %q", d.IsTruncated)
	}
	switch d.EncodingType {
	case "url":
		a.KeysDeclared = d.isEncoded()
		a.NotEncoded = !a.KeysDeclared
	case "":
	default:
		return nil, fmt.Errorf("EncodingType is %q", d.EncodingType)
	}
	if a.NextToken == "" {
		// A marker that is not encoded as the keys are is useless, and not needed where there are keys.
		a.NextToken, _ = twinURL(d.NextMarker, a.KeysDeclared)
	}
	for _, prefix := range d.prefixes() {
		key, err := twinURL(prefix, a.KeysDeclared)
		if err != nil {
			return nil, err
		}
		e := Entry{Key: key, Size: -1, CommonPrefix: true}
		if key != prefix {
			e.Encoded = prefix
		}
		a.Prefixes = append(a.Prefixes, e)
	}
	a.Entries = make([]Entry, len(d.Contents))
	for i, c := range d.Contents {
		if c.Key == "" {
			return nil, errors.New("an object has no Key")
		}
		key, err := twinURL(c.Key, a.KeysDeclared)
		if err != nil {
			return nil, err
		}
		size, err := twinSize(c.Size)
		if err != nil {
			return nil, err
		}
		encoded := ""
		if key != c.Key {
			encoded = c.Key
		}
		a.Entries[i] = Entry{
			Key: key, Encoded: encoded, ETag: strings.Trim(strings.TrimPrefix(c.ETag, "W/"), `"`), LastModified: c.LastModified,
			StorageClass: c.StorageClass,
			Size:         size,
		}
	}
	return a, nil
}

// prefixes returns the common prefixes that are not empty.
func (d *document) prefixes() (all []string) {
	for _, c := range d.CommonPrefixes {
		for _, prefix := range c.Prefix {
			if prefix != "" {
				all = append(all, prefix)
			}
		}
	}
	return all
}

// isEncoded reports whether the keys are encoded, as the document declares.
func (d *document) isEncoded() bool {
	keys := d.prefixes()
	some := strings.ContainsAny(strings.Join(keys, ""), "%+") // key has something to decode
	for _, c := range d.Contents {
		some = some || strings.ContainsAny(c.Key+c.ETag+c.LastModified+c.StorageClass+c.VersionID, "%+")
	}
	for _, c := range d.Contents {
		keys = append(keys, c.Key)
	}
	for _, key := range keys {
		isRaw := func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>\\^`{|}", r) }
		if !some {
			isRaw = func(r rune) bool { return r == '\uFFFD' || r == '\n' }
		}
		if _, err := twinURL(key, true); err != nil || strings.ContainsFunc(key, isRaw) {
			return false
		}
	}
	return true
}

// twinSize is the twin of parseSize.
func twinSize(text string) (int64, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return -1, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("the Size %q", text)
	}
	return n, nil
}

// twinURL undoes encoding-type=url where the store declared it.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (encoding-type)
func twinURL(text string, encoded bool) (string, error) {
	if !encoded || !strings.ContainsAny(text, "%+") {
		return text, nil
	}
	key := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '+':
			key = append(key, ' ')
		case '%':
			if i+2 >= len(text) {
				return "", fmt.Errorf("the key %q has a bad escape", text)
			}
			b, err := strconv.ParseUint(text[i+1:i+3], 16, 8)
			if err != nil {
				return "", fmt.Errorf("the key %q has a bad escape", text)
			}
			key = append(key, byte(b))
			i += 2
		default:
			key = append(key, text[i])
		}
	}
	return string(key), nil
}
