package xmllist

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// FuzzDecode compares the Decoder with its twin, and with itself where encoding/xml reads more of the document.
func FuzzDecode(f *testing.F) {
	for _, body := range storeAnswers(f) {
		f.Add([]byte(detailsPage))
		f.Add(body)
	}
	for _, form := range listForms() {
		f.Add([]byte(form.page(2)))
	}
	for _, body := range unsupportedDocuments() {
		f.Add([]byte(body))
	}
	for _, body := range unusualDocuments() {
		f.Add([]byte(body))
	}
	for _, body := range invalidDocuments() {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if err := compareWithTwin(body); err != nil {
			t.Error(err)
		}
	})
}

// storeAnswers returns the answers of stores by the name of their file.
func storeAnswers(t testing.TB) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("testdata/answers/*.xml")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	answers := map[string][]byte{}
	for _, name := range names {
		if answers[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return answers
}

// newDecoder returns a Decoder with a window of so many bytes. The fast scanner reads no element that is longer.
func newDecoder(windowBytes int) *Decoder {
	return &Decoder{window: window{buf: make([]byte, windowBytes+padBytes)}}
}

// compareWithTwin compares a document, and the same document as one of versions.
func compareWithTwin(body []byte) error {
	asVersions := strings.NewReplacer(
		"ListBucketResult", "ListVersionsResult", "Contents", versionElement, "NextMarker", "NextKeyMarker",
	).Replace(string(body))
	if err := compareAsked(body, Asked{}); err != nil {
		return err
	}
	return compareAsked([]byte(asVersions), Asked{Versions: true})
}

// compareAsked returns an error where the Decoder decodes body in another way than its twin, unless it refuses body
// as unsupported or too large. The size of the window, and of the reads, must not matter, not even to the text of an
// error.
func compareAsked(body []byte, asked Asked) error {
	got, err := newDecoder(len(body)+1).decode(bytes.NewReader(body), asked, BodyBytesMax)
	want, wantErr := twinDecode(bytes.NewReader(body), asked, BodyBytesMax)
	isRefused := errors.Is(err, errUnsupported) || errors.Is(err, ErrTooLarge)
	if !isRefused && !isSame(got, err, want, wantErr) {
		return fmt.Errorf("%q\nDecoder: %s\ntwin: %s", body, show(got, err), show(want, wantErr))
	}
	for _, size := range []int{1, 80, len(body)/2 + 1} {
		narrow, narrowErr := newDecoder(size).decode(iotest.OneByteReader(bytes.NewReader(body)), asked, BodyBytesMax)
		if show(got, err) != show(narrow, narrowErr) {
			return fmt.Errorf("%q\nin a window of all bytes: %s\nof %d bytes: %s",
				body, show(got, err), size, show(narrow, narrowErr))
		}
	}
	if asked.Versions {
		return nil
	}
	withMetadata, withErr := newDecoder(len(body)+1).decode(bytes.NewReader(body), Asked{Metadata: true, Details: true}, BodyBytesMax)
	narrow, narrowErr := newDecoder(1).decode(bytes.NewReader(body), Asked{Metadata: true, Details: true}, BodyBytesMax)
	if show(withMetadata, withErr) != show(narrow, narrowErr) {
		return fmt.Errorf("%q with metadata and details\nin a window of all bytes: %s\nof 1 byte: %s",
			body, show(withMetadata, withErr), show(narrow, narrowErr))
	}
	return nil
}

// isSame reports whether two decodings are the same: the Listing, the ErrorDocument, the other document, or another
// error.
func isSame(a *Listing, err error, b *Listing, bErr error) bool {
	var document, bDocument *ErrorDocument
	isDocument, bIsDocument := errors.As(err, &document), errors.As(bErr, &bDocument)
	switch {
	case isDocument || bIsDocument:
		return isDocument && bIsDocument && *document == *bDocument
	case errors.Is(err, ErrNotListing) || errors.Is(bErr, ErrNotListing):
		return err != nil && bErr != nil && err.Error() == bErr.Error()
	}
	return (err == nil) == (bErr == nil) && reflect.DeepEqual(a, b)
}

func show(l *Listing, err error) string {
	var document *ErrorDocument
	switch {
	case errors.As(err, &document):
		return fmt.Sprintf("%q", *document)
	case err != nil:
		return err.Error()
	}
	text := fmt.Sprintf("%#v", withoutDetails(l))
	for i := range l.Entries {
		if d := l.Entries[i].Details; d != nil { // not its address
			text += fmt.Sprintf("\n%d: %#v", i, *d)
		}
	}
	return text
}

func withoutDetails(l *Listing) Listing {
	without := *l
	without.Entries = slices.Clone(l.Entries)
	for i := range without.Entries {
		without.Entries[i].Details = nil
	}
	return without
}
