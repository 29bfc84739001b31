package direct

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

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

// Complete header blocks of nearly valid lines, which a fuzzer takes long to find.
func TestParseAgreesWithNetHTTP(t *testing.T) {
	var (
		status = rapid.SampledFrom([]string{
			"HTTP/1.1 200 OK", "HTTP/1.1 200 OK", "HTTP/1.1 404", "HTTP/1.0 200 ", "HTTP/1.1 103 E", "HTTP/1.1 101 S",
			"HTTP/1.1 20x", "HTTP/2.0 200",
		})
		name = rapid.OneOf(rapid.SampledFrom([]string{
			"x-amz-meta-a", "X-Amz-Meta-A", "x-amz-meta-b", "x-amz-meta-", "etag", "ETag", "Content-Length",
			"content-length", "Connection", "Transfer-Encoding",
			"Pragma", "Trailer", "", "x y", "x ", "\tx", "é", "x\x00",
		}), rapid.StringMatching(`[a-zA-Z!#-]{1,3}`))
		value = rapid.OneOf(rapid.SampledFrom([]string{
			"", " ", "3", " 3", "4", "close", " Close , x", "keep-alive", "chunked", "no-cache",
			"é", "\xff", "\x00", "\x7f", "\r", ":", "\ta\tb ",
		}), rapid.StringMatching(`[ -~]{0,20}`))
		// Most lines end with CRLF, and few have a continuation line.
		end = rapid.SampledFrom([]string{
			"\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", "\r\r\n", "\r\n ", "\r\n\t", "\n ", "\r\n \r\n", "\r\n \r\n ",
		})
	)
	rapid.Check(t, func(t *rapid.T) {
		text := status.Draw(t, "status") + "\r\n"
		for range rapid.IntRange(0, 6).Draw(t, "fields") {
			text += name.Draw(t, "name") + ":" + value.Draw(t, "value") + end.Draw(t, "end")
		}
		compareParse(t, []byte(text+"\r\n\r\nHTTP/1.1 200 OK\r\n"))
	})
}

// compareParse compares parse with net/http, which parses the answers of the sdk engine. refusedByParse,
// refusedByNetHTTP and describeNetHTTP list the permitted differences.
func compareParse(t rapid.TB, text []byte) {
	t.Helper()
	length, ours, ourError := parseWithin(t, text)
	if !hasHeaderEnd(text) {
		return // incomplete: a conn reads more
	}
	in := bufio.NewReaderSize(bytes.NewReader(text), max(16, len(text)))
	theirs, theirError := http.ReadResponse(in, &http.Request{Method: http.MethodHead})
	switch {
	case ourError != nil && theirError != nil:
	case ourError != nil:
		if !refusedByParse(text, theirs) {
			t.Fatalf("parse refuses %q: %v; net/http accepts it: %v", text, ourError, theirs)
		}
	case theirError != nil:
		if !refusedByNetHTTP(theirError) {
			t.Fatalf("parse accepts %q: %s; net/http refuses it: %v", text, ours, theirError)
		}
	default:
		if rest := len(text) - length; in.Buffered() != rest {
			t.Fatalf("after %q, %d bytes are left; after net/http, %d", text, rest, in.Buffered())
		}
		if want := describeNetHTTP(theirs); ours != want {
			t.Fatalf("%q is\n %s; for net/http\n %s", text, ours, want)
		}
	}
}

// parseWithin parses text. It checks that parse changes nothing after the header block, and that the bytes after the
// block do not change the outcome. description leaves out the differences that describeNetHTTP lists.
func parseWithin(t rapid.TB, text []byte) (length int, description string, err error) {
	t.Helper()
	const guard = "the bytes after text"
	var r response
	room := []byte(string(text) + guard)
	length, closing, err := r.parse(room[:len(text)]) // its capacity is larger
	if string(room[len(text):]) != guard {
		t.Fatalf("parsing %q changed the bytes after it: %q", text, room[len(text):])
	}
	if err != nil {
		return 0, "", err
	}
	if length > len(text) || !bytes.Equal(room[length:len(text)], text[length:]) {
		t.Fatalf("parsing %q changed the bytes after the header block: %q", text, room)
	}
	description = describe(&r, closing)
	var alone response
	if _, closing, err := alone.parse(bytes.Clone(text[:length])); err != nil || describe(&alone, closing) != description {
		t.Fatalf("%q is\n %s; the header block alone is\n %s, %v", text, description, describe(&alone, closing), err)
	}
	if !slices.IsSortedFunc(r.Metadata, func(a, b head.Header) int { return bytes.Compare(a.Name, b.Name) }) {
		t.Fatalf("the metadata of %q is unsorted: %s", text, r.Metadata)
	}
	return length, description, nil
}

