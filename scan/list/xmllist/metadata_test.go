package xmllist

import (
	"encoding/xml"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

// decodeMetadata decodes a listing with metadata in windows of several sizes, which must not matter.
func decodeMetadata(t rapid.TB, body string) ([]UserMetadata, error) {
	t.Helper()
	d := new(Decoder)
	l, err := d.Decode(strings.NewReader(body), Asked{Metadata: true})
	again, errAgain := d.Decode(iotest.OneByteReader(strings.NewReader(body)), Asked{Metadata: true}) // with the buffers of another page
	if fmt.Sprint(err) != fmt.Sprint(errAgain) || !reflect.DeepEqual(l, again) {
		t.Fatalf("%+v, %v; again %+v, %v", l, err, again, errAgain)
	}
	for _, window := range []int{1, 100, len(body)/2 + 1} {
		narrow, errNarrow := newDecoder(window).decode(strings.NewReader(body), Asked{Metadata: true}, BodyBytesMax)
		if fmt.Sprint(err) != fmt.Sprint(errNarrow) || !reflect.DeepEqual(l, narrow) {
			t.Fatalf("%+v, %v; in a window of %d bytes %+v, %v", l, err, window, narrow, errNarrow)
		}
	}
	if err != nil {
		return nil, err
	}
	return l.Metadata, nil
}

func contents(key, inner string) string {
	return "<Contents><Key>" + key + "</Key><ETag>&#34;e&#34;</ETag><Size>1</Size>" + inner + "</Contents>"
}

// A UserMetadata that is not understood is refused with its whole page. It does not matter where metadata are not asked
// for.
func TestDecodeUserMetadataDoesNotGuess(t *testing.T) {
	for name, inner := range map[string]string{
		"a plus in a name":    "<UserMetadata><X-Amz-Meta-A+b>v</X-Amz-Meta-A+b></UserMetadata>",
		"a blank in a name":   "<UserMetadata><X-Amz-Meta-A b>v</X-Amz-Meta-A b></UserMetadata>",
		"a control character": "<UserMetadata><X-Amz-Meta-A>&#x1;</X-Amz-Meta-A></UserMetadata>",
		"text beside":         "<UserMetadata>v<X-Amz-Meta-A>v</X-Amz-Meta-A></UserMetadata>",
		"an element in it":    "<UserMetadata><X-Amz-Meta-A>v<b/></X-Amz-Meta-A></UserMetadata>",
		"two of one object":   "<UserMetadata/><UserMetadata/>",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := decodeMetadata(t, "<ListBucketResult>"+contents("k", inner)+"</ListBucketResult>"); err == nil {
				t.Errorf("%+v", got)
			}
		})
	}
	invalid := contents("k", "<UserMetadata/><UserMetadata>text<a/></UserMetadata>")
	l, err := new(Decoder).Decode(strings.NewReader("<ListBucketResult>"+invalid+"</ListBucketResult>"), Asked{})
	if err != nil || l.Metadata != nil || len(l.Entries) != 1 {
		t.Errorf("%+v, %v", l, err)
	}
}

// The Decoder reads generated pages as encoding/xml does.
func TestDecodeUserMetadataAsEncodingXML(t *testing.T) {
	type element struct {
		XMLName xml.Name
		Value   string `xml:",chardata"`
	}
	rapid.Check(t, func(t *rapid.T) {
		var body strings.Builder
		body.WriteString("<ListBucketResult>")
		n := rapid.IntRange(0, 20).Draw(t, "objects")
		for i := range n {
			body.WriteString("<Contents><Key>" + fmt.Sprint(i) + "</Key>")
			if rapid.IntRange(0, 5).Draw(t, "given") > 0 {
				body.WriteString("<UserMetadata>")
				for range rapid.IntRange(0, 20).Draw(t, "items") {
					name := rapid.StringMatching(`(X-Amz-Meta-|x-amz-meta-|X-Amz-|content-)[a-cA-C0-2._-]{0,3}`).Draw(t, "name")
					if rapid.IntRange(0, 9).Draw(t, "empty") == 0 {
						body.WriteString("<" + name + "/>")
						continue
					}
					_ = xml.NewEncoder(&body).Encode(element{xml.Name{Local: name}, rapid.StringN(0, 8, -1).Draw(t, "value")})
				}
				body.WriteString("</UserMetadata>")
			}
			body.WriteString("</Contents>")
		}
		body.WriteString("</ListBucketResult>")
		var twin struct {
			Contents []struct {
				UserMetadata *struct {
					Items []element `xml:",any"`
				}
			}
		}
		twinErr := xml.Unmarshal([]byte(body.String()), &twin)
		got, err := decodeMetadata(t, body.String())
		if (err == nil) != (twinErr == nil) {
			t.Fatalf("%v; encoding/xml: %v", err, twinErr)
		}
		if err != nil {
			return
		}
		if len(got) != n {
			t.Fatalf("%d of %d objects", len(got), n)
		}
		for i, c := range twin.Contents {
			if (c.UserMetadata == nil) != (got[i].Items == nil) {
				t.Fatalf("%+v, and encoding/xml has %+v", got[i], c.UserMetadata)
			}
			if c.UserMetadata == nil {
				continue
			}
			var want, have []string
			for _, o := range c.UserMetadata.Items {
				if name, isItem := strings.CutPrefix(strings.ToLower(o.XMLName.Local), metaPrefix); isItem {
					want = append(want, name+"="+o.Value)
				}
			}
			for _, o := range got[i].Items {
				have = append(have, o.Name+"="+o.Value)
			}
			slices.Sort(want)
			slices.Sort(have)
			if !slices.Equal(have, want) {
				t.Fatalf("object %d: %q, want %q", i, have, want)
			}
		}
	})
}
