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
			_, err := d.decode(brokenReader{bytes.NewReader(body[:n])}, false, BodyBytesMax)
			if !errors.As(err, &cut) || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%s, cut after %d of %d bytes: %v", name, n, len(body), err)
			}
		}
	}
	var cut *ReadError
	_, err := new(Decoder).Decode(iotest.ErrReader(nil), false)
	if !errors.As(err, &cut) || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a body that never returns anything: %v", err)
	}
}

func TestDecodeStopsAtTheLimit(t *testing.T) {
	size := int64(len(whole))
	if _, err := new(Decoder).decode(strings.NewReader(whole), false, size); err != nil {
		t.Errorf("a body of the largest size: %v", err)
	}
	if _, err := new(Decoder).decode(strings.NewReader(whole+"\n"), false, size); err == nil {
		t.Error("a body that is one byte longer was accepted")
	}
	endless := 0
	blanks := readerFunc(func(p []byte) (int, error) {
		endless += len(p)
		return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
	})
	_, err := new(Decoder).decode(io.MultiReader(strings.NewReader(whole), blanks), false, size)
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
	if _, err := new(Decoder).Decode(body, false); err != nil || reads > most {
		t.Errorf("%v after %d reads, want at most %d", err, reads, most)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A page costs a few allocations that are hardly larger than its texts (an encoded key keeps the room of its escapes),
// and later pages do not change it.
func TestDecodeOwnsNothingOfAPage(t *testing.T) {
	const keys = 1000
	plain := basicForm().page(keys)
	for _, page := range []string{plain, strings.ReplaceAll(plain, "data", "%E3%83%87%E3%83%BC%E3%82%BF")} {
		d := new(Decoder)
		decode := func() *Listing {
			l, err := d.Decode(strings.NewReader(page), false)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		first := decode()
		if _, err := d.Decode(strings.NewReader(strings.ReplaceAll(page, "2026", "1999")), false); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(first, decode()) {
			t.Error("a page was changed by a later one")
		}

		needed := keys * int(unsafe.Sizeof(Entry{}))
		for _, e := range first.Entries {
			written := len(url.QueryEscape(e.Key)) - 2*strings.Count(e.Key, "/") // which AWS does not encode
			needed += written + len(e.ETag) + len(e.LastModified)
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

// A Decoder does not keep the memory that a hostile page needed.
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
		if _, err := d.Decode(strings.NewReader("<ListBucketResult>"+page+"</ListBucketResult>"), true); err != nil {
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
