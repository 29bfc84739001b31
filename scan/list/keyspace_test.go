package list

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// pagerAt is a Pager that has come so far in a Range, by a page from first to last, of keys which part at the marks.
func pagerAt(rng Range, prefix string, m *alphabet, first, last, ceiling string, slivers int) *Pager {
	p := &Pager{lister: &Lister{cfg: Config{Prefix: prefix}}, rng: rng}
	p.split = splitState{alphabet: m, keys: 1000, pages: 1, pageFirst: first, lastKey: last, upperBound: ceiling, tinySplits: slivers}
	return p
}

func marksOf(text string) *alphabet {
	m := new(alphabet)
	for _, r := range text {
		m.add(string(r))
	}
	return m
}

// Whatever was seen, a guess is a key that can be asked for, behind the cursor and before the end: each is UTF-8, since
// it is written in whole characters.
func TestGuessLiesInTheRange(t *testing.T) {
	text := rapid.StringOfN(rapid.SampledFrom([]rune("aé日\U0001f600/-0129~\x7f\u0080%\U0010ffff")), 0, 6, -1)
	guesses := 0
	rapid.Check(t, func(rt *rapid.T) {
		prefix := rapid.SampledFrom([]string{"", "a", "日"}).Draw(rt, "prefix")
		keys := []string{prefix + text.Draw(rt, "a"), prefix + text.Draw(rt, "b"), prefix + text.Draw(rt, "c"), prefix + text.Draw(rt, "d")}
		slices.Sort(keys)
		if keys[1] == "" || keys[1] == keys[2] || keys[2] == keys[3] {
			return
		}
		through, ceiling := keys[3], keys[2]
		if rapid.Bool().Draw(rt, "open") {
			through = ""
		}
		if rapid.Bool().Draw(rt, "no ceiling") {
			ceiling = ""
		}
		p := pagerAt(Range{"", through}, prefix, marksOf(text.Draw(rt, "marks")), keys[0], keys[1], ceiling, rapid.IntRange(0, 2).Draw(rt, "slivers"))
		var tried []string
		for range splitKeyTries + 1 {
			guess := p.splitKey(tried)
			if guess == "" {
				break
			}
			guesses++
			tried = append(tried, guess)
			switch {
			case guess <= keys[1] || ceiling != "" && guess >= ceiling || through != "" && guess >= through:
				rt.Fatalf("%q of %q, ceiling %q", guess, Range{keys[1], through}, ceiling)
			case !strings.HasPrefix(guess, prefix) && guess < prefix:
				rt.Fatalf("%q lies before the prefix %q", guess, prefix)
			case !utf8.ValidString(guess) || strings.ContainsRune(strings.TrimPrefix(guess, keys[1][:commonPrefix(guess, keys[1])]), '%'):
				rt.Fatalf("%q is a key that not every store can read", guess)
			}
		}
		if left := p.estimateRemaining(); left < 0 || left > 1000*remainingFactorMax {
			rt.Fatalf("%v keys are left", left)
		}
	})
	if guesses < 10 {
		t.Errorf("%d guesses in all: too few to show anything", guesses)
	}
}

func TestGuessFollowsTheKeys(t *testing.T) {
	long := strings.Repeat("x/", 400)
	for _, c := range []struct {
		what                 string
		marks                string
		first, last, ceiling string
		slivers              int
		want                 string
	}{
		{"hex digits", "0123456789abcdef", "0000", "000f", "", 0, "8"},
		{"digits", "0123456789", "0000", "0003", "", 0, "5"},
		{"between two keys", "0123456789", "a/1000", "a/1003", "a/3000", 0, "a/2"},
		{"a character that no keys part at yet", "0123456789", "a/000", "a/003", "", 0, "p"},
		{"after a sliver, the depth", "0123456789", "obj-000000", "obj-000999", "p", 1, "obj0"},
		{"a long prefix is halved", "0123456789", long + "000", long + "009", "y", 1, long[:401] + "0"},
		{"nothing is known", "", "0", "", "", 0, ""},
	} {
		if got := pagerAt(Range{}, "", marksOf(c.marks), c.first, c.last, c.ceiling, c.slivers).splitKey(nil); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}
