package direct

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"headcount/scan/head"
)

func FuzzParse(f *testing.F) {
	for _, c := range parseCases() {
		f.Add([]byte(c.text))
	}
	f.Add(answerLikeS3())
	f.Fuzz(func(t *testing.T, text []byte) { compareParse(t, text) })
}

// Blocks that a fuzzer would need long to find: whole ones, of lines that are nearly right.
func TestParseAsNetHTTPDoes(t *testing.T) {
	var (
		status = rapid.SampledFrom([]string{
			"HTTP/1.1 200 OK", "HTTP/1.1 200 OK", "HTTP/1.1 404", "HTTP/1.0 200 ", "HTTP/1.1 103 E", "HTTP/1.1 101 S", "HTTP/1.1 20x", "HTTP/2.0 200",
		})
		name = rapid.OneOf(rapid.SampledFrom([]string{
			"x-amz-meta-a", "X-Amz-Meta-A", "x-amz-meta-b", "x-amz-meta-", "etag", "ETag", "Content-Length", "content-length", "Connection", "Transfer-Encoding",
			"Pragma", "Trailer", "", "x y", "x ", "\tx", "é", "x\x00",
		}), rapid.StringMatching(`[a-zA-Z!#-]{1,3}`))
		value = rapid.OneOf(rapid.SampledFrom([]string{
			"", " ", "3", " 3", "4", "close", " Close , x", "keep-alive", "chunked", "no-cache", "é", "\xff", "\x00", "\x7f", "\r", ":", "\ta\tb ",
		}), rapid.StringMatching(`[ -~]{0,20}`))
		// Most lines end as they should, and few go on.
		end = rapid.SampledFrom([]string{"\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r\r\n", "\r\n ", "\r\n\t", "\n ", "\r\n \r\n", "\r\n \r\n "})
	)
	rapid.Check(t, func(t *rapid.T) {
		text := status.Draw(t, "status") + "\r\n"
		for range rapid.IntRange(0, 6).Draw(t, "fields") {
			text += name.Draw(t, "name") + ":" + value.Draw(t, "value") + end.Draw(t, "end")
		}
		compareParse(t, []byte(text+"\r\n\r\nHTTP/1.1 200 OK\r\n"))
	})
}

// compareParse holds parse against net/http, from which the sdk engine has its answers. Where they differ is listed in
// refusedByUs, refusedByThem and inOurWords; anywhere else is a defect of one of them.
func compareParse(t rapid.TB, text []byte) {
	t.Helper()
	length, ours, ourError := parseWithin(t, text)
	if !hasHeaderEnd(text) {
		return // a conn would have waited for more
	}
	in := bufio.NewReaderSize(bytes.NewReader(text), max(16, len(text)))
	theirs, theirError := http.ReadResponse(in, &http.Request{Method: http.MethodHead})
	switch {
	case ourError != nil && theirError != nil:
	case ourError != nil:
		if !refusedByUs(text, theirs) {
			t.Fatalf("%q is refused: %v; net/http takes it: %v", text, ourError, theirs)
		}
	case theirError != nil:
		if !refusedByThem(theirError) {
			t.Fatalf("%q is taken: %s; net/http refuses it: %v", text, ours, theirError)
		}
	default:
		if rest := len(text) - length; in.Buffered() != rest {
			t.Fatalf("%q has %d bytes left; for net/http %d", text, rest, in.Buffered())
		}
		if want := inOurWords(theirs); ours != want {
			t.Fatalf("%q is\n %s; for net/http\n %s", text, ours, want)
		}
	}
}

