package list

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// nameOf returns the key of an entry, and its version where it has one.
func nameOf(e *Entry) string {
	if e.Details == nil {
		return e.Key
	}
	return e.Key + "@" + e.VersionID()
}

// testVersion is a version in a naiveVersions.
type testVersion struct {
	key, id          string
	latest, isMarker bool
	written          time.Time
}

func (v *testVersion) name() string { return v.key + "@" + v.id }

// naiveVersions is a store of versions, in the order of the listing.
type naiveVersions struct {
	versions []testVersion
	pageKeys int

	apart     bool // it lists delete markers behind all versions
	first     bool // with apart: before all versions
	inclusive bool // the version of version-id-marker is listed too
	silent    bool // it names no next version
	endsEarly bool // every third listing ends early, without being marked as truncated
	requests  atomic.Int64
}

func (n *naiveVersions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, q := n.requests.Add(1), r.URL.Query()
	switch {
	case r.Method == http.MethodHead:
		if !slices.ContainsFunc(n.versions, func(v testVersion) bool { return "/b/"+v.key == r.URL.Path && !v.isMarker }) {
			w.WriteHeader(http.StatusNotFound)
		}
		return
	case !q.Has("versions"):
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	first := 0
	if marker, id := q.Get("key-marker"), q.Get("version-id-marker"); marker != "" {
		first = slices.IndexFunc(n.versions, func(v testVersion) bool {
			return v.key > marker || id != "" && v.key == marker && v.id == id
		})
		switch {
		case first < 0:
			first = len(n.versions)
		case n.versions[first].key == marker && !n.inclusive:
			first++
		}
	}
	var page []testVersion
	truncated := false
	for _, v := range n.versions[first:] {
		if !strings.HasPrefix(v.key, q.Get("prefix")) {
			continue
		}
		if len(page) == n.pageKeys {
			truncated = true
			break
		}
		page = append(page, v)
	}
	if n.endsEarly && request%3 == 0 {
		truncated = false
	}
	fmt.Fprint(w, n.xml(page, truncated))
}

func (n *naiveVersions) xml(page []testVersion, truncated bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "<ListVersionsResult><EncodingType>url</EncodingType><IsTruncated>%v</IsTruncated>", truncated)
	if truncated && !n.silent {
		last := page[len(page)-1]
		fmt.Fprintf(&b, "<NextKeyMarker>%s</NextKeyMarker><NextVersionIdMarker>%s</NextVersionIdMarker>",
			url.QueryEscape(last.key), escape(last.id))
	}
	if n.apart {
		page = slices.Clone(page)
		slices.SortStableFunc(page, func(x, y testVersion) int {
			switch {
			case x.isMarker == y.isMarker:
				return 0
			case x.isMarker == n.first:
				return -1
			}
			return 1
		})
	}
	for _, v := range page {
		element, size := "Version", "<Size>1</Size>"
		if v.isMarker {
			element, size = "DeleteMarker", ""
		}
		fmt.Fprintf(&b, "<%s><Key>%s</Key><VersionId>%s</VersionId><IsLatest>%v</IsLatest><LastModified>%s</LastModified>"+
			"%s</%[1]s>", element, url.QueryEscape(v.key), escape(v.id), v.latest, v.written.Format(time.RFC3339), size)
	}
	b.WriteString("</ListVersionsResult>")
	return b.String()
}

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text))
	return b.String()
}

// versionsOf returns so many versions of a key, newest first.
func versionsOf(key string, count int, isMarker func(n int) bool) []testVersion {
	all := make([]testVersion, count)
	newest := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for n := range all {
		id := fmt.Sprintf("v+%d/=", count-n)
		if n == count-1 {
			id = "null"
		}
		all[n] = testVersion{
			key: key, id: id, latest: n == 0, isMarker: isMarker(n), written: newest.Add(-time.Duration(n) * time.Hour),
		}
	}
	return all
}

func namesOf(versions []testVersion) []string {
	names := make([]string, len(versions))
	for i := range versions {
		names[i] = versions[i].name()
	}
	return names
}

