package xmllist

import (
	"bytes"
	"errors"
	"io"
	"net/url"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unsafe"
)

func TestDecodeReadsTheBodyToItsEnd(t *testing.T) {
	d := new(Decoder)
	for name, body := range storeAnswers(t) {
		for n := range len(body) + 1 {
			var cut *ReadError
			_, err := d.decode(brokenReader{bytes.NewReader(body[:n])}, Asked{}, BodyBytesMax)
			if !errors.As(err, &cut) || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%s, cut after %d of %d bytes: %v", name, n, len(body), err)
			}
		}
	}
	var cut *ReadError
	_, err := new(Decoder).Decode(iotest.ErrReader(nil), Asked{})
	if !errors.As(err, &cut) || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a body that never returns anything: %v", err)
	}
}

func TestDecodeStopsAtTheLimit(t *testing.T) {
	size := int64(len(whole))
	if _, err := new(Decoder).decode(strings.NewReader(whole), Asked{}, size); err != nil {
		t.Errorf("a body of the largest size: %v", err)
	}
	if _, err := new(Decoder).decode(strings.NewReader(whole+"\n"), Asked{}, size); err == nil {
		t.Error("a body that is one byte longer was accepted")
	}
	endless := 0
	blanks := readerFunc(func(p []byte) (int, error) {
		endless += len(p)
		return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
	})
	_, err := new(Decoder).decode(io.MultiReader(strings.NewReader(whole), blanks), Asked{}, size)
	if err == nil || endless > windowBytes {
		t.Errorf("an endless body: %v after %d bytes", err, endless)
	}
}

