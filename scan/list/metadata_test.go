package list

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

// metadataOfBody decodes a listing with metadata, whole and byte by byte.
func metadataOfBody(t rapid.TB, body string) ([]keyMetadata, error) {
	t.Helper()
	d := &decoder{wanted: true}
	a, err := d.decode(strings.NewReader(body), bodyBytesMax)
	d.wanted = true // it has room from another page
	b, errAgain := d.decode(iotest.OneByteReader(strings.NewReader(body)), bodyBytesMax)
	if fmt.Sprint(err) != fmt.Sprint(errAgain) || !reflect.DeepEqual(a, b) {
		t.Fatalf("%+v, %v; byte by byte %+v, %v", a, err, b, errAgain)
	}
	if err != nil {
		return nil, err
	}
	return a.metadata, nil
}

func contents(key, inner string) string {
	return "<Contents><Key>" + key + "</Key><ETag>&#34;e&#34;</ETag><Size>1</Size>" + inner + "</Contents>"
}

// As MinIO of 2026-02 writes it, and what is made of it.
func TestDecodeUserMetadata(t *testing.T) {
	for name, c := range map[string]struct {
		inner string
		items []Item
		exact bool
	}{
		"none given":        {"", nil, false},
		"not permitted":     {"<UserTags></UserTags>", nil, false},
		"no custom ones":    {"<UserMetadata><content-type>a/b</content-type></UserMetadata><Internal><K>1</K><M>0</M></Internal>", []Item{}, true},
		"empty":             {"<UserMetadata/>", []Item{}, true},
		"sorted":            {"<UserMetadata><X-Amz-Meta-Owner>alice</X-Amz-Meta-Owner><content-type>a/b</content-type><X-Amz-Meta-A>1</X-Amz-Meta-A></UserMetadata>", []Item{{"a", "1"}, {"owner", "alice"}}, true},
		"capitals":          {"<UserMetadata><X-Amz-Meta-FooBar_baz.q>V</X-Amz-Meta-FooBar_baz.q></UserMetadata>", []Item{{"foobar_baz.q", "V"}}, true},
		"an empty value":    {"<UserMetadata><X-Amz-Meta-A></X-Amz-Meta-A></UserMetadata>", []Item{{"a", ""}}, true},
		"joined":            {"<UserMetadata><X-Amz-Meta-A>one,two</X-Amz-Meta-A></UserMetadata>", []Item{{"a", "one,two"}}, true},
		"inner blanks":      {"<UserMetadata><X-Amz-Meta-A>two  blanks</X-Amz-Meta-A></UserMetadata>", []Item{{"a", "two  blanks"}}, true},
		"XML":               {"<UserMetadata><X-Amz-Meta-A>&lt;b&gt;&#34;&amp;amp;&#39;]]&gt;</X-Amz-Meta-A></UserMetadata>", []Item{{"a", `<b>"&amp;']]>`}}, true},
		"percents":          {"<UserMetadata><X-Amz-Meta-A>100%25+%zz</X-Amz-Meta-A></UserMetadata>", []Item{{"a", "100%25+%zz"}}, true},
		"an encoded word":   {"<UserMetadata><X-Amz-Meta-A>=?UTF-8?B?w7w=?=</X-Amz-Meta-A></UserMetadata>", []Item{{"a", "=?UTF-8?B?w7w=?="}}, true},
		"UTF-8":             {"<UserMetadata><X-Amz-Meta-A>größe</X-Amz-Meta-A></UserMetadata>", []Item{{"a", "größe"}}, false},
		"a tab":             {"<UserMetadata><X-Amz-Meta-A>x&#x9;y</X-Amz-Meta-A></UserMetadata>", []Item{{"a", "x\ty"}}, false},
		"DEL":               {"<UserMetadata><X-Amz-Meta-A>x\x7fy</X-Amz-Meta-A></UserMetadata>", []Item{{"a", "x\x7fy"}}, false},
		"a line feed":       {"<UserMetadata><X-Amz-Meta-A>x&#xA;y</X-Amz-Meta-A></UserMetadata>", []Item{{"a", "x\ny"}}, false},
		"outer blanks":      {"<UserMetadata><X-Amz-Meta-A> x</X-Amz-Meta-A></UserMetadata>", []Item{{"a", " x"}}, false},
		"a blank behind":    {"<UserMetadata><X-Amz-Meta-A>x </X-Amz-Meta-A></UserMetadata>", []Item{{"a", "x "}}, false},
		"a name twice":      {"<UserMetadata><X-Amz-Meta-A>1</X-Amz-Meta-A><x-amz-meta-a>2</x-amz-meta-a></UserMetadata>", nil, false},
		"no name":           {"<UserMetadata><X-Amz-Meta->v</X-Amz-Meta-></UserMetadata>", []Item{{"", "v"}}, false},
		"the client's key":  {"<UserMetadata><X-Amz-Server-Side-Encryption-Customer-Algorithm>AES256</X-Amz-Server-Side-Encryption-Customer-Algorithm></UserMetadata>", []Item{}, false},
		"the store's key":   {"<UserMetadata><X-Amz-Server-Side-Encryption>AES256</X-Amz-Server-Side-Encryption></UserMetadata>", []Item{}, true},
		"others' metadata":  {"<UserMetadata><X-Minio-Meta-A>v</X-Minio-Meta-A></UserMetadata>", []Item{}, true},
		"of a name's begin": {"<UserMetadata><X-Amz-Met>v</X-Amz-Met><x>y</x></UserMetadata>", []Item{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			others := contents("a", "<UserMetadata><X-Amz-Meta-A>of a</X-Amz-Meta-A></UserMetadata>")
			got, err := metadataOfBody(t, "<ListBucketResult><EncodingType>url</EncodingType>"+others+contents("b%2B", c.inner)+contents("c", "")+"</ListBucketResult>")
			if err != nil || len(got) != 3 || got[0].key != "a" || got[1].key != "b+" || got[2].metadata.MatchesHead {
				t.Fatalf("%+v, %v", got, err)
			}
			m := got[1].metadata
			if m.MatchesHead != c.exact || c.items != nil && !slices.Equal(m.Items, c.items) || (m.Items == nil) != (c.items == nil && name != "a name twice") {
				t.Errorf("%+v, want %+v, exact: %v", m, c.items, c.exact)
			}
			if first := got[0].metadata; !first.MatchesHead || !slices.Equal(first.Items, []Item{{"a", "of a"}}) {
				t.Errorf("the object before: %+v", first)
			}
		})
	}
}