// Whatever the versions, wherever a page ends, and wherever Ranges are split: every version is handed out once, in the
// order of the listing, and the Ranges of the pages cover the whole Range without a gap.
func TestEveryVersionIsHandedOutOnce(t *testing.T) {
	splits, inside := 0, 0
	key := rapid.StringOfN(rapid.SampledFrom([]rune("ab/+ &é日~")), 1, 4, -1)
	rapid.Check(t, func(rt *rapid.T) {
		keys := rapid.SliceOfNDistinct(key, 0, 40, rapid.ID).Draw(rt, "keys")
		numbered := rapid.SliceOfNDistinct(rapid.StringMatching("[ab]/[0-9]{3}"), 10, 40, rapid.ID)
		keys = append(keys, numbered.Draw(rt, "more")...)
		slices.Sort(keys)
		twin := &naiveVersions{
			pageKeys: rapid.IntRange(1, 8).Draw(rt, "pageKeys"), apart: rapid.Bool().Draw(rt, "apart"),
			first:     rapid.Bool().Draw(rt, "first"),
			inclusive: rapid.Bool().Draw(rt, "inclusive"), silent: rapid.Bool().Draw(rt, "silent"),
		}
		if twin.inclusive { // such a store has to list more than the marker
			twin.pageKeys++
		}
		markers := rapid.IntRange(2, 5).Draw(rt, "markers")
		for _, k := range slices.Compact(keys) {
			count := rapid.SampledFrom([]int{1, 1, 1, 2, 3, 20}).Draw(rt, "versions")
			twin.versions = append(twin.versions, versionsOf(k, count, func(n int) bool { return n%markers == 0 })...)
		}
		store := &interleaved{Handler: twin, between: func() {}}
		prefix := rapid.SampledFrom([]string{"", "", "a", "a/"}).Draw(rt, "prefix")
		lister := serve(t, store, Config{Prefix: prefix, Versions: true})
		lister.heldMax = rapid.IntRange(1, 30).Draw(rt, "heldMax")
		whole := Range{
			After:   rapid.OneOf(rapid.Just(""), key).Draw(rt, "after"),
			Through: rapid.OneOf(rapid.Just(""), key).Draw(rt, "through"),
		}
		if whole.Through != "" && whole.Through <= whole.After {
			whole.Through = ""
		}
		want := namesOf(slices.DeleteFunc(slices.Clone(twin.versions), func(v testVersion) bool {
			return !strings.HasPrefix(v.key, prefix) || !whole.Contains(v.key)
		}))
		first := lister.Pager(whole)
		first.split.alphabet = new(alphabet)
		l := &randomLister{
			ctx: t.Context(), random: rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "random"), 0)),
			pagers: []*Pager{first}, busy: map[*Pager]bool{}, splitKeys: []string{"", "", ""},
		}
		for _, k := range rapid.SliceOfN(key, 1, 9).Draw(rt, "splitKeys") {
			l.splitKeys = append(l.splitKeys, k, prefix+k)
		}
		depth := 0
		store.between = func() {
			if depth < 4 && len(l.pagers) > 0 && l.random.IntN(2) == 0 {
				depth++
				l.step()
				depth--
			}
		}
		for len(l.pagers) > 0 && l.err == nil {
			l.step()
		}
		if l.err != nil {
			rt.Fatal(l.err)
		}
		splits += l.splits
		for _, rng := range l.ranges {
			if rng.ThroughVersion != "" {
				inside++
			}
		}
		slices.Sort(l.keys)
		slices.Sort(want)
		if !slices.Equal(l.keys, want) {
			rt.Fatalf("got %q, want %q", l.keys, want)
		}
		if err := checkCover(l.ranges, whole); err != nil {
			rt.Fatal(err)
		}
	})
	if splits == 0 || inside == 0 {
		t.Errorf("%d splits, and %d pages that end inside a key", splits, inside)
	}
}

// walkVersions collects the versions of a Range and the Ranges of the pages.
func walkVersions(ctx context.Context, p *Pager) (names []string, ranges []Range, err error) {
	for {
		page, err := p.Next(ctx)
		if page == nil {
			return names, ranges, err
		}
		ranges = append(ranges, page.Range)
		for i := range page.Entries {
			names = append(names, nameOf(&page.Entries[i]))
		}
	}
}

// Keys can have more versions than a page, and some stores list in odd ways. From each page on, another run lists what
// is left.
func TestKeysOfThousandsOfVersions(t *testing.T) {
	notMarker := func(n int) bool { return n%7 == 3 }
	versions := slices.Concat(versionsOf("a", 3, notMarker), versionsOf("b", 2500, notMarker), versionsOf("c", 1, notMarker),
		versionsOf("d", 999, notMarker), versionsOf("e", 1001, notMarker), versionsOf("f", 1000, notMarker))
	want := namesOf(versions)
	for name, store := range map[string]*naiveVersions{
		"as S3":               {},
		"markers apart":       {apart: true},
		"markers first":       {apart: true, first: true},
		"without next marker": {silent: true},
		"inclusive":           {inclusive: true},
		"ends early":          {endsEarly: true},
	} {
		t.Run(name, func(t *testing.T) {
			store.versions, store.pageKeys = versions, pageKeysMax
			lister := serve(t, store, Config{Versions: true})
			names, ranges, err := walkVersions(t.Context(), lister.Pager(Range{}))
			if err != nil || !slices.Equal(names, want) {
				t.Fatalf("%v: %d versions, want %d", err, len(names), len(want))
			}
			most := int64(len(want)/pageKeysMax + 4)
			if n := store.requests.Load(); n > most && !store.inclusive && !store.endsEarly {
				t.Errorf("%d LISTs, want at most %d", n, most)
			}
			inside := 0
			for _, rng := range ranges {
				if rng.Through == "" {
					break
				}
				behind := Range{After: rng.Through, AfterVersion: rng.ThroughVersion}
				rest, _, err := walkVersions(t.Context(), lister.Pager(behind))
				first := slices.Index(want, rng.Through+"@"+rng.ThroughVersion) + 1
				if rng.ThroughVersion == "" {
					first = slices.IndexFunc(want, func(name string) bool { return name[:1] > rng.Through })
				} else {
					inside++
				}
				if err != nil || !slices.Equal(rest, want[first:]) {
					t.Errorf("behind %v: %v, %d versions, want %d", rng, err, len(rest), len(want)-first)
				}
			}
			if inside < 3 {
				t.Errorf("%d pages end inside a key: %v", inside, ranges)
			}
		})
	}
}

