package direct

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"

	"headcount/scan/store"
)

// show returns the outcome of parse in one line.
func show(text string) string { return showWith(new(response), text) }

func showWith(r *response, text string) string {
	length, closing, err := r.parse([]byte(text))
	if err != nil {
		return "refused: " + strings.TrimPrefix(err.Error(), "malformed answer: ")
	}
	var out strings.Builder
	fmt.Fprintf(&out, "%d", r.Status)
	if closing {
		out.WriteString(" closing")
	}
	if rest := text[length:]; rest != "" {
		fmt.Fprintf(&out, " rest=%q", rest)
	}
	for _, f := range r.Metadata {
		fmt.Fprintf(&out, " +%s=%q", f.Name, f.Value)
	}
	for _, f := range r.Headers {
		fmt.Fprintf(&out, " %s=%q", f.Name, f.Value)
	}
	return out.String()
}

// parseCases returns the rules of RFC 9112 and RFC 9110, one in each line. A plus marks metadata.
func parseCases() map[string]struct{ text, want string } {
	const ok = "HTTP/1.1 200 OK\r\n"
	return map[string]struct{ text, want string }{
		"nothing but a status":    {ok + "\r\n", `200`},
		"no reason":               {"HTTP/1.1 404\r\n\r\n", `404`},
		"an empty reason":         {"HTTP/1.1 404 \r\n\r\n", `404`},
		"a reason of any bytes":   {"HTTP/1.1 404 \xff\x00 x\r\n\r\n", `404`},
		"a later minor version":   {"HTTP/1.9 200 OK\r\n\r\n", `200`},
		"the next answer follows": {ok + "\r\n" + ok, `200 rest="HTTP/1.1 200 OK\r\n"`},
		"103 before": {
			"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + ok,
			`103 rest="HTTP/1.1 200 OK\r\n" link="x"`,
		},
		"a status that none has": {"HTTP/1.1 999 ?\r\n\r\n", `999`},
		"101": {
			"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
			`refused: status 101 without a request to switch protocols`,
		},
		"a status below 100":        {"HTTP/1.1 099 X\r\n\r\n", `refused: invalid status line`},
		"a status of four digits":   {"HTTP/1.1 2000 X\r\n\r\n", `refused: invalid status line`},
		"a status of two digits":    {"HTTP/1.1 20 OK\r\n\r\n", `refused: invalid status code`},
		"a signed status":           {"HTTP/1.1 +20 X\r\n\r\n", `refused: invalid status code`},
		"a status in Arabic digits": {"HTTP/1.1 \u0662\u0660\u0660\r\n\r\n", `refused: invalid status code`},
		"two blanks":                {"HTTP/1.1  200 OK\r\n\r\n", `refused: invalid status code`},
		"a tab":                     {"HTTP/1.1\t200 OK\r\n\r\n", `refused: invalid status line`},
		"HTTP/2":                    {"HTTP/2.0 200 OK\r\n\r\n", `refused: invalid status line`},
		"another protocol":          {"ICY 200 OK\r\n\r\n", `refused: invalid status line`},
		"lower case":                {"http/1.1 200 OK\r\n\r\n", `refused: invalid status line`},
		"an empty first line":       {"\r\n" + ok + "\r\n", `refused: invalid status line`},
		"cut short":                 {"HTTP/1.1 20\r\n\r\n", `refused: invalid status line`},

		"lower-cased names": {ok + "ETag: \"E\"\r\nX-Amz-Meta-KEY: Value\r\n\r\n", `200 +key="Value" etag="\"E\""`},
		"outer blanks":      {ok + "a: \t b c\t \r\nb:c\r\nd:   \r\ne:\r\n\r\n", `200 a="b c" b="c" d="" e=""`},
		"colons in a value": {ok + "a::b:c \r\n\r\n", `200 a=":b:c"`},
		"a name of symbols": {ok + "!#$%&'*+-.^_`|~09: a\r\n\r\n", "200 !#$%&'*+-.^_`|~09=\"a\""},
		"a name of one byte": {
			ok + "x-amz-meta-a: b\r\nx-amz-meta-: c\r\nx-amz-metadata: d\r\n\r\n",
			`200 +a="b" x-amz-meta-="c" x-amz-metadata="d"`,
		},
		"bytes that are not ASCII": {ok + "x-amz-meta-a: \xfc\xff\u2603\r\n\r\n", `200 +a="\xfc\xff☃"`},
		"a tab within":             {ok + "x-amz-meta-a: b\tc\r\n\r\n", `200 +a="b\tc"`},
		"no name":                  {ok + ": a\r\n\r\n", `refused: invalid field name`},
		"no colon":                 {ok + "abc\r\n\r\n", `refused: invalid field name`},
		"a blank before the colon": {ok + "a : b\r\n\r\n", `refused: invalid field name`},
		"a tab before the colon":   {ok + "a\t: b\r\n\r\n", `refused: invalid field name`},
		"a blank within the name":  {ok + "a b: c\r\n\r\n", `refused: invalid field name`},
		"UTF-8 in the name":        {ok + "x-amz-meta-é: b\r\n\r\n", `refused: invalid field name`},
		"NUL in the name":          {ok + "a\x00: b\r\n\r\n", `refused: invalid field name`},
		"a slash in the name":      {ok + "a/b: c\r\n\r\n", `refused: invalid field name`},
		"a carriage return alone":  {ok + "a\rb: c\r\n\r\n", `refused: invalid field name`},
		"NUL in a value":           {ok + "a: b\x00c\r\n\r\n", `refused: NUL or CR in a field value`},
		"escape in a value":        {ok + "x-amz-meta-a: \x1b[31m\r\n\r\n", `200 +a="\x1b[31m"`},
		"delete in a value":        {ok + "a: 0123456789\x7f\r\n\r\n", `200 a="0123456789\x7f"`},
		"return in a value":        {ok + "a: b\rc\r\n\r\n", `refused: NUL or CR in a field value`},
		"return at a value's end":  {ok + "a: b\r\r\n\r\n", `refused: NUL or CR in a field value`},
		"control in a long value": {
			ok + "a: " + strings.Repeat("é", 20) + "\x01" + strings.Repeat("é", 20) + "\r\n\r\n",
			`200 a="` + strings.Repeat("é", 20) + `\x01` + strings.Repeat("é", 20) + `"`,
		},
		"control in a folded value": {ok + "a: b\r\n \x01\r\n\r\n", `200 a="b \x01"`},

		"lone line feeds":      {"HTTP/1.1 200 OK\na: b\nc: d\n\nHTTP", `200 rest="HTTP" a="b" c="d"`},
		"mixed line ends":      {"HTTP/1.1 200 OK\na: b\r\n\nHTTP", `200 rest="HTTP" a="b"`},
		"mixed ends, reversed": {"HTTP/1.1 200 OK\r\na: b\n\r\nHTTP", `200 rest="HTTP" a="b"`},

		"obs-fold":                    {ok + "a: b\r\n c\r\nd: e\r\n\r\n", `200 a="b c" d="e"`},
		"obs-fold, of many blanks":    {ok + "a: b \t\r\n \t c \r\n\r\n", `200 a="b c"`},
		"obs-fold, repeated":          {ok + "a: b\r\n c\r\n\td\r\n  e\r\nf: g\r\n\r\n", `200 a="b c d e" f="g"`},
		"obs-fold before the value":   {ok + "a:\r\n b\r\n\r\n", `200 a="b"`},
		"obs-fold of nothing":         {ok + "a: b\r\n \r\nc: d\r\n\r\n", `200 a="b" c="d"`},
		"obs-fold of nothing, inside": {ok + "a: b\r\n \r\n c\r\n\r\n", `200 a="b c"`},
		"obs-fold at the end":         {ok + "a: b\r\n \r\n\r\nHTTP", `200 rest="HTTP" a="b"`},
		"obs-fold with line feeds":    {ok + "a: b\n c\n\nHTTP", `200 rest="HTTP" a="b c"`},
		"obs-fold like a field":       {ok + "a: b\r\n c: d\r\n\r\n", `200 a="b c: d"`},
		"obs-fold of metadata": {
			ok + "x-amz-meta-a: =?UTF-8?Q?b?=\r\n =?UTF-8?Q?c?=\r\n\r\n",
			`200 +a="=?UTF-8?Q?b?= =?UTF-8?Q?c?="`,
		},
		"obs-fold after the status": {ok + " a: b\r\n\r\n", `refused: invalid field name`},
		"obs-fold, twice after it":  {ok + "\ta: b\r\n c\r\n\r\n", `refused: invalid field name`},
		"obs-fold of a name":        {ok + "a\r\n : b\r\n\r\n", `refused: invalid field name`},
		"obs-fold, repeated field":  {ok + "a: b\r\n c\r\nA: d\r\n e\r\n\r\n", `200 a="b c,d e"`},
		"obs-fold of the length":    {ok + "Content-Length:\r\n 3\r\n\r\n", `200 content-length="3"`},
		"obs-fold of Connection":    {ok + "Connection: x,\r\n close\r\n\r\n", `200 closing connection="x, close"`},
		"repeated metadata": {
			ok + "x-amz-meta-b: 1\r\nx-amz-meta-a: 2\r\nX-Amz-Meta-B: 3\r\nx-amz-meta-b:\r\n\r\n",
			`200 +a="2" +b="1,3,"`,
		},
		"repeated, in order":           {ok + "via: a\r\nx: y\r\nVia: b\r\nVIA: a\r\n\r\n", `200 via="a,b,a" x="y"`},
		"repeated, the same":           {ok + "via: a\r\nVia: a\r\n\r\n", `200 via="a,a"`},
		"repeated length":              {ok + "Content-Length: 3\r\nContent-Length: 3\r\n\r\n", `200 content-length="3"`},
		"repeated length that differs": {ok + "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", `200 content-length="3,4"`},
		"an invalid length":            {ok + "Content-Length: many\r\n\r\n", `200 content-length="many"`},
		"an announced body": {
			ok + "Transfer-Encoding: gzip, chunked\r\nTrailer: x\r\n\r\n",
			`200 transfer-encoding="gzip, chunked" trailer="x"`,
		},

		"close":                {ok + "Connection: close\r\n\r\n", `200 closing connection="close"`},
		"close, in mixed case": {ok + "CONNECTION: Close\r\n\r\n", `200 closing connection="Close"`},
		"close, in a list": {
			ok + "Connection: upgrade ,\tCLOSE\t, x\r\n\r\n",
			`200 closing connection="upgrade ,\tCLOSE\t, x"`,
		},
		"close in another word": {
			ok + "Connection: closed, enclose, close-x\r\n\r\n",
			`200 connection="closed, enclose, close-x"`,
		},
		"a long s": {ok + "Connection: clo\u017fe\r\n\r\n", `200 connection="cloſe"`},
		"close wins, first": {
			ok + "Connection: close, keep-alive\r\n\r\n",
			`200 closing connection="close, keep-alive"`,
		},
		"close wins, last": {
			ok + "Connection: keep-alive, close\r\n\r\n",
			`200 closing connection="keep-alive, close"`,
		},
		"close wins, repeated first": {
			ok + "Connection: close\r\nConnection: keep-alive\r\n\r\n",
			`200 closing connection="close,keep-alive"`,
		},
		"close wins, repeated last": {
			ok + "Connection: keep-alive\r\nConnection: close\r\n\r\n",
			`200 closing connection="keep-alive,close"`,
		},
		"keep-alive": {
			ok + "Connection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n",
			`200 connection="keep-alive" keep-alive="timeout=5"`,
		},
		"HTTP/1.0":             {"HTTP/1.0 200 OK\r\n\r\n", `200 closing`},
		"HTTP/1.0, close":      {"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\n", `200 closing connection="close"`},
		"HTTP/1.0, keep-alive": {"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n\r\n", `200 connection="Keep-Alive"`},
		"HTTP/1.0, both": {
			"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
			`200 closing connection="keep-alive,close"`,
		},
		"HTTP/1.0, both, reversed": {
			"HTTP/1.0 200 OK\r\nConnection: close\r\nConnection: keep-alive\r\n\r\n",
			`200 closing connection="close,keep-alive"`,
		},
		"HTTP/1.0, other options": {
			"HTTP/1.0 200 OK\r\nConnection: x\r\nConnection: keep-alive\r\nConnection: y\r\n\r\n",
			`200 connection="x,keep-alive,y"`,
		},
		"Proxy-Connection": {ok + "Proxy-Connection: close\r\n\r\n", `200 proxy-connection="close"`},
	}
}

