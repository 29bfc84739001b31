package head

import (
	"fmt"
	"testing"

	"headcount/scan/list"
)

// answer returns a Result with status 200 and these headers, in pairs.
func answer(pairs ...string) *Result {
	r := &Result{Status: 200}
	for i := 0; i < len(pairs); i += 2 {
		r.Headers = append(r.Headers, Header{[]byte(pairs[i]), []byte(pairs[i+1])})
	}
	return r
}

func TestWrittenSince(t *testing.T) {
	for _, c := range []struct {
		listed, answered string
		want             Order
	}{
		{"2026-01-02T03:04:05.000Z", "Fri, 02 Jan 2026 03:04:05 GMT", Same},
		{"2026-01-02T03:04:05Z", "Fri, 02 Jan 2026 03:04:05 GMT", Same},
		{"2026-01-02T03:04:05.999Z", "Fri, 02 Jan 2026 03:04:05 GMT", Same},
		{"2026-01-02T03:04:05.999Z", "Fri, 02 Jan 2026 03:04:06 GMT", Later},
		{"2026-01-02T05:04:05.000+02:00", "Fri, 02 Jan 2026 03:04:05 GMT", Same},
		{"2026-01-02T03:04:05.000Z", "Fri, 02 Jan 2026 03:04:04 GMT", Earlier},
		{"", "Fri, 02 Jan 2026 03:04:05 GMT", Unknown},
		{"2026-01-02T03:04:05.000Z", "", Unknown},
		{"yesterday", "Fri, 02 Jan 2026 03:04:05 GMT", Unknown},
		{"2026-01-02T03:04:05.000Z", "yesterday", Unknown},
	} {
		r := answer("last-modified", c.answered)
		if got := r.WrittenSince(&list.Entry{LastModified: c.listed}); got != c.want {
			t.Errorf("listed %q, answered %q: %d, want %d", c.listed, c.answered, got, c.want)
		}
	}
}

// Expected differences are no Mismatch. The other Traits, and the time, are still compared.
func TestExpectedDifferences(t *testing.T) {
	const at = "Fri, 02 Jan 2026 03:04:05 GMT"
	e := list.Entry{Key: "k", ETag: "e", Size: 3, LastModified: "2026-01-02T03:04:05.000Z"}
	empty := e
	empty.Size = 0
	for name, c := range map[string]struct {
		entry    *list.Entry
		expected Trait // of objects that are not listed with 0 bytes
		answer   *Result
		mismatch bool
	}{
		"nothing expected":         {&e, 0, answer("etag", "f", "content-length", "3", "last-modified", at), true},
		"another ETag":             {&e, ETag, answer("etag", "f", "content-length", "3", "last-modified", at), false},
		"and another length":       {&e, ETag, answer("etag", "f", "content-length", "4", "last-modified", at), true},
		"and a later time":         {&e, ETag, answer("etag", "f", "last-modified", "Fri, 02 Jan 2026 03:04:06 GMT"), true},
		"and an earlier time":      {&e, ETag, answer("etag", "f", "last-modified", "Fri, 02 Jan 2026 03:04:04 GMT"), true},
		"and no ETag":              {&e, ETag, answer("content-length", "3", "last-modified", at), true},
		"no time, the same length": {&e, ETag, answer("etag", "f", "content-length", "3"), false},
		"nothing is the same":      {&e, ETag, answer("etag", "f"), true},
		"no ETag":                  {&e, HasETag, answer("content-length", "3", "last-modified", at), false},
		"no ETag, a web page":      {&e, HasETag, answer("content-type", "text/html"), true},
		"another length":           {&e, Length, answer("etag", "e", "content-length", "4", "last-modified", at), false},
		"another length and ETag":  {&e, Length, answer("etag", "f", "content-length", "4", "last-modified", at), true},
		"listed with 0 bytes":      {&empty, Length, answer("etag", "e", "content-length", "4", "last-modified", at), true},
		"as listed":                {&e, ETag | Length, answer("etag", "e", "content-length", "3"), false},
	} {
		x := new(Expected)
		x.Set(0, c.expected)
		if c.answer.Compare(c.entry, x, nil); c.answer.Mismatch != c.mismatch {
			t.Errorf("%s: mismatch %v (equal %v, different %v)", name, c.answer.Mismatch, c.answer.Equal, c.answer.Different)
		}
	}
}

// Where ETags are expected to differ, the answer that comes twice on a connection is a Mismatch. Objects of the same
// content are told apart by the request ID.
func TestAnswerThatComesTwice(t *testing.T) {
	e := list.Entry{Key: "k", ETag: "e", Size: 3}
	x := new(Expected)
	x.Set(0, ETag|HasETag)
	var (
		last LastAnswer
		got  string
	)
	for _, a := range [][2]string{{"f", "1"}, {"f", "1"}, {"f", "2"}, {"g", "2"}, {"g", ""}, {"g", ""}, {"", ""}, {"", ""}} {
		r := answer("content-length", "3")
		for i, name := range []string{"etag", "x-amz-request-id"} {
			if a[i] != "" {
				r.Headers = append(r.Headers, Header{[]byte(name), []byte(a[i])})
			}
		}
		r.Compare(&e, x, &last)
		got += fmt.Sprint(r.Mismatch, " ")
	}
	if want := "false true false false false true false false "; got != want {
		t.Errorf("mismatches\n %s\nwant\n %s", got, want)
	}
}

// An answer that differed from the listing before that was expected is no other object's, if the same comes again.
func TestJudgeOfExpectedDifference(t *testing.T) {
	e := list.Entry{Key: "k", ETag: "e", Size: 3}
	x := new(Expected)
	first := answer("etag", "f", "content-length", "3")
	first.Compare(&e, x, nil)
	suspicion := NewSuspicion(first, nil)
	x.Set(0, ETag)
	for tag, want := range map[string]Verdict{"f": Own, "g": Foreign} {
		again := answer("etag", tag, "content-length", "3")
		again.Compare(&e, x, nil)
		if got, _ := suspicion.Judge(again); got != want || again.Mismatch {
			t.Errorf("ETag %s: verdict %d (mismatch %v), want %d", tag, got, again.Mismatch, want)
		}
	}
}

func TestTraitString(t *testing.T) {
	if got := (ETag | Length).String(); got != "ETag and length" {
		t.Errorf("got %q", got)
	}
}
