package list

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"
)

// keysBetween lists as far as it has to, and knows nothing where the store does not list behind the key.
func TestKeysBetween(t *testing.T) {
	for name, c := range map[string]struct {
		answers        []handler
		keys           []string
		upTo           string
		sent           int
		after, through string
	}{
		"one page": {[]handler{say(listXML([]string{"b", "d"}, true, "t"))}, []string{"b", "d"}, "d", 1, "a", "c"},
		"two pages": {
			[]handler{say(listXML([]string{"b"}, true, "t")), say(listXML([]string{"d"}, true, "t"))},
			[]string{"b", "d"}, "d", 2, "a", "c",
		},
		"inclusive":          {[]handler{say(listXML([]string{"a", "b"}, true, "t"))}, []string{"b"}, "b", 1, "a", "b"},
		"the end":            {[]handler{say(listXML([]string{"b"}, false, ""))}, []string{"b"}, "b", 1, "a", "c"},
		"nothing":            {[]handler{end}, nil, "a", 1, "a", "c"},
		"no new key":         {[]handler{say(listXML([]string{"a"}, true, "t"))}, nil, "a", 1, "a", "c"},
		"another order":      {[]handler{say(listXML([]string{"c", "b"}, true, "t"))}, []string{"c"}, "", 1, "a", "c"},
		"from the beginning": {[]handler{say(listXML([]string{"0", "a", "b"}, true, "t"))}, nil, "", 1, "a", "c"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &script{answers: c.answers}
			keys, upTo, err := serve(t, s, Config{}).keysBetween(t.Context(), c.after, c.through)
			got := slices.Sorted(maps.Keys(keys))
			if err != nil || !slices.Equal(got, c.keys) || upTo != c.upTo || len(s.asked) != c.sent {
				t.Errorf("got %q up to %q in %d LISTs, error %v", got, upTo, len(s.asked), err)
			}
		})
	}
}

// A key is looked for among the keys that begin with it, with both versions of the API.
func TestHasKey(t *testing.T) {
	for _, v1 := range []bool{false, true} {
		for listed, want := range map[string]bool{"p/a": true, "p/ab": false} {
			s := &script{answers: []handler{say(listXML([]string{listed}, false, ""))}}
			got, err := serve(t, s, Config{Prefix: "p/", V1: v1}).hasKey(t.Context(), "p/a", &Entry{Key: "p/a"}, true)
			if err != nil || got != want || s.asked[0].Get("prefix") != "p/a" {
				t.Errorf("%s", fmt.Sprint(listed, v1, got, err, s.asked))
			}
		}
	}
}

// In the order of bytes one page decides. In another order pages are read until one has the key, up to a limit.
func TestHasKeyBehindOthers(t *testing.T) {
	more := func(token string) handler { return say(listXML([]string{"p/" + token}, true, token)) }
	found, end := say(listXML([]string{"p/"}, false, "")), say(listXML([]string{"p/z"}, false, ""))
	for name, c := range map[string]struct {
		cfg     Config
		answers []handler
		listed  bool // before
		want    bool
		err     error
		sent    int
	}{
		"the order of bytes":     {Config{}, []handler{more("a"), found}, true, false, nil, 1},
		"an order not known":     {Config{}, []handler{more("a"), more("b"), found}, false, true, nil, 3},
		"any order":              {Config{Order: OrderAny}, []handler{more("a"), more("b"), found}, true, true, nil, 3},
		"markers":                {Config{Order: OrderAny, V1: true}, []handler{more("a"), found}, true, true, nil, 2},
		"not listed":             {Config{}, []handler{more("a"), end}, false, false, nil, 2},
		"the same token again":   {Config{}, []handler{more("a")}, false, false, ErrUndecided, 2},
		"a failure that is over": {Config{}, []handler{refuse(500, "", ""), found}, true, true, nil, 2},
	} {
		s := &script{answers: c.answers}
		got, err := serve(t, s, c.cfg).hasKey(t.Context(), "p/", &Entry{Key: "p/"}, c.listed)
		if got != c.want || err != c.err || len(s.asked) != c.sent {
			t.Errorf("%s: got %v after %d LISTs, error %v", name, got, len(s.asked), err)
		}
	}
	s := &script{answers: []handler{refuse(500, "", "")}}
	if _, err := serve(t, s, Config{}).hasKey(t.Context(), "p/", &Entry{Key: "p/"}, true); err == nil ||
		len(s.asked) != briefTriesMax {
		t.Errorf("got error %v after %d LISTs", err, len(s.asked))
	}
	n := 0
	endless := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { n++; more(fmt.Sprint(n))(w, r) })
	_, err := serve(t, endless, Config{}).hasKey(t.Context(), "p/", &Entry{Key: "p/"}, false)
	if !errors.Is(err, ErrUndecided) || n != lookedForMax {
		t.Errorf("got error %v after %d LISTs", err, n)
	}
}

// A store that does not answer the HEAD of a key has not shown that it lacks the key.
func TestExistsAsksAgain(t *testing.T) {
	full := say(listXML([]string{"p/a"}, true, "t"))
	hang := handler(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	for name, c := range map[string]struct {
		answers []handler
		want    bool
		fails   bool
	}{
		"found":           {[]handler{full, say("")}, true, false},
		"not found":       {[]handler{full, refuse(404, "", "")}, false, false},
		"found later":     {[]handler{full, refuse(503, "", ""), say("")}, true, false},
		"not found later": {[]handler{full, refuse(503, "", ""), refuse(404, "", "")}, false, false},
		"no answer":       {[]handler{full, hang, say("")}, true, false},
		"denied":          {[]handler{full, refuse(403, "", "")}, false, true},
	} {
		s := &script{answers: c.answers}
		got, err := serve(t, s, Config{Timeout: time.Second}).exists(t.Context(), "p/")
		if got != c.want || (err != nil) != c.fails || len(s.asked) != len(c.answers) {
			t.Errorf("%s: got %v after %d requests, error %v", name, got, len(s.asked), err)
		}
	}
}