func TestParse(t *testing.T) {
	for name, c := range parseCases() {
		t.Run(name, func(t *testing.T) {
			if got := show(c.text); got != c.want {
				t.Errorf("%q is\n %s, want\n %s", c.text, got, c.want)
			}
		})
	}
}

// An answer may have more fields than the header cache holds.
func TestParseManyFields(t *testing.T) {
	var text, want strings.Builder
	text.WriteString("HTTP/1.1 200 OK\r\n")
	want.WriteString("200")
	for i := range 500 {
		fmt.Fprintf(&text, "n%d: %d\r\n", i, i)
		fmt.Fprintf(&want, " n%d=\"%d\"", i, i)
	}
	text.WriteString("\r\n")
	if got := show(text.String()); got != want.String() {
		t.Errorf("%s", got)
	}
}

// The header cache does not change the outcome: after any two answers of up to two fields, the third is parsed as it
// is by a new response.
func TestHeaderCacheChangesNothing(t *testing.T) {
	answers := []string{""}
	fields := []string{
		"a: 1\r\n", "A:\t12345678 \r\n", "x-amz-meta-a: 1\r\n", "X-Amz-Meta-A: 2\r\n", "x-amz-meta-b: 1\r\n",
		"a: 1\r\n 2\r\n",
	}
	for _, first := range fields {
		answers = append(answers, first)
		for _, second := range fields {
			answers = append(answers, first+second)
		}
	}
	for i := range answers {
		answers[i] = "HTTP/1.1 200 OK\r\n" + answers[i] + "\r\n"
	}
	for _, first := range answers {
		for _, second := range answers {
			for _, third := range answers {
				var r response
				for _, text := range []string{first, second} {
					if _, _, err := r.parse([]byte(text)); err != nil {
						t.Fatal(err)
					}
				}
				if got, want := showWith(&r, third), show(third); got != want {
					t.Fatalf("after %q and %q, %q is\n %s, want\n %s", first, second, third, got, want)
				}
			}
		}
	}
}