func describe(r *response, closing bool) string {
	var fields []string
	for _, f := range r.Metadata {
		fields = append(fields, fmt.Sprintf("%s%s=%q", head.MetadataPrefix, f.Name, oneBlank(f.Value)))
	}
	for _, f := range r.Headers {
		if !changedByNetHTTP(string(f.Name)) {
			fields = append(fields, fmt.Sprintf("%s=%q", f.Name, oneBlank(f.Value)))
		}
	}
	slices.Sort(fields)
	return fmt.Sprint(r.Status, " closing ", closing, " ", fields)
}

// describeNetHTTP describes an answer as the sdk engine reads it from net/http, except for
//
//   - the fields that changedByNetHTTP lists, and
//   - blanks in folded values: an empty line among others leaves one blank in parse and two in net/http. RFC 9112 §5.2
//     requires one or more.
func describeNetHTTP(theirs *http.Response) string {
	var r response
	for name, values := range theirs.Header {
		field := head.Header{Name: []byte(strings.ToLower(name)), Value: []byte(joinTrimmed(values))}
		if hasMetadataPrefix(field.Name) {
			field.Name = field.Name[len(head.MetadataPrefix):]
			r.Metadata = append(r.Metadata, field)
		} else {
			r.Headers = append(r.Headers, field)
		}
	}
	r.Status = theirs.StatusCode
	return describe(&r, theirs.Close)
}

// joinTrimmed is joinValues of the sdk engine.
func joinTrimmed(values []string) string {
	for i := range values {
		values[i] = strings.TrimRight(values[i], " ")
	}
	return strings.Join(values, ",")
}

// changedByNetHTTP reports whether net/http removes or adds this header. It does so for connections, bodies and
// caches. A scan prints none of these headers.
func changedByNetHTTP(name string) bool {
	switch name {
	case "connection", "transfer-encoding", "trailer", // removed
		"cache-control": // added where there is a Pragma
		return true
	}
	return false
}

var blanks = regexp.MustCompile(` +`)

func oneBlank(value []byte) []byte { return blanks.ReplaceAll(value, []byte(" ")) }

// refusedByParse reports whether parse has a reason to refuse an answer that net/http accepts:
//
//   - A blank in a field name, or between the name and the colon: other clients read another name (RFC 9112 §5.1).
//   - Another protocol than HTTP/1.x, or a status that RFC 9112 §4 does not permit: below 100, or after two blanks.
//   - Status 101 without a request for it.
func refusedByParse(text []byte, theirs *http.Response) bool {
	for name := range theirs.Header {
		if strings.Contains(name, " ") {
			return true
		}
	}
	_, status, _ := bytes.Cut(text, []byte(" "))
	code := theirs.StatusCode
	return theirs.ProtoMajor != 1 || code < 100 || code == http.StatusSwitchingProtocols || status[0] == ' '
}

// refusedByNetHTTP reports whether net/http refuses an answer because of its body. The answer to a HEAD has none, so
// parse ignores an invalid Content-Length or two different ones, another coding than chunked, and a forbidden
// trailer.
func refusedByNetHTTP(err error) bool {
	for _, about := range []string{"Content-Length", "transfer encoding", "bad trailer key"} {
		if strings.Contains(err.Error(), about) {
			return true
		}
	}
	// A control character other than NUL and CR in a value.
	quoted, isLine := strings.CutPrefix(err.Error(), "malformed MIME header line: ")
	line, _ := strconv.Unquote(quoted)
	_, value, _ := strings.Cut(line, ":")
	return isLine && strings.ContainsFunc(value, func(c rune) bool { return unicode.IsControl(c) && c != 0 && c != '\r' })
}
