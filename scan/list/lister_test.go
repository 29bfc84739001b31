package list

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"headcount/scan/exit"
	"headcount/scan/pace"
)

// shortListing has one object and no more elements than it needs.
const shortListing = `<ListBucketResult><IsTruncated>false</IsTruncated>` +
	`<Contents><Key>a</Key></Contents></ListBucketResult>`

// brokenReader ends with an error, as a body does whose connection is cut.
type brokenReader struct{ text io.Reader }

func (b brokenReader) Read(p []byte) (int, error) {
	n, err := b.text.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestListerReadsAnswers(t *testing.T) {
	const (
		slow    = "<Error><Code>SlowDown</Code><Message>m</Message><RequestId>r</RequestId></Error>"
		keyless = "<ListBucketResult><Contents/></ListBucketResult>"
	)
	cases := map[string]struct {
		status int
		header string // x-amz-request-id
		body   io.Reader
		want   any // error
	}{
		"a listing":            {200, "", strings.NewReader(shortListing), nil},
		"a listing with a 500": {500, "head", strings.NewReader(shortListing), StoreError{Status: 500, RequestID: "head"}},
		"an error with a 200": {
			200, "", strings.NewReader(slow), StoreError{Status: 200, Code: "SlowDown", Message: "m", RequestID: "r"},
		},
		"a class as the code of an error with a 200": {
			200, "", strings.NewReader("<Error><Code>timeout</Code></Error>"), StoreError{Status: 200, Message: "timeout"},
		},
		"an error with a 503": {
			503, "head", strings.NewReader(slow), StoreError{Status: 503, Code: "SlowDown", Message: "m", RequestID: "head"},
		},
		"nothing with a 503":     {503, "", strings.NewReader(""), StoreError{Status: 503}},
		"a cut listing":          {200, "", brokenReader{strings.NewReader(shortListing)}, io.ErrUnexpectedEOF},
		"a cut error with a 200": {200, "", brokenReader{strings.NewReader(slow)}, io.ErrUnexpectedEOF},
		"a cut error with a 503": {
			503, "", brokenReader{strings.NewReader(slow)}, StoreError{Status: 503, Code: "SlowDown", Message: "m", RequestID: "r"},
		},
		"half a listing":          {200, "", strings.NewReader(shortListing[:50]), "cut short"},
		"a web page":              {200, "", strings.NewReader("<html/>"), "not a ListBucketResult but <html>"},
		"a DOCTYPE":               {200, "", strings.NewReader("<!DOCTYPE a>" + shortListing), "unsupported XML"},
		"an object without a key": {200, "", strings.NewReader(keyless), "no Key"},
		"the same with a 404":     {404, "", strings.NewReader(keyless), StoreError{Status: 404}},
	}
	for name, c := range cases {
		header := http.Header{"X-Amz-Request-Id": {c.header}}
		response := &http.Response{StatusCode: c.status, Header: header, Body: io.NopCloser(c.body)}
		a, err := (&Lister{target: "s3://b/"}).read(response, "", request{})
		var (
			storeErr *StoreError
			broken   *ProtocolError
			ok       bool
		)
		switch want := c.want.(type) {
		case nil:
			ok = err == nil && len(a.Entries) == 1
		case StoreError:
			want.Op, want.Target = "LIST", "s3://b/"
			ok = errors.As(err, &storeErr) && *storeErr == want
		case error:
			ok = errors.Is(err, want)
		case string:
			ok = errors.As(err, &broken) && broken.transient && strings.Contains(broken.What, want)
		}
		if !ok || (a == nil) == (err == nil) {
			t.Errorf("%s: %+v, %#v", name, a, err)
		}
	}
}

// A listing that contradicts itself, or is far larger than was asked for, cannot be trusted. It is asked for again
// where something on the way may have cut this page alone.
func TestListerChecksWhatAListingSays(t *testing.T) {
	listing := func(inner string) string { return "<ListBucketResult>" + inner + "</ListBucketResult>" }
	const two = "<Contents><Key>a</Key></Contents><Contents><Key>b</Key></Contents>"
	sized := func(size string) string { return listing("<Contents><Key>a</Key><Size>" + size + "</Size></Contents>") }
	const prefix = "<CommonPrefixes><Prefix>c/</Prefix></CommonPrefixes>"
	for body, want := range map[string]struct {
		what      string // empty: it is believed
		transient bool
	}{
		listing(two):                                     {"", false},
		listing(two + "<KeyCount>2</KeyCount>"):          {"", false},
		listing("<KeyCount>0</KeyCount>"):                {"", false},
		listing(two + "<CommonPrefixes/>"):               {"", false},
		listing(two + "<KeyCount>3</KeyCount>"):          {"2 keys, and its KeyCount is 3", true},
		listing(two + "<KeyCount>two</KeyCount>"):        {"KeyCount is", true},
		listing(two + "<KeyCount>-1</KeyCount>"):         {"KeyCount is", true},
		listing("<Prefix/>" + two):                       {"", false},
		listing("<Prefix>a</Prefix>" + two):              {"of the prefix", true},
		sized("-8"):                                      {"Size of an object", true},
		sized(strings.Repeat("9", 26)):                   {"Size of an object", true},
		sized("12.5"):                                    {"Size of an object", true},
		sized(" 12 "):                                    {"", false},
		sized(""):                                        {"", false},
		listing(two + "<KeyCount>0</KeyCount>"):          {"its KeyCount is 0", true},
		listing("<KeyCount>1</KeyCount>" + two):          {"its KeyCount is 1", true},
		listing(two + prefix):                            {"CommonPrefixes", false},
		listing("<KeyCount>3</KeyCount>" + two + prefix): {"CommonPrefixes", false},
		listing(strings.Repeat("<Contents/>", 200_000)):  {"more than 100000 objects", false},
	} {
		response := &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(body))}
		_, err := (&Lister{target: "s3://b/"}).read(response, "", request{})
		var broken *ProtocolError
		if errors.As(err, &broken) != (want.what != "") ||
			broken != nil && (!strings.Contains(broken.What, want.what) || broken.transient != want.transient) {
			t.Errorf("%.100s: got %#v, want %+v", body, err, want)
		}
	}
}

