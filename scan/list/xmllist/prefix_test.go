package xmllist

import "testing"

// A listing of another prefix is known by what it says. Some stores say nothing, or do not encode it.
func TestIsOf(t *testing.T) {
	for _, c := range []struct {
		said, asked string
		want        bool
	}{
		{"", "", true}, {"", "a/", true}, {"a/", "a/", true}, {"a%2Fb+c", "a/b c", true}, {"a+b", "a+b", true},
		{"a%2Bb", "a+b", true}, {"%C3%A9", "é", true}, {"a%zz", "a%zz", true}, {"\uFFFD", "\x01", true},
		{"?", "\xff", true}, {"a/", "", false}, {"a/", "b/", false}, {"a", "a/", false}, {"a%zz", "b", false},
	} {
		if l := (&Listing{Prefix: c.said}); l.IsOf(c.asked) != c.want {
			t.Errorf("a listing of %q, asked for %q: want %v", c.said, c.asked, c.want)
		}
	}
}