func TestDecodeReadsInLargeParts(t *testing.T) {
	page, reads := []byte(basicForm().page(1000)), 0
	body := readerFunc(func(p []byte) (int, error) {
		if len(page) == 0 {
			return 0, io.EOF
		}
		reads++
		n := copy(p, page)
		page = page[n:]
		return n, nil
	})
	most := len(page)/(windowBytes-1<<10) + 1 // a part of an object may stay in the window
	if _, err := new(Decoder).Decode(body, Asked{}); err != nil || reads > most {
		t.Errorf("%v after %d reads, want at most %d", err, reads, most)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A page costs a few allocations that are hardly larger than its texts, and later pages do not change it. An encoded
// key is kept in both forms.
func TestDecodeOwnsNothingOfAPage(t *testing.T) {
	const keys = 1000
	plain := basicForm().page(keys)
	for _, page := range []string{plain, strings.ReplaceAll(plain, "data", "%E3%83%87%E3%83%BC%E3%82%BF")} {
		d := new(Decoder)
		decode := func() *Listing {
			l, err := d.Decode(strings.NewReader(page), Asked{})
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		first := decode()
		if _, err := d.Decode(strings.NewReader(strings.ReplaceAll(page, "2026", "1999")), Asked{}); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(first, decode()) {
			t.Error("a page was changed by a later one")
		}

		needed := keys * int(unsafe.Sizeof(Entry{}))
		for _, e := range first.Entries {
			written := len(url.QueryEscape(e.Key)) - 2*strings.Count(e.Key, "/") // which AWS does not encode
			needed += written + len(e.ETag) + len(e.LastModified)
			if e.Encoded != "" {
				needed += len(e.Key)
			}
		}
		var before, after runtime.MemStats
		const runs = 20
		runtime.ReadMemStats(&before)
		allocs := testing.AllocsPerRun(runs-1, func() { decode() })
		runtime.ReadMemStats(&after)
		if bytes := int(after.TotalAlloc-before.TotalAlloc) / runs; allocs > 10 || bytes > needed+needed/16 {
			t.Errorf("%v allocations of %d bytes for a page of %d bytes", allocs, bytes, needed)
		}
	}
}

// A Decoder does not keep the memory that a hostile page needed. Most of these pages are refused.
func TestDecodeForgetsLargePages(t *testing.T) {
	long := strings.Repeat("long", 2*keptTextBytesMax)
	pages := map[string]string{
		"names":      "<" + long + ">" + "</" + long + ">",
		"attributes": "<a " + long + "='" + long + "'/>",
		"keys":       "<Contents><Key>" + long + "</Key></Contents>",
		"ETags":      "<Contents><Key>a</Key><ETag>" + long + "</ETag></Contents>",
		"references": "<Contents><Key>a&amp;" + long + "</Key></Contents>",
		"objects":    strings.Repeat("<Contents><Key>a</Key></Contents>", 10*keptObjectsMax),
		"comments":   "<!--" + long + "-->",
		"skipped":    strings.Repeat("<Contents><Key>a</Key>"+strings.Repeat("<A/>", 10000)+"</Contents>", 10),
		"metadata": "<Contents><Key>a</Key><UserMetadata>" +
			strings.Repeat("<X-Amz-Meta-A>v</X-Amz-Meta-A>", 10*keptItemsMax) + "</UserMetadata></Contents>",
	}
	d := new(Decoder)
	for name, page := range pages {
		_, err := d.Decode(strings.NewReader("<ListBucketResult>"+page+"</ListBucketResult>"), Asked{Metadata: true})
		if err != nil && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
		kept := cap(d.buf) + cap(d.text) + bytesOf(d.objects) + bytesOf(d.items) + bytesOf(d.metadata) +
			bytesOf(d.repeats.skipped) + bytesOf(d.repeats.items)
		if most := 3 * keptTextBytesMax; kept > most || d.body != nil || d.token != nil {
			t.Errorf("after long %s, %d bytes are kept, want at most %d", name, kept, most)
		}
	}
}

// bytesOf is the size of the memory of s.
func bytesOf[T any](s []T) int {
	var element T
	return cap(s) * int(unsafe.Sizeof(element))
}

// Whatever a store sends, decoding it takes no more than a few times the limits of limits.go.
func TestDecodeBoundsItsMemory(t *testing.T) {
	listing := func(inner string) io.Reader { return strings.NewReader("<ListBucketResult>" + inner) }
	forEver := func(before, piece string) io.Reader {
		return io.MultiReader(strings.NewReader(before), &endless{piece: []byte(piece)})
	}
	object := func(field string) string { return "<Contents><Key>a</Key>" + field + "</Contents>" }
	long := strings.Repeat("k", 60<<10)
	for name, body := range map[string]io.Reader{
		"empty objects":    forEver("<ListBucketResult>", "<Contents/>"),
		"objects":          forEver("<ListBucketResult>", object("")),
		"one object":       forEver("<ListBucketResult><Contents>", "<Owner/>"),
		"long keys":        forEver("<ListBucketResult>", "<Contents><Key>"+long+"</Key></Contents>"),
		"long ETags":       forEver("<ListBucketResult>", object("<ETag>"+long+"</ETag>")),
		"metadata":         forEver("<ListBucketResult>", object("<UserMetadata><X-Amz-Meta-A/></UserMetadata>")),
		"one metadata":     forEver("<ListBucketResult><Contents><UserMetadata>", "<X-Amz-Meta-A/>"),
		"a key":            forEver("<ListBucketResult><Contents><Key>", "k"),
		"a key of CDATA":   forEver("<ListBucketResult><Contents><Key>", "<![CDATA[k]]>"),
		"a token of CDATA": forEver("<ListBucketResult><NextContinuationToken>", "<![CDATA[k]]>"),
		"one long key":     listing("<Contents><Key>" + long + "</Key></Contents></ListBucketResult>"),
		"a token":          listing("<NextContinuationToken>" + long + "</NextContinuationToken></ListBucketResult>"),
		"a comment":        forEver("<ListBucketResult><!--", "x"),
		"a tag":            forEver("<ListBucketResult><", "x"),
		"blanks":           forEver("<ListBucketResult>", " "),
		"prefixes":         forEver("<ListBucketResult>", "<CommonPrefixes><Prefix>p</Prefix></CommonPrefixes>"),
		"an error":         forEver("<Error><Message>", "m"),
	} {
		bytesMax := int64(4 << 20) // encoding/xml needs a second for the largest body
		if name == "long ETags" {
			bytesMax = BodyBytesMax
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := new(Decoder).decode(body, Asked{Metadata: true}, bytesMax)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s: got error %v, want %v", name, err, ErrTooLarge)
		}
		// encoding/xml allocates for each token, and the collector frees that.
		if live := after.HeapInuse - min(before.HeapInuse, after.HeapInuse); live > 128<<20 {
			t.Errorf("%s: %d MB are in use", name, live>>20)
		}
	}
}

// endless repeats a piece for ever.
type endless struct {
	piece []byte
	at    int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.piece[e.at]
		e.at = (e.at + 1) % len(e.piece)
	}
	return len(p), nil
}

// The texts of an Error document are cut, and what it says first counts.
func TestDecodeCutsErrorDocuments(t *testing.T) {
	long := strings.Repeat("m", 10<<20)
	for _, body := range []string{
		"<Error><Code>SlowDown</Code><Message>" + long + "</Message></Error>",
		"<Error><Code>SlowDown</Code><Message>" + long[:100<<10] + "</Message></Error>",
	} {
		var document *ErrorDocument
		_, err := new(Decoder).Decode(strings.NewReader(body), Asked{})
		if !errors.As(err, &document) || document.Code != "SlowDown" || len(document.Message) > errorTextBytesMax+3 {
			t.Errorf("got %.200v, want SlowDown with a short message", err)
		}
	}
}