// A conn parses answers in whatever pieces they arrive, with headers of up to exactly 64 KiB.
func TestParseInPieces(t *testing.T) {
	long := func(size int) string {
		const before, after = "HTTP/1.1 200 OK\r\nx-amz-meta-a: ", "\r\n\r\n"
		return before + strings.Repeat("v", size-len(before)-len(after)) + after
	}
	const two = "HTTP/1.1 103 E\r\n\r\nHTTP/1.1 200 OK\nETag: \"e\"\r\n\nHTTP/1.1 404 NF\r\na: b\r\n c\r\n\r\n"
	for name, c := range map[string]struct {
		text, want string
		pieces     []int // sizes to try
		buffer     int
	}{
		"two of them":     {two, "200 404 EOF", []int{1, 2, 3, 5, 7, 11, len(two)}, 8 << 10},
		"a small buffer":  {two, "200 404 EOF", []int{1, 3, len(two)}, 16},
		"64 KiB":          {long(store.HeaderBytesMax), "200 EOF", []int{1000, 1 << 20}, 8 << 10},
		"a byte too many": {long(store.HeaderBytesMax + 1), errTooLong.Error(), []int{1000, 1 << 20}, 8 << 10},
		"far too many":    {long(3 * store.HeaderBytesMax), errTooLong.Error(), []int{1000, 1 << 20}, 8 << 10},
		"without an end": {
			long(2 * store.HeaderBytesMax)[:store.HeaderBytesMax+1], errTooLong.Error(), []int{1000, 1 << 20}, 8 << 10,
		},
		"64 KiB and more":  {long(store.HeaderBytesMax) + two, "200 200 404 EOF", []int{1000, 1 << 20}, 8 << 10},
		"64 KiB, pending":  {two + long(store.HeaderBytesMax), "200 404 200 EOF", []int{1000, 1 << 20}, 8 << 10},
		"cut in the head":  {two + "HTTP/1.1 200", "200 404 " + io.ErrUnexpectedEOF.Error(), []int{1, 1 << 20}, 8 << 10},
		"not HTTP at once": {"\x15\x03\x01", "malformed answer: it does not start with HTTP/1", []int{1}, 8 << 10},
		"not HTTP, slowly": {"HTTP/2", "malformed answer: it does not start with HTTP/1", []int{1}, 8 << 10},
	} {
		for _, size := range c.pieces {
			conn := &conn{Conn: &pieceConn{text: c.text, size: size}, buf: make([]byte, c.buffer)}
			if got := parseAll(conn); got != c.want {
				t.Errorf("%s, by %d bytes: %s, want %s", name, size, got, c.want)
			}
			if most := 2 * (store.HeaderBytesMax + c.buffer); len(conn.buf) > most {
				t.Errorf("%s, by %d bytes: the buffer grew to %d bytes", name, size, len(conn.buf))
			}
		}
	}
}

