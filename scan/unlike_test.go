package scan_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"headcount/scan"
	"headcount/scan/fault"
	"headcount/scan/head/engine"
)

// said is what a store says of an object, by its LIST or by its HEAD. An empty text is not said.
type said struct {
	etag     string
	size     int64 // below 0: not said
	modified time.Time
	unmarked bool // no metadata and no other header of S3
}

// listedAt is when all objects of an unlikeStore were written.
var listedAt = time.Date(2026, 1, 2, 3, 4, 5, 600e6, time.UTC)

// unlikeStore is a store whose LIST and HEADs can say different things.
type unlikeStore struct {
	objects int
	list    func(i int) said
	head    func(i int) said

	mu    sync.Mutex
	heads int
}

// like is what a store says of an object whose LIST and HEAD agree.
func like(i int) said { return said{fmt.Sprintf("e%d", i), int64(1000 + i), listedAt, false} }

// change returns a function that says the same as say, after a change.
func change(say func(int) said, how func(i int, s *said)) func(int) said {
	return func(i int) said {
		s := say(i)
		how(i, &s)
		return s
	}
}

func otherETag(i int, s *said)     { s.etag = fmt.Sprintf("other%d", i) }
func longETag(i int, s *said)      { s.etag = fmt.Sprintf("%032x", i+1<<60) }
func upperETag(_ int, s *said)     { s.etag = strings.ToUpper(s.etag) }
func gzipETag(_ int, s *said)      { s.etag += "-gzip" }
func multipartETag(i int, s *said) { s.etag = fmt.Sprintf("%032x-2", i) }
func noETag(_ int, s *said)        { s.etag = "" }
func otherLength(_ int, s *said)   { s.size += 32 }
func zeroLength(_ int, s *said)    { s.size = 0 }
func noLength(_ int, s *said)      { s.size = -1 }
func noTime(_ int, s *said)        { s.modified = time.Time{} }
func later(_ int, s *said)         { s.modified = s.modified.Add(time.Second) }
func earlier(_ int, s *said)       { s.modified = s.modified.Add(-time.Hour) }
func webPage(_ int, s *said)       { *s = said{size: -1} }

func unmarked(_ int, s *said) { s.unmarked = true }

// all makes all these changes.
func all(changes ...func(int, *said)) func(int, *said) {
	return func(i int, s *said) {
		for _, change := range changes {
			change(i, s)
		}
	}
}

// oneIn makes a change for one object in n.
func oneIn(n int, change func(int, *said)) func(int, *said) {
	return func(i int, s *said) {
		if i%n == 0 {
			change(i, s)
		}
	}
}

func (s *unlikeStore) start(t *testing.T) (url string) {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL
}

func (s *unlikeStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		s.answerList(w, r.URL.Query().Get("start-after"))
		return
	}
	s.mu.Lock()
	s.heads++
	s.mu.Unlock()
	i, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/demo/k"))
	if err != nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	o := s.head(i)
	if o.etag != "" {
		w.Header().Set("ETag", strconv.Quote(o.etag))
	}
	if o.size >= 0 {
		w.Header().Set("Content-Length", fmt.Sprint(o.size))
	} else {
		w.Header().Set("Transfer-Encoding", "chunked")
	}
	if !o.modified.IsZero() {
		w.Header().Set("Last-Modified", o.modified.Format(http.TimeFormat))
	}
	if !o.unmarked {
		w.Header().Set("x-amz-meta-id", fmt.Sprint(i))
	}
}

func (s *unlikeStore) answerList(w http.ResponseWriter, after string) {
	fmt.Fprint(w, "<ListBucketResult>")
	for i := range s.objects {
		key := fmt.Sprintf("k%03d", i)
		if key <= after {
			continue
		}
		o := s.list(i)
		fmt.Fprintf(w, "<Contents><Key>%s</Key>", key)
		if o.etag != "" {
			fmt.Fprintf(w, "<ETag>&quot;%s&quot;</ETag>", o.etag)
		}
		if o.size >= 0 {
			fmt.Fprintf(w, "<Size>%d</Size>", o.size)
		}
		if !o.modified.IsZero() {
			fmt.Fprintf(w, "<LastModified>%s</LastModified>", o.modified.Format("2006-01-02T15:04:05.000Z"))
		}
		fmt.Fprint(w, "</Contents>")
	}
	fmt.Fprint(w, "</ListBucketResult>")
}

// logText is a log that may be written concurrently.
type logText struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logText) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