// parseWithin parses text, and sees to it that nothing behind it is touched and that what lies behind the block does not
// matter. The answer is shown in words, without the differences that inOurWords names.
func parseWithin(t rapid.TB, text []byte) (length int, said string, err error) {
	t.Helper()
	const guard = "bytes that were not read yet"
	var r response
	room := []byte(string(text) + guard)
	length, closing, err := r.parse(room[:len(text)]) // which has capacity for more
	if string(room[len(text):]) != guard {
		t.Fatalf("parsing %q has written behind it: %q", text, room[len(text):])
	}
	if err != nil {
		return 0, "", err
	}
	if length > len(text) || !bytes.Equal(room[length:len(text)], text[length:]) {
		t.Fatalf("parsing %q has changed what follows the block: %q", text, room)
	}
	said = inWords(&r, closing)
	var alone response
	if _, closing, err := alone.parse(bytes.Clone(text[:length])); err != nil || inWords(&alone, closing) != said {
		t.Fatalf("%q is\n %s, and without what follows\n %s, %v", text, said, inWords(&alone, closing), err)
	}
	if !slices.IsSortedFunc(r.Metadata, func(a, b head.Field) int { return bytes.Compare(a.Name, b.Name) }) {
		t.Fatalf("the metadata of %q is in no order: %s", text, r.Metadata)
	}
	return length, said, nil
}

func inWords(r *response, closing bool) string {
	var fields []string
	for _, f := range r.Metadata {
		fields = append(fields, fmt.Sprintf("%s%s=%q", head.MetadataPrefix, f.Name, oneBlank(f.Value)))
	}
	for _, f := range r.Headers {
		if !changedByThem(string(f.Name)) {
			fields = append(fields, fmt.Sprintf("%s=%q", f.Name, oneBlank(f.Value)))
		}
	}
	slices.Sort(fields)
	return fmt.Sprint(r.Status, " closing ", closing, " ", fields)
}

// inOurWords is what the sdk engine makes of net/http's answer (sdkSession.read), but for
//
//   - the fields that changedByThem names, and
//   - blanks where lines were folded: an empty line between others leaves one blank here and two there. RFC 9112 §5.2
//     wants one or more.
func inOurWords(theirs *http.Response) string {
	var r response
	for name, values := range theirs.Header {
		field := head.Field{Name: []byte(strings.ToLower(name)), Value: []byte(joinTrimmed(values))}
		if hasMetadataPrefix(field.Name) {
			field.Name = field.Name[len(head.MetadataPrefix):]
			r.Metadata = append(r.Metadata, field)
		} else {
			r.Headers = append(r.Headers, field)
		}
	}
	r.Status = theirs.StatusCode
	return inWords(&r, theirs.Close)
}

// joinTrimmed is the sdk engine's joinValuesTrimmed.
func joinTrimmed(values []string) string {
	for i := range values {
		values[i] = strings.TrimRight(values[i], " ")
	}
	return strings.Join(values, ",")
}

// changedByThem says whether net/http takes a header out, or makes one up, for what it knows of connections, bodies and
// caches. None of them is printed by a scan.
func changedByThem(name string) bool {
	switch name {
	case "connection", "transfer-encoding", "trailer", // taken out
		"cache-control": // made up where there is a Pragma
		return true
	}
	return false
}

var blanks = regexp.MustCompile(` +`)

func oneBlank(value []byte) []byte { return blanks.ReplaceAll(value, []byte(" ")) }

// refusedByUs says whether there is a reason to refuse what net/http takes:
//
//   - A blank in a field's name, or between it and the colon: a server that sends it is broken, and others would read
//     another name (RFC 9112 §5.1).
//   - Another protocol than HTTP/1.x, or a status of which RFC 9112 §4 knows nothing: below 100, or after two blanks.
//   - 101, for which nobody asked.
func refusedByUs(text []byte, theirs *http.Response) bool {
	for name := range theirs.Header {
		if strings.Contains(name, " ") {
			return true
		}
	}
	_, status, _ := bytes.Cut(text, []byte(" "))
	return theirs.ProtoMajor != 1 || theirs.StatusCode < 100 || theirs.StatusCode == http.StatusSwitchingProtocols || status[0] == ' '
}

// refusedByThem says whether net/http refuses an answer for something that does not matter to a HEAD, whose answer has no
// body: a length that is none, or two that differ, another coding than chunked, a trailer that may not be one.
func refusedByThem(err error) bool {
	for _, about := range []string{"Content-Length", "transfer encoding", "bad trailer key"} {
		if strings.Contains(err.Error(), about) {
			return true
		}
	}
	return false
}
