package list

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unsafe"
)

func TestDecodeReadsTheBodyToItsEnd(t *testing.T) {
	for name, body := range storeAnswers(t) {
		for n := range len(body) + 1 {
			var cut cutError
			_, err := new(decoder).decode(brokenReader{bytes.NewReader(body[:n])}, bodyBytesMax)
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
	body := &countingReader{}
	if _, err := new(decoder).decode(io.MultiReader(strings.NewReader(whole), body), size); err == nil || body.bytes > windowBytes {
		t.Errorf("a body without end: %v after %d bytes", err, body.bytes)
	}
}

// countingReader is blanks without end.
type countingReader struct{ bytes int }

func (c *countingReader) Read(p []byte) (int, error) {
	c.bytes += len(p)
	return copy(p, bytes.Repeat([]byte(" "), len(p))), nil
}

// A page costs a handful of allocations, which are no larger than what it says, and is not touched by those after it.
func TestDecodeOwnsNothingOfAPage(t *testing.T) {
	const keys = 1000
	page, d := simPage(keys), new(decoder)
	decode := func() *answer {
		a, err := d.decode(bytes.NewReader(page), bodyBytesMax)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	first := decode()
	for range 3 {
		other := []byte(strings.ReplaceAll(string(page), "2026", "1999"))
		if _, err := d.decode(bytes.NewReader(other), bodyBytesMax); err != nil {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(first, decode()) {
		t.Error("a page was changed by those that came after it")
	}

	texts := 0
	for i, e := range first.entries {
		texts += len(e.Key) + len(e.ETag) + len(e.LastModified)
		if i == 0 {
			texts += len(e.StorageClass) // one for all
		}
	}
	var before, after runtime.MemStats
	const runs = 20
	runtime.ReadMemStats(&before)
	allocs := testing.AllocsPerRun(runs-1, func() { decode() })
	runtime.ReadMemStats(&after)
	needed := texts + keys*int(unsafe.Sizeof(Entry{}))
	if bytes := int(after.TotalAlloc-before.TotalAlloc) / runs; allocs > 10 || bytes > needed+needed/4 {
		t.Errorf("%v allocations of %d bytes for a page of %d bytes", allocs, bytes, needed)
	}
}

// What a hostile page made large is given back.
func TestDecodeForgetsLargePages(t *testing.T) {
	long := strings.Repeat("long", 1<<20)
	pages := map[string]string{
		"names":      "<" + long + ">" + "</" + long + ">",
		"attributes": "<a " + long + "='" + long + "'/>",
		"keys":       "<Contents><Key>" + long + "</Key></Contents>",
		"ETags":      "<Contents><Key>a</Key><ETag>" + long + "</ETag></Contents>",
		"references": "<Contents><Key>a&amp;" + long + "</Key></Contents>",
		"objects":    strings.Repeat("<Contents><Key>a</Key></Contents>", 100_000),
		"comments":   "<!--" + long + "-->",
	}
	d := new(decoder)
	for name, page := range pages {
		if _, err := d.decode(strings.NewReader("<ListBucketResult>"+page+"</ListBucketResult>"), bodyBytesMax); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		kept := cap(d.xml.buf) + cap(d.xml.names) + 8*cap(d.xml.starts) + cap(d.xml.scratch) + cap(d.keys) + cap(d.rest) +
			cap(d.objects)*int(unsafe.Sizeof(object{}))
		if kept > 5*roomBytesMax || d.xml.body != nil || d.token != nil {
			t.Errorf("after long %s, %d bytes are kept", name, kept)
		}
	}
}