// What an answer means that differs from the listing. Where all answers of a store differ in the same way, and nothing
// was overwritten, its listing is to blame: each object has its Record, and hardly any is asked for twice.
func TestListingAndHeadDiffer(t *testing.T) {
	const many, few = 200, 6
	for name, c := range map[string]struct {
		objects    int
		list, head func(i int, s *said) // what differs from like; nil: nothing

		failed, changed int
		class           fault.Class
		differs         string // Stats.ListingDiffers
		engines         bool   // with each engine
		bare            bool   // no object has metadata
		keeps           bool   // connections, when it is known what differs
	}{
		"always another ETag":   {engines: true, keeps: true, objects: many, head: otherETag, differs: "ETag"},
		"always another length": {keeps: true, objects: many, head: otherLength, differs: "length"},
		"always both": {
			engines: true, objects: many, head: all(otherETag, otherLength), differs: "ETag and length",
		},
		"never an ETag": {
			engines: true, objects: many, head: noETag, differs: "presence of an ETag",
		},
		"never an ETag nor a time": {
			objects: many, head: all(noETag, noTime), failed: many, class: fault.NotAnObject,
		},
		"web pages of the listed length": {engines: true, objects: many,
			head: all(noETag, noTime, unmarked), failed: many, class: fault.NotAnObject},
		"web pages of the listed time": {engines: true, objects: many,
			head: all(noETag, noLength, unmarked), failed: many, class: fault.NotAnObject},
		"web pages of the listed length, few": {objects: few,
			head: all(noETag, noTime, unmarked), failed: few, class: fault.NotAnObject},
		"never an ETag, and some web pages of the listed length": {objects: many,
			head: all(noETag, oneIn(4, all(noTime, unmarked))), failed: many / 4, class: fault.NotAnObject,
			differs: "presence of an ETag"},
		"no time in the listing": {objects: many, list: noTime, head: otherETag, differs: "ETag"},
		"no ETags at all": {
			objects: many, list: noETag, head: noETag, differs: "presence of an ETag",
		},
		"nothing but keys and values": {
			objects: many, list: webPage, head: webPage, differs: "presence of an ETag",
		},
		"nothing but keys, few": {
			objects: 1, list: webPage, head: webPage, differs: "presence of an ETag",
		},
		"listed with 0 bytes": {objects: many, list: oneIn(2, zeroLength),
			differs: "length of objects listed with 0 bytes"},
		"listed with 0 bytes, few": {objects: few, list: oneIn(2, zeroLength),
			differs: "length of objects listed with 0 bytes"},
		"Swift's large objects": {engines: true, objects: many, list: oneIn(2, all(otherETag, zeroLength)),
			differs: "ETag and length of objects listed with 0 bytes"},
		"multipart uploads have another ETag": {objects: many, list: oneIn(2, multipartETag), head: oneIn(2, otherETag),
			differs: "ETag of objects listed as multipart uploads"},
		"ETags in upper case, and of compressed answers": {objects: many, list: longETag,
			head: all(longETag, oneIn(2, upperETag), oneIn(3, gzipETag))},
		"always another ETag, few": {objects: few, head: otherETag, differs: "ETag"},
		"always another ETag, and some were overwritten": {objects: many,
			head: all(otherETag, oneIn(4, later)), changed: many / 4, differs: "ETag"},
		"always another ETag, and some web pages": {engines: true, objects: many,
			head: all(otherETag, oneIn(4, webPage)), failed: many / 4, class: fault.NotAnObject, differs: "ETag"},
		"always another ETag, and some are of another object": {objects: many,
			head: all(otherETag, oneIn(4, earlier)), failed: many / 4, class: fault.UnlikeListing, differs: "ETag"},
		"always another ETag, and some another length": {objects: many,
			head: all(otherETag, oneIn(4, otherLength)), failed: many / 4, class: fault.UnlikeListing, differs: "ETag"},

		"some web pages": {
			engines: true, objects: many, head: oneIn(4, webPage), failed: many / 4, class: fault.NotAnObject,
		},
		"a page with a date and an ETag": {engines: true, objects: many,
			head: oneIn(4, all(otherETag, later, unmarked)), failed: many / 4, class: fault.NotAnObject},
		"a page with a date and an ETag, few": {objects: few,
			head: oneIn(3, all(otherETag, later, unmarked)), failed: few / 3, class: fault.NotAnObject},
		"all were overwritten, without metadata": {objects: few, head: all(otherETag, later, unmarked),
			changed: few, bare: true},
		"web pages alone": {objects: many, head: webPage, failed: many, class: fault.NotAnObject},
		"some without ETag": {
			objects: many, head: oneIn(4, noETag), failed: many / 4, class: fault.NotAnObject,
		},
		"web pages, no ETags listed": {objects: many, list: noETag, head: oneIn(4, webPage), failed: many / 4,
			class: fault.NotAnObject},
		"web page, two objects": {
			objects: 2, list: noETag, head: oneIn(2, webPage), failed: 1, class: fault.NotAnObject,
		},
		"some other ETags": {
			engines: true, objects: many, head: oneIn(4, otherETag), failed: many / 4, class: fault.UnlikeListing,
		},
		"some other lengths": {
			objects: many, head: oneIn(4, otherLength), failed: many / 4, class: fault.UnlikeListing,
		},
		"a stale cache": {objects: many, head: all(otherETag, earlier), failed: many,
			class: fault.UnlikeListing},
		"the same answer for all": {objects: many, head: func(_ int, s *said) { *s = like(999) }, failed: many,
			class: fault.UnlikeListing},
		"two objects": {objects: 2, head: otherETag, failed: 2, class: fault.UnlikeListing},
		"another ETag and length, few": {objects: few, head: all(otherETag, otherLength), failed: few,
			class: fault.UnlikeListing},
		"nothing but another time": {objects: many, list: noETag, head: all(noLength, oneIn(4, earlier)),
			failed: many / 4, class: fault.UnlikeListing},

		"some were overwritten": {
			engines: true, objects: many, head: oneIn(4, all(otherETag, later)), changed: many / 4,
		},
		"all were overwritten":    {objects: many, head: all(otherETag, otherLength, later), changed: many},
		"the same, written again": {objects: many, head: later},
		"no time in the HEADs":    {objects: many, head: noTime},
		"no length in the HEADs":  {objects: many, head: noLength},
	} {
		test := func(t *testing.T, cfg scan.Config) {
			s := &unlikeStore{objects: c.objects, list: like, head: like}
			if c.list != nil {
				s.list = change(like, c.list)
			}
			if c.head != nil {
				s.head = change(like, c.head)
			}
			var log logText
			cfg.Workers, cfg.All, cfg.Log = 8, c.bare, slog.New(slog.NewTextHandler(&log, nil))
			r := run(t.Context(), t, open(t, s.start(t)), cfg)
			o := r.stats.Outcomes
			if r.err != nil || o.Failed != int64(c.failed) || o.Changed != int64(c.changed) ||
				!c.bare && o.Emitted != int64(c.objects-c.failed) {
				t.Errorf("got %+v, error %v; want %d failed and %d changed", o, r.err, c.failed, c.changed)
			}
			for _, e := range r.failed {
				if e.Class != c.class || e.Status != 200 || e.Attempts < 2 {
					t.Errorf("got %v (%s) after %d attempts, want %s", e, e.Class, e.Attempts, c.class)
				}
			}
			if got := strings.Join(r.stats.ListingDiffers, "; "); got != c.differs {
				t.Errorf("the listing differs by %q, want %q", got, c.differs)
			}
			// Until the difference is learned, an answer over a reused connection is asked for again.
			if always := c.list == nil && c.differs != ""; always && cfg.Pipeline == 0 && c.objects == many &&
				s.heads > many+c.failed+c.changed+3*many/4 {
				t.Errorf("%d HEADs for %d objects", s.heads, many)
			}
			if connections := r.stats.Addresses[0].Connections; c.keeps && connections > many/2 {
				t.Errorf("%d connections for %d objects", connections, many)
			}
			if strings.Contains(log.text.String(), "sends more") {
				t.Errorf("the store sends only its answers, and the log has\n%s", &log.text)
			}
			for _, line := range r.lines {
				i, _ := strconv.Atoi(strings.TrimPrefix(lineKey(t, line), "k"))
				if !c.bare && !strings.Contains(line, fmt.Sprintf(`"id":"%d"`, i)) {
					t.Errorf("got %s, want id %d", line, i)
				}
				listed := fmt.Sprintf(`"etag":"%s"`, s.list(i).etag)
				if c.differs == "" && c.changed == 0 && s.list(i).etag != "" && !strings.Contains(line, listed) {
					t.Errorf("got %s, want %s", line, listed)
				}
			}
		}
		t.Run(name, func(t *testing.T) {
			if c.engines {
				forEachEngine(t, test)
				return
			}
			t.Parallel()
			test(t, scan.Config{Engine: engine.Direct})
		})
	}
}
