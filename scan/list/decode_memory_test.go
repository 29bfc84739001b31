package list

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
	d := new(decoder)
	for name, body := range storeAnswers(t) {
		for n := range len(body) + 1 {
			var cut cutError
			_, err := d.decode(brokenReader{bytes.NewReader(body[:n])}, bodyBytesMax)
			if !errors.As(err, &cut) || !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%s, cut after %d of %d bytes: %v", name, n, len(body), err)
			}
		}
	}
	var cut cutError
	if _, err := new(decoder).decode(iotest.ErrReader(nil), bodyBytesMax); !errors.As(err, &cut) || !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("nothing and no error, for ever: %v", err)
	}
}

func TestDecodeReadsNoMoreThanItMay(t *testing.T) {
	size := int64(len(whole))
	if _, err := new(decoder).decode(strings.NewReader(whole), size); err != nil {
		t.Errorf("as long as may be: %v", err)
	}
	if _, err := new(decoder).decode(strings.NewReader(whole+"\n"), size); err == nil {
		t.Error("longer by one byte, and accepted")
	}
	endless := 0
	blanks := readerFunc(func(p []byte) (int, error) {
		endless += len(p)
		return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
	})
	if _, err := new(decoder).decode(io.MultiReader(strings.NewReader(whole), blanks), size); err == nil || endless > windowBytes {
		t.Errorf("a body without end: %v after %d bytes", err, endless)
	}
}

func TestDecodeReadsInLargeParts(t *testing.T) {
	page, reads := simPage(pageKeysMax), 0
	body := readerFunc(func(p []byte) (int, error) {
		if len(page) == 0 {
			return 0, io.EOF
		}
		reads++
		n := copy(p, page)
		page = page[n:]
		return n, nil
	})
	most := len(page)/(windowBytes-1<<10) + 1 // an object may be left in the window
	if _, err := new(decoder).decode(body, bodyBytesMax); err != nil || reads > most {
		t.Errorf("%v after %d reads, want at most %d", err, reads, most)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A page costs a handful of allocations, hardly larger than what it says (as it writes it: an encoded key keeps that room), and is
// not touched by those after it.
func TestDecodeOwnsNothingOfAPage(t *testing.T) {
	const keys = pageKeysMax
	plain := simPage(keys)
	for _, page := range [][]byte{plain, bytes.ReplaceAll(plain, []byte("data"), []byte("%E3%83%87%E3%83%BC%E3%82%BF"))} {
		d := new(decoder)
		decode := func() *answer {
			a, err := d.decode(bytes.NewReader(page), bodyBytesMax)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		first := decode()
		if _, err := d.decode(bytes.NewReader(bytes.ReplaceAll(page, []byte("2026"), []byte("1999"))), bodyBytesMax); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(first, decode()) {
			t.Error("a page was changed by one that came after it")
		}

		needed := keys*int(unsafe.Sizeof(Entry{})) + len(first.entries[0].StorageClass) // which is one for all
		for _, e := range first.entries {
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

// What a hostile page made large is given back.
func TestDecodeForgetsLargePages(t *testing.T) {
	long := strings.Repeat("long", 2*roomBytesMax)
	pages := map[string]string{
		"names":      "<" + long + ">" + "</" + long + ">",
		"attributes": "<a " + long + "='" + long + "'/>",
		"keys":       "<Contents><Key>" + long + "</Key></Contents>",
		"ETags":      "<Contents><Key>a</Key><ETag>" + long + "</ETag></Contents>",
		"references": "<Contents><Key>a&amp;" + long + "</Key></Contents>",
		"objects":    strings.Repeat("<Contents><Key>a</Key></Contents>", 10*roomObjectsMax),
		"comments":   "<!--" + long + "-->",
	}
	d := new(decoder)
	for name, page := range pages {
		if _, err := d.decode(strings.NewReader("<ListBucketResult>"+page+"</ListBucketResult>"), bodyBytesMax); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		kept := cap(d.xml.buf) + cap(d.xml.names) + 8*cap(d.xml.starts) + cap(d.xml.scratch) + cap(d.text) +
			cap(d.objects)*int(unsafe.Sizeof(object{}))
		if kept > 5*roomBytesMax || d.xml.body != nil || d.token != nil {
			t.Errorf("after long %s, %d bytes are kept", name, kept)
		}
	}
}
