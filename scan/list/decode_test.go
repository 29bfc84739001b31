package list

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func decodeAll(body io.Reader) (*answer, error) {
	return new(decoder).decode(body, 4<<10)
}

func TestDecodeReadsWhatAListSays(t *testing.T) {
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
	if !a.truncated || !a.keysDeclared || a.nextToken != "to+ken%20" {
		t.Errorf("truncated %v, decoded %v, next %q: the token is not encoded", a.truncated, a.keysDeclared, a.nextToken)
	}
	want := []Entry{
		{Key: "a+b c d\xff/e", ETag: "abc", LastModified: "2026-11-22T01:02:03.004Z", StorageClass: "STANDARD", Size: 12},
		{Key: "z", Size: -1},
	}
	if len(a.entries) != len(want) {
		t.Fatalf("%d entries, want %d", len(a.entries), len(want))
	}
	for i, e := range a.entries {
		if e != want[i] {
			t.Errorf("entry %d is %+v, want %+v", i, e, want[i])
		}
	}
}

func TestDecodeLeavesKeysAloneUnlessTheEncodingIsDeclared(t *testing.T) {
	const body = `<ListBucketResult><Contents><Key>a+b 100% %41</Key></Contents></ListBucketResult>`
	a, err := decodeAll(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if got := a.entries[0].Key; got != "a+b 100% %41" || a.keysDeclared {
		t.Errorf("key %q, decoded %v", got, a.keysDeclared)
	}
}

func TestDecodeReadsV1(t *testing.T) {
	const body = `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>` +
		`<NextMarker>a+b</NextMarker></ListBucketResult>`
	a, err := decodeAll(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if a.nextToken != "a b" {
		t.Errorf("NextMarker is %q: a key, and so encoded", a.nextToken)
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

// whole is the shortest listing that has everything that matters in one.
const whole = `<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a</Key></Contents></ListBucketResult>`

// noListings are refused, by the twin as well.
func noListings() map[string]string {
	return map[string]string{
		"empty":                "",
		"blank":                " \n",
		"HTML":                 `<!DOCTYPE html><html><head><meta charset="utf-8"></head><body>It works!</body></html>`,
		"well-formed HTML":     `<html><body>sign in</body></html>`,
		"text":                 "upstream connect error",
		"another document":     `<ListAllMyBucketsResult></ListAllMyBucketsResult>`,
		"bad escape":           `<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%zz</Key></Contents></ListBucketResult>`,
		"escape cut short":     `<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%4</Key></Contents></ListBucketResult>`,
		"signed escape":        `<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a%+4</Key></Contents></ListBucketResult>`,
		"empty key":            `<ListBucketResult><Contents><Key></Key></Contents></ListBucketResult>`,
		"no key":               `<ListBucketResult><Contents><Size>1</Size></Contents></ListBucketResult>`,
		"strange truncation":   `<ListBucketResult><IsTruncated>maybe</IsTruncated></ListBucketResult>`,
		"strange encoding":     `<ListBucketResult><EncodingType>base64</EncodingType></ListBucketResult>`,
		"two documents":        whole + whole,
		"illegal character":    "<ListBucketResult><Contents><Key>\x01</Key></Contents></ListBucketResult>",
		"not UTF-8":            "<ListBucketResult><Contents><Key>\xff</Key></Contents></ListBucketResult>",
		"unknown entity":       "<ListBucketResult><Contents><Key>&nbsp;</Key></Contents></ListBucketResult>",
		"mismatched end":       "<ListBucketResult><Contents></ListBucketResult></Contents>",
		"longer than anything": "<ListBucketResult>" + strings.Repeat(" ", 4<<10),
	}
}

func TestDecodeRefusesWhatIsNoListing(t *testing.T) {
	if _, err := decodeAll(strings.NewReader(whole)); err != nil {
		t.Fatal(err)
	}
	for name, body := range noListings() {
		if a, err := decodeAll(strings.NewReader(body)); err == nil {
			t.Errorf("%s: taken for a listing of %d keys", name, len(a.entries))
		}
	}
	for n := range len(whole) {
		if _, err := decodeAll(strings.NewReader(whole[:n])); err == nil {
			t.Errorf("cut after %d of %d bytes: taken for a listing", n, len(whole))
		}
	}
	for _, n := range []int{0, 20, len(whole)} {
		var cut cutError
		if _, err := decodeAll(brokenReader{strings.NewReader(whole[:n])}); !errors.As(err, &cut) || !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d bytes, and the framing promised more: %v", n, err)
		}
	}
}

// notUnderstood is all that the twin accepts and the decoder refuses, since no store has a reason to send it.
func notUnderstood() map[string]string {
	listing := func(inner string) string { return "<ListBucketResult>" + inner + "</ListBucketResult>" }
	return map[string]string{
		"a DOCTYPE":                 "<!DOCTYPE ListBucketResult>" + whole,
		"a declaration in it":       listing(`<!ENTITY a "b">`),
		"text before it":            "upstream " + whole,
		"text after it":             whole + "upstream",
		"CDATA around it":           "<![CDATA[]]>" + whole,
		"text beside its elements":  listing("a<Contents><Key>k</Key></Contents>"),
		"text beside its fields":    listing("<Contents><Key>k</Key>a</Contents>"),
		"an element in a key":       listing("<Contents><Key>k<b>e</b>y</Key></Contents>"),
		"an empty element in a key": listing("<Contents><Key>k<b/></Key></Contents>"),
		"two classes of one object": listing("<Contents><Key>j</Key></Contents>" +
			"<Contents><Key>k</Key><StorageClass/><StorageClass>S</StorageClass></Contents>"),
		"two keys of one object":       listing("<Contents><Key>a</Key><Key>b</Key></Contents>"),
		"the same key twice":           listing("<Contents><Key>a</Key><Size>1</Size><Key>a</Key></Contents>"),
		"two sizes":                    listing("<Contents><Key>a</Key><Size/><Size>2</Size></Contents>"),
		"two verdicts":                 listing("<IsTruncated>true</IsTruncated><IsTruncated>false</IsTruncated>"),
		"two encodings":                listing("<EncodingType>url</EncodingType><EncodingType/>"),
		"two codes":                    "<Error><Code>SlowDown</Code><Code>AccessDenied</Code></Error>",
		"a name in Greek":              listing("<κλειδί/>"),
		"a name with two colons":       "<?a:b:c?>" + whole,
		"blanks in the declaration":    `<?xml version = "1.0"?>` + whole,
		"a declaration without quotes": `<?xml version=1.0?>` + whole,
		"unheard-of declarations":      `<?xml version="1.0" colour="red"?>` + whole,
		"elements 251 deep":            listing(strings.Repeat("<a>", 250) + strings.Repeat("</a>", 250)),
	}
}

func TestDecodeDoesNotGuess(t *testing.T) {
	const deep = depthMax - 1 // with the document element
	nested := "<ListBucketResult>" + strings.Repeat("<a>", deep) + strings.Repeat("</a>", deep) + "</ListBucketResult>"
	if _, err := new(decoder).decode(strings.NewReader(nested), bodyBytesMax); err != nil {
		t.Error(err)
	}
	for name, body := range notUnderstood() {
		a, err := new(decoder).decode(strings.NewReader(body), bodyBytesMax)
		if !errors.Is(err, errNotUnderstood) {
			t.Errorf("%s: %v, %v", name, a, err)
		}
		var told *refusal
		if _, err := twinDecode(strings.NewReader(body), bodyBytesMax); err != nil && !errors.As(err, &told) {
			t.Errorf("%s: the twin does not accept it either: %v", name, err)
		}
	}
}
