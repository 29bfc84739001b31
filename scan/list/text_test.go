package list

import (
	"encoding/xml"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// pieces are what texts are made of that are not simply themselves, and what looks like it.
func pieces() []string {
	return []string{
		"a", "key", " ", "é", "日本", "\U0001f600", "\uFFFD", "\uD7FF", "\uE000", "\U0010FFFF", "\x7f", "\t", "\n", "\r", "\r\n",
		"&quot;", "&amp;", "&lt;", "&gt;", "&apos;", "&#34;", "&#xA;", "&#x000000000000000000000000000000041;", "&#13;", "&#x1F600;",
		"]", "]]", ">", "]]>", "]]&gt;", "\"", "'", ";", "#", "x", "%41", "+",
		"&", "&;", "&#;", "&#x;", "&nbsp;", "&quot", "&#0;", "&#1;", "&#xB;", "&#xFFFE;", "&#xD800;", "&#x110000;", "&#X41;", "&#x4_1;",
		"&#+65;", "&#-1;", "&#4294967361;", "&#99999999999999999999999;", "&a:b;", "&ü;",
		"\x00", "\x01", "\x1f", "\xff", "\xc3", "\xa9", "\xc0\x80", "\xed\xa0\x80", "\uFFFE", "\uFFFF", "\xf4\x90\x80\x80",
	}
}

func TestAppendTextReadsAsEncodingXMLDoes(t *testing.T) {
	places := []struct {
		start, end string
		in         place
	}{
		{"<a>", "</a>", inElement}, {"<a><![CDATA[", "]]></a>", inCDATA}, {`<a b="`, `"/>`, inQuotes},
	}
	rapid.Check(t, func(t *rapid.T) {
		raw := strings.Join(rapid.SliceOfN(rapid.SampledFrom(pieces()), 0, 8).Draw(t, "raw"), "")
		in := rapid.SampledFrom(places).Draw(t, "place")
		if in.in == inQuotes {
			raw = strings.ReplaceAll(raw, `"`, "")
			if rapid.Bool().Draw(t, "tag") {
				raw += "<"
			}
		} else if in.in == inCDATA && strings.Contains(raw, "]]>") {
			raw = strings.ReplaceAll(raw, "]]>", "<")
		}
		var want struct {
			Text  string `xml:",chardata"`
			Value string `xml:"b,attr"`
		}
		wantErr := xml.Unmarshal([]byte(in.start+raw+in.end), &want)
		got, err := appendText([]byte("before "), []byte(raw), in.in)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: %v; encoding/xml: %v", raw, err, wantErr)
		}
		if err == nil && string(got) != "before "+want.Text+want.Value {
			t.Fatalf("%q is %q; encoding/xml: %q", raw, got, want.Text+want.Value)
		}
	})
}
