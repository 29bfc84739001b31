package list

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"testing/iotest"
)

// FuzzDecode holds the decoder against its twin, and against itself where the body comes byte by byte.
func FuzzDecode(f *testing.F) {
	for _, body := range storeAnswers(f) {
		f.Add(body)
	}
	for _, body := range notUnderstood() {
		f.Add([]byte(body))
	}
	for _, body := range noListings() {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if err := againstTwin(body); err != nil {
			t.Error(err)
		}
	})
}

// storeAnswers are what stores send, by the name of the file.
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

// againstTwin says what is wrong with the decoding of body. It must be the twin's, or refused as not understood; and it
// must be the same, to the letter of an error, if the body comes byte by byte into a window that is too small.
func againstTwin(body []byte) error {
	wide := decoder{xml: scanner{window: window{buf: make([]byte, 0, len(body)+1)}}}
	a, err := wide.decode(bytes.NewReader(body), bodyBytesMax)
	want, wantErr := twinDecode(bytes.NewReader(body), bodyBytesMax)
	if !errors.Is(err, errNotUnderstood) && !alike(a, err, want, wantErr) {
		return fmt.Errorf("%q\nthe decoder: %s\nthe twin: %s", body, show(a, err), show(want, wantErr))
	}
	narrow := decoder{xml: scanner{window: window{buf: make([]byte, 0, 1)}}}
	b, narrowErr := narrow.decode(iotest.OneByteReader(bytes.NewReader(body)), bodyBytesMax)
	if show(a, err) != show(b, narrowErr) {
		return fmt.Errorf("%q\nat once: %s\nbyte by byte: %s", body, show(a, err), show(b, narrowErr))
	}
	return nil
}

// alike says whether two decodings are the same: the answer, the refusal, the other document, or another error.
func alike(a *answer, err error, b *answer, bErr error) bool {
	var told, bTold *refusal
	isTold, bIsTold := errors.As(err, &told), errors.As(bErr, &bTold)
	switch {
	case isTold || bIsTold:
		return isTold && bIsTold && *told == *bTold
	case errors.Is(err, errNotList) || errors.Is(bErr, errNotList):
		return err != nil && bErr != nil && err.Error() == bErr.Error()
	}
	return (err == nil) == (bErr == nil) && reflect.DeepEqual(a, b)
}

func show(a *answer, err error) string {
	var told *refusal
	switch {
	case errors.As(err, &told):
		return fmt.Sprintf("%q", *told)
	case err != nil:
		return err.Error()
	}
	return fmt.Sprintf("%#v", *a)
}
