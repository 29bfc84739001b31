package xmllist

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// textPieces are pieces of texts that do not stand for themselves, or look so.
func textPieces() []string {
	return []string{
		"a", "key", " ", "é", "日本", "\U0001f600", "\uFFFD", "\uD7FF", "\uE000", "\U0010FFFF", "\x7f",
		"\t", "\n", "\r", "\r\n",
		"&quot;", "&amp;", "&lt;", "&gt;", "&apos;", "&#34;", "&#xA;", "&#x000000000000000000000000000000041;",
		"&#13;", "&#x1F600;", "&#38;", "&#39;", "&#10;", "&#xD;", "&#x9;",
		"]", "]]", ">", "]]>", "]]&gt;", "\"", "'", ";", "#", "x", "%41", "+",
		"&", "&;", "&#;", "&#x;", "&nbsp;", "&quot", "&#0;", "&#1;", "&#xB;", "&#xFFFE;", "&#xD800;", "&#x110000;",
		"&#X41;", "&#x4_1;",
		"&#+65;", "&#-1;", "&#4294967361;", "&#99999999999999999999999;", "&a:b;", "&ü;",
		"\x00", "\x01", "\x1f", "\xff", "\xc3", "\xa9", "\xc0\x80", "\xed\xa0\x80", "\uFFFE", "\uFFFF", "\xf4\x90\x80\x80",
	}
}

func TestAppendTextReadsAsEncodingXML(t *testing.T) {
	understood := 0
	rapid.Check(t, func(t *rapid.T) {
		raw := strings.Join(rapid.SliceOfN(rapid.SampledFrom(textPieces()), 0, 4).Draw(t, "raw"), "")
		var want struct {
			Text string `xml:",chardata"`
		}
		wantErr := xml.Unmarshal([]byte("<a>"+raw+"</a>"), &want)
		window := append([]byte("<a>"+raw+"</a>"), make([]byte, padBytes)...)
		got, end := appendText([]byte("before "), window, len("<a>"))
		if end == 0 {
			return // left to encoding/xml
		}
		understood++
		if wantErr != nil || end != len("<a>"+raw) || string(got) != "before "+want.Text {
			t.Fatalf("%q is %q up to %d; encoding/xml: %q, %v", raw, got, end, want.Text, wantErr)
		}
	})
	if understood == 0 {
		t.Error("no text was understood")
	}
}

// The fast scanner understands the texts that servers write for any text that XML can carry.
func TestAppendTextUnderstandsServers(t *testing.T) {
	writers := map[string]func(string) string{
		"AWS": strings.NewReplacer(
			"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;", "\r", "&#13;",
		).Replace,
		"Go": func(text string) string {
			var b strings.Builder
			_ = xml.EscapeText(&b, []byte(text))
			return b.String()
		},
	}
	rapid.Check(t, func(t *rapid.T) {
		text := nastyText(t, "text")
		for name, write := range writers {
			window := append([]byte("<a>"+write(text)+"</a>"), make([]byte, padBytes)...)
			if got, end := appendText(nil, window, len("<a>")); end == 0 || string(got) != text {
				t.Fatalf("%s writes %q as %q, and %q was read", name, text, write(text), got)
			}
		}
	})
}

// naivePlainEnd is the twin of plainEnd: one byte at a time.
func naivePlainEnd(text []byte) int {
	for i, b := range text {
		if b < 0x20 || b >= 0x80 || strings.IndexByte("&<>", b) >= 0 {
			return i
		}
	}
	return len(text)
}

func TestPlainEndCountsAsItsTwin(t *testing.T) {
	// Every pair of bytes at every place of a word and of the word after it: a wrong mark needs a neighbour.
	for first := range 256 {
		for second := range 256 {
			for at := range 12 {
				text := append(bytes.Repeat([]byte("a"), 14), make([]byte, padBytes)...)
				text[at], text[at+1] = byte(first), byte(second)
				if got, want := plainEnd(text, 0), naivePlainEnd(text); got != want {
					t.Fatalf("plainEnd(%q) is %d, want %d", text, got, want)
				}
			}
		}
	}
	for n := range 20 {
		text := append([]byte(strings.Repeat("Zz", 10)[:n]), make([]byte, padBytes)...)
		if got := plainEnd(text, 0); got != n {
			t.Errorf("plainEnd of %d letters is %d", n, got)
		}
	}
}
