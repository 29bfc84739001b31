package xmllist

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

func decodeAll(body io.Reader) (*Listing, error) {
	return new(Decoder).decode(body, Asked{}, 4<<10)
}

func TestDecodeReadsAListing(t *testing.T) {
	const body = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><KeyCount>2</KeyCount>
<IsTruncated>true</IsTruncated><EncodingType>url</EncodingType><NextContinuationToken>to+ken%20</NextContinuationToken>
<Contents><Key>a%2Bb+c%20d%FF/e</Key><LastModified>2026-11-22T01:02:03.004Z</LastModified><ETag>&quot;abc&quot;</ETag>
<Size>12</Size><StorageClass>STANDARD</StorageClass><Owner><ID>x</ID></Owner></Contents>
<Contents><Key>z</Key></Contents></ListBucketResult>
`
	a, err := decodeAll(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if !a.Truncated || !a.KeysDeclared || a.NextToken != "to+ken%20" {
		t.Errorf("truncated %v, declared %v, next %q: a token is not encoded", a.Truncated, a.KeysDeclared, a.NextToken)
	}
	want := []Entry{
		{
			Key: "a+b c d\xff/e", Encoded: "a%2Bb+c%20d%FF/e", ETag: "abc", LastModified: "2026-11-22T01:02:03.004Z",
			StorageClass: "STANDARD", Size: 12,
		},
		{Key: "z", Size: -1},
	}
	if len(a.Entries) != len(want) {
		t.Fatalf("%d entries, want %d", len(a.Entries), len(want))
	}
	for i, e := range a.Entries {
		if e != want[i] {
			t.Errorf("entry %d is %+v, want %+v", i, e, want[i])
		}
	}
}

func TestDecodeDecodesOnlyDeclaredKeys(t *testing.T) {
	const body = `<ListBucketResult><Contents><Key>a+b 100% %41</Key></Contents></ListBucketResult>`
	a, err := decodeAll(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if got := a.Entries[0].Key; got != "a+b 100% %41" || a.KeysDeclared {
		t.Errorf("key %q, declared %v", got, a.KeysDeclared)
	}
}

func TestDecodeReadsV1(t *testing.T) {
	const body = `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>` +
		`<NextMarker>a+b</NextMarker></ListBucketResult>`
	a, err := decodeAll(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if a.NextToken != "a b" {
		t.Errorf("NextMarker is %q, but it is encoded as keys are", a.NextToken)
	}
}

// brokenReader ends with an error, as a body does whose connection is cut.
type brokenReader struct{ text io.Reader }

func (b brokenReader) Read(p []byte) (int, error) {
	n, err := b.text.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// whole is the shortest listing with an object and without a next page.
const whole = `<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents></ListBucketResult>`

// s3s-fs declares an encoding and encodes nothing. A key with a byte that no encoder leaves shows that, and so does a
// percent sign that begins no escape: then all keys of the page are as they were written.
func TestDecodeDecodesOnlyEncodedKeys(t *testing.T) {
	body := func(keys ...string) string {
		return "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>" +
			strings.Join(keys, "</Key></Contents><Contents><Key>") + "</Key></Contents></ListBucketResult>"
	}
	for _, odd := range []string{
		"a b", "é", "a%zz", "a%4", "a%+4", "100%", "a&lt;b", `"`, "a&gt;", `\`, "^", "`", "{", "|", "}", "a\nb", "\x7f", "\uFFFD",
	} {
		for _, keys := range [][]string{{"a+b", odd}, {odd, "c%41d"}} {
			a, err := decodeAll(strings.NewReader(body(keys...)))
			if err != nil || a.KeysDeclared {
				t.Errorf("%q: declared %v, %v", keys, a.KeysDeclared, err)
				continue
			}
			for i, e := range a.Entries {
				want := strings.NewReplacer("&lt;", "<", "&gt;", ">").Replace(keys[i])
				if e.Key != want || e.Encoded != "" {
					t.Errorf("%q: got %+v, want the key as it was written", keys, e)
				}
			}
		}
	}
	a, err := decodeAll(strings.NewReader(body("a+b", "-_.~!*'();:@&amp;=$,/?#[]%C3%A9", "plain")))
	if err != nil || !a.KeysDeclared || a.Entries[0].Key != "a b" || a.Entries[1].Key != "-_.~!*'();:@&=$,/?#[]é" ||
		a.Entries[2].Encoded != "" {
		t.Errorf("encoded keys: got %+v, %v", a, err)
	}
}

func TestDecodeReadsCountsAndPrefixes(t *testing.T) {
	prefix := func(key string) []Entry { return []Entry{{Key: key, Size: -1, CommonPrefix: true}} }
	for inner, want := range map[string]Listing{
		"": {KeyCount: -1}, "<KeyCount> 3\n</KeyCount>": {KeyCount: 3}, "<KeyCount/>": {KeyCount: -1},
		"<Prefix/>": {KeyCount: -1}, "<Prefix>a%2Fb+c</Prefix>": {KeyCount: -1, Prefix: "a%2Fb+c"},
		"<CommonPrefixes/>": {KeyCount: -1}, "<CommonPrefixes><Prefix/></CommonPrefixes>": {KeyCount: -1},
		"<CommonPrefixes><Prefix></Prefix></CommonPrefixes>":              {KeyCount: -1},
		"<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>":            {KeyCount: -1, Prefixes: prefix("a/")},
		"<CommonPrefixes>\n<Prefix>a&amp;/</Prefix>\n</CommonPrefixes>":   {KeyCount: -1, Prefixes: prefix("a&/")},
		"<CommonPrefixes><X/><Prefix>a</Prefix></CommonPrefixes><X/><Y/>": {KeyCount: -1, Prefixes: prefix("a")},
		"<IsTruncated>True</IsTruncated>":                                 {KeyCount: -1, Truncated: true},
		"<IsTruncated>FALSE</IsTruncated>":                                {KeyCount: -1},
	} {
		a, err := decodeAll(strings.NewReader("<ListBucketResult>" + inner + "</ListBucketResult>"))
		if err != nil || a.KeyCount != want.KeyCount || a.Prefix != want.Prefix || !slices.Equal(a.Prefixes, want.Prefixes) || a.Truncated != want.Truncated {
			t.Errorf("%s: got %+v, %v; want %+v", inner, a, err, want)
		}
	}
}

// Some stores declare another encoding than UTF-8 and write only ASCII.
func TestDecodeReadsDeclaredCharsets(t *testing.T) {
	body := func(charset, key string) string {
		return `<?xml version="1.0" encoding="` + charset + `"?>` + strings.Replace(whole, "<Key>a", "<Key>"+key, 1)
	}
	for _, charset := range []string{
		"US-ASCII", "ascii", "utf8", "UTF8", "Utf-8", "iso-8859-1", "ISO_8859-1", "latin1", "windows-1252",
	} {
		a, err := decodeAll(strings.NewReader(body(charset, "k")))
		if err != nil || len(a.Entries) != 1 || a.Entries[0].Key != "k" {
			t.Errorf("%s: got %+v, %v", charset, a, err)
		}
		isUTF8 := strings.HasPrefix(strings.ToLower(charset), "utf")
		if a, err := decodeAll(strings.NewReader(body(charset, "é"))); (err == nil) != isUTF8 {
			t.Errorf("%s, with a key in UTF-8: got %+v, %v", charset, a, err)
		}
	}
	if a, err := decodeAll(strings.NewReader(body("utf-16", "k"))); err == nil {
		t.Errorf("utf-16: got %+v, want an error", a)
	}
}

// invalidDocuments are refused by the Decoder and its twin.
func invalidDocuments() map[string]string {
	return map[string]string{
		"empty":               "",
		"blank":               " \n",
		"HTML":                `<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>It works!</body></html>`,
		"well-formed HTML":    `<html><body>sign in</body></html>`,
		"text":                "upstream connect error",
		"another document":    `<ListAllMyBucketsResult></ListAllMyBucketsResult>`,
		"empty key":           `<ListBucketResult><Contents><Key></Key></Contents></ListBucketResult>`,
		"no key":              `<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>`,
		"invalid IsTruncated": `<ListBucketResult><IsTruncated>maybe</IsTruncated></ListBucketResult>`,
		"unknown encoding":    `<ListBucketResult><EncodingType>base64</EncodingType></ListBucketResult>`,
		"two documents":       whole + whole,
		"illegal character":   "<ListBucketResult><Contents><Key>\x01</Key></Contents></ListBucketResult>",
		"not UTF-8":           "<ListBucketResult><Contents><Key>\xff</Key></Contents></ListBucketResult>",
		"unknown entity":      "<ListBucketResult><Contents><Key>&nbsp;</Key></Contents></ListBucketResult>",
		"mismatched end":      "<ListBucketResult><Contents></ListBucketResult></Contents>",
		"too long":            "<ListBucketResult>" + strings.Repeat(" ", 4<<10),
	}
}

func TestDecodeRefusesInvalidDocuments(t *testing.T) {
	if _, err := decodeAll(strings.NewReader(whole)); err != nil {
		t.Fatal(err)
	}
	for name, body := range invalidDocuments() {
		if a, err := decodeAll(strings.NewReader(body)); err == nil {
			t.Errorf("%s: read as a listing of %d keys", name, len(a.Entries))
		}
	}
	for n := range len(whole) {
		if _, err := decodeAll(strings.NewReader(whole[:n])); err == nil {
			t.Errorf("cut after %d of %d bytes: read as a listing", n, len(whole))
		}
	}
	for _, n := range []int{0, 20, len(whole)} {
		var cut *ReadError
		_, err := decodeAll(brokenReader{strings.NewReader(whole[:n])})
		if !errors.As(err, &cut) || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the connection is closed after %d bytes: %v", n, err)
		}
	}
}

// unsupportedDocuments are accepted by the twin and refused by the Decoder, since no store has a reason to send them.
func unsupportedDocuments() map[string]string {
	listing := func(inner string) string { return "<ListBucketResult>" + inner + "</ListBucketResult>" }
	return map[string]string{
		"a DOCTYPE":                 "<!DOCTYPE ListBucketResult>" + whole,
		"a declaration in it":       listing(`<!ENTITY a "b">`),
		"text before it":            "upstream " + whole,
		"text after it":             whole + "upstream",
		"CDATA before it":           "<![CDATA[upstream]]>" + whole,
		"text beside its elements":  listing("a<Contents><Key>k</Key></Contents>"),
		"text beside its fields":    listing("<Contents><Key>k</Key>a</Contents>"),
		"an element in a key":       listing("<Contents><Key>k<b>e</b>y</Key></Contents>"),
		"an empty element in a key": listing("<Contents><Key>k<b/></Key></Contents>"),
		"two classes of one object": listing("<Contents><Key>j</Key></Contents>" +
			"<Contents><Key>k</Key><StorageClass/><StorageClass>S</StorageClass></Contents>"),
		"two keys of one object":     listing("<Contents><Key>a</Key><Key>b</Key></Contents>"),
		"the same key twice":         listing("<Contents><Key>a</Key><Size>1</Size><Key>a</Key></Contents>"),
		"two sizes":                  listing("<Contents><Key>a</Key><Size/><Size>2</Size></Contents>"),
		"IsTruncated twice":          listing("<IsTruncated>true</IsTruncated><IsTruncated>false</IsTruncated>"),
		"two encodings":              listing("<EncodingType>url</EncodingType><EncodingType/>"),
		"two codes":                  "<Error><Code>SlowDown</Code><Code>AccessDenied</Code></Error>",
		"elements 251 levels deep":   listing(strings.Repeat("<a>", 250) + strings.Repeat("</a>", 250)),
		"instructions and a DOCTYPE": "<?a?><!DOCTYPE a>" + whole,
	}
}

// unusualDocuments are listings that only encoding/xml understands.
func unusualDocuments() map[string]string {
	return map[string]string{
		"a name in Greek":              "<ListBucketResult><κλειδί/></ListBucketResult>",
		"a name with two colons":       "<?a:b:c?>" + whole,
		"blanks in the declaration":    `<?xml version = "1.0"?>` + whole,
		"a declaration without quotes": `<?xml version=1.0?>` + whole,
		"unknown declarations":         `<?xml version="1.0" colour="red"?>` + whole,
		"empty CDATA before it":        "<![CDATA[]]>" + whole,
		"a comment after it":           whole + "<!-- -->",
	}
}

func TestDecodeReadsUnusualDocuments(t *testing.T) {
	for name, body := range unusualDocuments() {
		if _, err := new(Decoder).Decode(strings.NewReader(body), Asked{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := compareWithTwin([]byte(body)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecodeDoesNotGuess(t *testing.T) {
	const deep = depthMax - 1 // with the document element
	nested := "<ListBucketResult>" + strings.Repeat("<a>", deep) + strings.Repeat("</a>", deep) + "</ListBucketResult>"
	if _, err := new(Decoder).Decode(strings.NewReader(nested), Asked{}); err != nil {
		t.Error(err)
	}
	for name, body := range unsupportedDocuments() {
		l, err := new(Decoder).Decode(strings.NewReader(body), Asked{})
		if !errors.Is(err, errUnsupported) {
			t.Errorf("%s: %v, %v", name, l, err)
		}
		var document *ErrorDocument
		if _, err := twinDecode(strings.NewReader(body), Asked{}, BodyBytesMax); err != nil && !errors.As(err, &document) {
			t.Errorf("%s: the twin refuses it too: %v", name, err)
		}
	}
}
