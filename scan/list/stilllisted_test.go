package list

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// KeysBetween lists as far as it has to, and knows nothing where the store does not list behind the key.
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
			keys, upTo, err := serve(t, s, Config{}).KeysBetween(t.Context(), c.after, c.through)
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
			got, err := serve(t, s, Config{Prefix: "p/", V1: v1}).HasKey(t.Context(), "p/a")
			if err != nil || got != want || s.asked[0].Get("prefix") != "p/a" {
				t.Errorf("%s", fmt.Sprint(listed, v1, got, err, s.asked))
			}
		}
	}
}