// What cannot be understood is refused with its whole page, and is nothing to a listing of which no metadata are wanted.
func TestDecodeUserMetadataDoesNotGuess(t *testing.T) {
	for name, inner := range map[string]string{
		"a plus in a name":    "<UserMetadata><X-Amz-Meta-A+b>v</X-Amz-Meta-A+b></UserMetadata>",
		"a blank in a name":   "<UserMetadata><X-Amz-Meta-A b>v</X-Amz-Meta-A b></UserMetadata>",
		"a control character": "<UserMetadata><X-Amz-Meta-A>&#x1;</X-Amz-Meta-A></UserMetadata>",
		"text beside":         "<UserMetadata>v<X-Amz-Meta-A>v</X-Amz-Meta-A></UserMetadata>",
		"an element in it":    "<UserMetadata><X-Amz-Meta-A>v<b/></X-Amz-Meta-A></UserMetadata>",
		"said twice":          "<UserMetadata/><UserMetadata/>",
	} {
		t.Run(name, func(t *testing.T) {
			body := "<ListBucketResult>" + contents("k", inner) + "</ListBucketResult>"
			if got, err := metadataOfBody(t, body); err == nil {
				t.Errorf("%+v", got)
			}
		})
	}
	a, err := new(decoder).decode(strings.NewReader("<ListBucketResult>"+contents("k", "<UserMetadata/><UserMetadata>text<a/></UserMetadata>")+"</ListBucketResult>"), bodyBytesMax)
	if err != nil || a.metadata != nil || len(a.entries) != 1 {
		t.Errorf("%+v, %v", a, err)
	}
}

// The decoder against encoding/xml, on pages made up.
func TestDecodeUserMetadataAsTheTwin(t *testing.T) {
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
					_ = xml.NewEncoder(&body).Encode(element{xml.Name{Local: name}, rapid.StringN(0, 8, -1).Draw(t, "value")})
				}
				body.WriteString("</UserMetadata>")
			}
			body.WriteString("</Contents>")
		}
		body.WriteString("</ListBucketResult>")
		var twin struct {
			Contents []struct {
				Key          string
				UserMetadata *struct {
					Items []element `xml:",any"`
				}
			}
		}
		if err := xml.Unmarshal([]byte(body.String()), &twin); err != nil {
			t.Skip(err)
		}
		got, err := metadataOfBody(t, body.String())
		if err != nil || len(got) != n {
			t.Fatalf("%d objects, %v", len(got), err)
		}
		for i, c := range twin.Contents {
			var want []string
			if c.UserMetadata == nil {
				if got[i].metadata.MatchesHead || got[i].metadata.Items != nil {
					t.Fatalf("%+v of nothing", got[i])
				}
				continue
			}
			for _, o := range c.UserMetadata.Items {
				if name, isMeta := strings.CutPrefix(strings.ToLower(o.XMLName.Local), metaPrefix); isMeta {
					want = append(want, name+"="+o.Value)
				}
			}
			var have []string
			for _, o := range got[i].metadata.Items {
				have = append(have, o.Name+"="+o.Value)
			}
			slices.Sort(want)
			slices.Sort(have)
			if got[i].key != c.Key || !slices.Equal(have, want) {
				t.Fatalf("%s: %q, want %q", c.Key, have, want)
			}
		}
	})
}

// The metadata stay with their entries, whichever of those are handed out.
func TestMetadataOfEntries(t *testing.T) {
	var from []keyMetadata
	for _, key := range []string{"a", "b", "b", "c", "d", "e"} {
		from = append(from, keyMetadata{key, Metadata{Items: []Item{{"of", key}}}})
	}
	got, rest := takeMetadata([]Entry{{Key: "b"}, {Key: "d"}}, from)
	if len(got) != 2 || got[0].Items[0].Value != "b" || got[1].Items[0].Value != "d" {
		t.Errorf("%+v", got)
	}
	if got, _ = takeMetadata([]Entry{{Key: "e"}, {Key: "unheard of"}}, rest); got[0].Items[0].Value != "e" || got[1].Items != nil {
		t.Errorf("%+v", got)
	}
	if got, _ := takeMetadata([]Entry{{Key: "a"}}, nil); got != nil {
		t.Errorf("%+v of a listing without", got)
	}
}