// A run cannot be resumed behind a version that does not exist any more: nobody knows where that is.
func TestResumeBehindADeletedVersion(t *testing.T) {
	store := &naiveVersions{versions: versionsOf("b", 3, func(int) bool { return false }), pageKeys: 2}
	lister := serve(t, store, Config{Versions: true})
	_, _, err := walkVersions(t.Context(), lister.Pager(Range{After: "b", AfterVersion: "gone"}))
	var gone *VersionError
	if !errors.As(err, &gone) || gone.ExitCode() != 2 || !strings.Contains(gone.Hint(), "--resume") {
		t.Fatal(err)
	}
	names, _, err := walkVersions(t.Context(), lister.Pager(Range{After: "b", AfterVersion: "null"}))
	if err != nil || len(names) > 0 {
		t.Errorf("behind the last version: %v, %v", names, err)
	}
}

// A store that does not do what its listing of versions needs is found out.
func TestVersionsThatCannotBeTrusted(t *testing.T) {
	page := func(inner string) handler {
		return say("<ListVersionsResult><IsTruncated>true</IsTruncated>" + inner + "</ListVersionsResult>")
	}
	version := func(key, id string) string {
		return "<Version><Key>" + key + "</Key><VersionId>" + id + "</VersionId><Size>1</Size></Version>"
	}
	latest := "<Version><Key>k</Key><VersionId>v1</VersionId><IsLatest>true</IsLatest></Version>"
	for name, c := range map[string]struct {
		answers []handler
		rng     Range
		want    string // of the error, or of the hint
	}{
		"twice": {
			[]handler{page(version("k", "1") + version("k", "2") + version("k", "1"))}, Range{}, "a version twice",
		},
		"no order":    {[]handler{page(version("l", "1") + version("k", "1"))}, Range{}, "not in order"},
		"no way on":   {[]handler{page(version("k", "1"))}, Range{}, "with the markers of the request"},
		"nothing":     {[]handler{page("")}, Range{}, "no NextKeyMarker"},
		"no versions": {[]handler{say(shortListing)}, Range{}, "does not list versions"},
		"501":         {[]handler{refuse(501, "NotImplemented", "")}, Range{}, "does not list versions"},
		"400":         {[]handler{refuse(400, "NotImplemented", "")}, Range{}, "does not list versions"},
		"no version-id-marker": {
			[]handler{page(latest + version("k", "2")), page(latest + version("k", "2"))},
			Range{After: "k", AfterVersion: "2"}, "ignores version-id-marker",
		},
	} {
		t.Run(name, func(t *testing.T) {
			lister := serve(t, &script{answers: c.answers}, Config{Versions: true, RetryFor: time.Second})
			_, _, err := walkVersions(t.Context(), lister.Pager(c.rng))
			var hinted interface{ Hint() string }
			if err == nil || !errors.As(err, &hinted) || !strings.Contains(err.Error()+hinted.Hint(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A version that is not found is looked for among all versions of its key.
func TestMissingVersions(t *testing.T) {
	none := func(int) bool { return false }
	store := &naiveVersions{
		versions: slices.Concat(versionsOf("k", 30, none), versionsOf("k2", 3, none)), pageKeys: 4,
	}
	for _, versions := range []bool{true, false} { // false: the keys are known
		lister := serve(t, store, Config{Versions: versions})
		checker := lister.NewGoneChecker(new(Names), !versions)
		page := &Page{Entries: []Entry{
			{Key: "k", Details: &Details{VersionID: "v+3/="}}, {Key: "k", Details: &Details{VersionID: "gone"}},
			{Key: "k2", Details: &Details{VersionID: "null"}}, {Key: "k1", Details: &Details{VersionID: "null"}},
		}}
		var missing []Missing
		for i := range page.Entries {
			missing = append(missing, Missing{Entry: &page.Entries[i], Page: page})
		}
		doubts, err := checker.Check(t.Context(), missing)
		if want := []error{ErrStillListed, nil, ErrStillListed, nil}; err != nil || !slices.Equal(doubts, want) {
			t.Errorf("%v, %v", doubts, err)
		}
	}
}