// parseAll returns the statuses of all answers on a connection, and the error at its end.
func parseAll(c *conn) (outcome string) {
	var r response
	for {
		complete, err := c.hasHeader()
		if err == nil && !complete {
			if err = c.read(false, func() {}); err == nil {
				continue
			}
		}
		var final bool
		if err == nil {
			final, _, err = c.parse(&r)
		}
		if err != nil {
			return outcome + err.Error()
		}
		if final {
			outcome += fmt.Sprint(r.Status, " ")
		}
	}
}

// answerLikeS3 returns an answer of s3sim with the headers that AWS adds.
func answerLikeS3() []byte {
	return []byte("HTTP/1.1 200 OK\r\n" +
		"x-amz-id-2: mO6rFvhQZ0lQyZk1qzF3mZ1h7tVJxkZsQ8yq8vYQ1v2V9bq1v5cX5n0m2l3k4j5h6g7f\r\n" +
		"x-amz-request-id: 4F2C1D9A7B3E5F60\r\n" +
		"Date: Sun, 22 Nov 2026 11:03:50 GMT\r\n" +
		"Last-Modified: Tue, 01 Sep 2026 08:15:42 GMT\r\n" +
		"ETag: \"2e269e07581c9553e13f320890890be2\"\r\n" +
		"Accept-Ranges: bytes\r\n" +
		"Content-Type: application/octet-stream\r\n" +
		"Content-Length: 734003\r\n" +
		"Server: s3sim\r\n" +
		"x-amz-meta-id: 9ae16a3b2f90404f\r\n" +
		"x-amz-meta-owner: alice\r\n" +
		"x-amz-meta-project: apollo\r\n\r\n")
}

