package list

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// outline reads a document as a decoder would: the children of elements in capitals, the text of others, and nothing of
// those that are called skip.
func outline(document string) (string, error) {
	s := &scanner{window: window{body: iotest.OneByteReader(strings.NewReader(document)), bytesMax: 1 << 10, buf: make([]byte, 0, 1)}}
	var b strings.Builder
	var element func(name []byte)
	element = func(name []byte) {
		b.Write(name)
		switch string(name) {
		case "skip":
			s.skip()
		case strings.ToUpper(string(name)):
			b.WriteByte('(')
			for child := s.child(); child != nil; child = s.child() {
				element(child)
			}
			b.WriteByte(')')
		default:
			var text []byte
			s.text(&text)
			b.WriteString("=" + string(text) + ";")
		}
	}
	element(bytes.Clone(s.root()))
	s.finish()
	return b.String(), s.err
}

func TestScannerReadsElementByElement(t *testing.T) {
	documents := map[string]string{
		"<A/>":                          "A()",
		"<a/>":                          "a=;",
		"<a></a>":                       "a=;",
		"<a> b\t</a>":                   "a= b\t;",
		"<A> <b>1</b>\n<c>2</c>\t</A>":  "A(b=1;c=2;)",
		"<A><B><c/></B><C><D/></C></A>": "A(B(c=;)C(D()))",
		"<A><skip>1<B>2</B><C/></skip><d>e&lt;&#x66;</d></A>":              "A(skipd=e<f;)",
		"<A><skip/><skip></skip><b/></A>":                                  "A(skipskipb=;)",
		"<x:A y='>' xmlns:x='/'><x:b z = \"'\"/></x:A >":                   "A(b=;)",
		"\uFEFF<?xml version='1.0'?><!-- a --> <A><!-- b --><?c d?></A>\n": "A()",
		"<a>1<!-- 2 -->3<?p 4?>5<![CDATA[&6]]><![CDATA[]]>&amp;</a>":       "a=135&6&;",
		"<a>1\r\n2\r3\n<![CDATA[\r\n]]>&#13;</a>":                          "a=1\n2\n3\n\n\r;",
	}
	for document, want := range documents {
		if got, err := outline(document); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", document, got, err, want)
		}
	}
}

func TestScannerSaysWhatIsWrong(t *testing.T) {
	documents := map[string]string{
		"":                           "the answer is empty",
		" <!-- -->":                  "the answer is empty",
		"<A><b>":                     "the answer is cut short after 6 bytes",
		"<A><b></A></b>":             "the answer is not XML: at byte 6, <b> is closed by </A>",
		"<A><1/></A>":                "the answer is not XML: at byte 3, a name was expected",
		"<A><b>&nbsp;</b></A>":       `the answer is not XML: at byte 6, the reference "&nbsp;"`,
		"<A><b>\xff</b></A>":         "the answer is not XML: at byte 6, invalid UTF-8",
		"<A><b>\x02</b></A>":         "the answer is not XML: at byte 6, the character U+0002",
		"<A/><A/>":                   "the answer goes on after its end",
		"<!DOCTYPE A><A/>":           "the answer is not understood: a DOCTYPE, or what else begins with <! and is no comment, at byte 0",
		"<A>b</A>":                   "the answer is not understood: text beside elements at byte 4",
		strings.Repeat(" ", 1<<10+1): "the answer is longer than 1024 bytes",
	}
	for document, want := range documents {
		if got, err := outline(document); err == nil || err.Error() != want {
			t.Errorf("%.40s: %s, %v; want %s", document, got, err, want)
		}
	}
	s := scanner{window: window{body: iotest.ErrReader(io.ErrClosedPipe), bytesMax: 1}}
	s.root()
	var cut cutError
	if !errors.As(s.err, &cut) || !errors.Is(s.err, io.ErrClosedPipe) {
		t.Errorf("a connection that fails: %v", s.err)
	}
}
