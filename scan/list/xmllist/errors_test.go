package xmllist

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestDecodeNamesWhatIsWrong(t *testing.T) {
	listing := func(inner string) string { return "<ListBucketResult>" + inner + "</ListBucketResult>" }
	for document, want := range map[string]string{
		"":                                "the response is empty",
		" <!-- -->":                       "the response is empty",
		"<ListBucketResult><b>":           "the response is cut short after 21 bytes",
		listing("<b></A></b>"):            "the response is not XML: element <b> closed by </A> at byte 25",
		listing("<Key/><1/>"):             "the response is not XML: invalid XML name: 1 at byte 26",
		listing("<b>&nbsp;</b>"):          "the response is not XML: invalid character entity &nbsp; at byte 27",
		listing("<b>\xff</b>"):            "the response is not XML: invalid UTF-8 at byte 22",
		listing("<b>\x02</b>"):            "the response is not XML: illegal character code U+0002 at byte 22",
		listing("") + listing(""):         "the response continues after its end",
		"<!DOCTYPE a><ListBucketResult/>": "unsupported XML: a DOCTYPE, or another declaration, at byte 12",
		listing("<c></c>text"):            "unsupported XML: text beside elements at byte 29",
		listing("<Contents><Key>a</Key><Key>b</Key></Contents>"): "unsupported XML: duplicate element <Key> at byte 45",
		strings.Repeat(" ", 1<<10+1):                             "the response is too large: it is longer than 1024 bytes",
		"<html/>":                                                "not a ListBucketResult but <html>",
	} {
		for _, window := range []int{1, 30, 1 << 10} {
			_, err := newDecoder(window).decode(iotest.OneByteReader(strings.NewReader(document)), Asked{}, 1<<10)
			if err == nil || err.Error() != want {
				t.Errorf("%.40s, in a window of %d: %v; want %s", document, window, err, want)
			}
		}
	}
	var cut *ReadError
	_, err := new(Decoder).Decode(iotest.ErrReader(io.ErrClosedPipe), Asked{})
	if !errors.As(err, &cut) || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a connection that fails: %v", err)
	}
}