// An answer without repeated fields costs no allocation.
func TestParseAllocatesNothing(t *testing.T) {
	var r response
	answer := answerLikeS3()
	parse := func() {
		if _, _, err := r.parse(answer); err != nil || len(r.Metadata) != 3 || len(r.Headers) != 9 {
			t.Fatalf("error %v, %d metadata, %d headers", err, len(r.Metadata), len(r.Headers))
		}
	}
	parse()
	if n := testing.AllocsPerRun(100, parse); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkParse(b *testing.B) {
	var (
		r      response
		answer = answerLikeS3()
		text   = slices.Clone(answer)
	)
	b.ReportAllocs()
	b.SetBytes(int64(len(answer)))
	for b.Loop() {
		copy(text, answer) // parse may change text
		if _, _, err := r.parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParseByNetHTTP measures the parser of net/http, for comparison.
func BenchmarkParseByNetHTTP(b *testing.B) {
	answer := answerLikeS3()
	in := bufio.NewReader(nil)
	request := &http.Request{Method: http.MethodHead}
	b.ReportAllocs()
	b.SetBytes(int64(len(answer)))
	for b.Loop() {
		in.Reset(bytes.NewReader(answer))
		if _, err := http.ReadResponse(in, request); err != nil {
			b.Fatal(err)
		}
	}
}

// pieceConn is a connection whose Reads return text in pieces of size bytes.
type pieceConn struct {
	net.Conn
	text string
	size int
}

func (p *pieceConn) Read(b []byte) (int, error) {
	if p.text == "" {
		return 0, io.EOF
	}
	n := copy(b, p.text[:min(p.size, len(p.text))])
	p.text = p.text[n:]
	return n, nil
}