// A store whose KeyCount is always wrong may list right without it.
func TestWrongKeyCountHasAHint(t *testing.T) {
	body := `<ListBucketResult><Contents><Key>a</Key></Contents><KeyCount>2</KeyCount></ListBucketResult>`
	for v1, want := range map[bool]string{false: "--list-objects-v1", true: ""} {
		_, err := serve(t, &script{answers: []handler{say(body)}}, Config{V1: v1}).listOnce(t.Context(), request{keysMax: 1})
		if hint := exit.Hint(err); err == nil || !strings.Contains(hint, want) || want == "" && hint != "" {
			t.Errorf("V1 %v: got error %v, hint %q; want %q in it", v1, err, hint, want)
		}
	}
}

// LISTs share the limit of the HEADs. The canary tells whether waiting makes sense, so it does not wait. Slow machines
// only lengthen the first duration, and an hour is far from the second one.
func TestListerWaitsForTheLimiter(t *testing.T) {
	s := &script{answers: []handler{final, final, end}}
	limiter := pace.NewLimiter(10)
	lister := serve(t, s, Config{Limiter: limiter})
	began := time.Now()
	if _, err := walk(t.Context(), lister.Pager(Range{})); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 50*time.Millisecond { // two LISTs at 10 a second, less the tolerance
		t.Errorf("two LISTs took %v", took)
	}
	limiter.ObserveRefusal(time.Now(), time.Hour)
	began = time.Now()
	_ = lister.Probe(t.Context()) // its result does not matter
	if took := time.Since(began); took > time.Minute {
		t.Errorf("the canary took %v", took)
	}
}

// The decoder rejects a web page at its first odd tag, and nevertheless reads it to its end. So the next request has
// the same connection, which matters where a failing store refuses many requests.
func TestListerReusesTheConnectionOfAWebPage(t *testing.T) {
	page := "<!DOCTYPE html><html><body><p>502<br>" + strings.Repeat("<p>Sorry.", 10_000)
	s := &script{answers: []handler{say(page), say(page), final, end}}
	var mu sync.Mutex
	connections := map[string]int{}
	lister := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		connections[r.RemoteAddr]++
		mu.Unlock()
		s.ServeHTTP(w, r)
	}), Config{})
	keys, err := walk(t.Context(), lister.Pager(Range{}))
	if err != nil || !slices.Equal(keys, []string{"a", "b"}) {
		t.Fatal(keys, err)
	}
	if len(connections) != 1 {
		t.Errorf("requests by connection: %v", connections)
	}
}

func TestListerLearnsThatTheServerIsMinIO(t *testing.T) {
	servers := map[string]bool{"MinIO": true, "MinIO/RELEASE.2026-02-01": true, "AmazonS3": false, "": false}
	for server, want := range servers {
		lister := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Server", server)
			_, _ = io.WriteString(w, listXML(nil, false, ""))
		}), Config{})
		if _, err := walk(t.Context(), lister.Pager(Range{})); err != nil || lister.ServerIsMinIO() != want {
			t.Errorf("Server %q: %v, want %v; %v", server, lister.ServerIsMinIO(), want, err)
		}
	}
}
