package list

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// pagerAt returns a Pager that has listed a page from first to last. Its keys differ in the characters of the alphabet.
func pagerAt(rng Range, prefix string, a *alphabet, first, last, upperBound string, tinySplits int) *Pager {
	p := &Pager{lister: &Lister{cfg: Config{Prefix: prefix}}, rng: rng}
	p.split = splitState{
		alphabet: a, keys: 1000, pages: 1, pageFirst: first, lastKey: last,
		upperBound: upperBound, tinySplits: tinySplits,
	}
	return p
}

func alphabetOf(text string) *alphabet {
	a := new(alphabet)
	for _, r := range text {
		a.add(string(r))
	}
	return a
}

// Whatever keys were listed, a split key can be sent, and lies between the cursor and the end. It is UTF-8, since it
// consists of whole characters.
func TestSplitKeyLiesInTheRange(t *testing.T) {
	text := rapid.StringOfN(rapid.SampledFrom([]rune("aé日\U0001f600/-0129~\x7f\u0080%\U0010ffff")), 0, 6, -1)
	count := 0
	rapid.Check(t, func(rt *rapid.T) {
		prefix := rapid.SampledFrom([]string{"", "a", "日"}).Draw(rt, "prefix")
		var keys []string
		for _, name := range []string{"a", "b", "c", "d"} {
			keys = append(keys, prefix+text.Draw(rt, name))
		}
		slices.Sort(keys)
		if keys[1] == "" || keys[1] == keys[2] || keys[2] == keys[3] {
			return
		}
		through, upperBound := keys[3], keys[2]
		if rapid.Bool().Draw(rt, "open") {
			through = ""
		}
		if rapid.Bool().Draw(rt, "no upper bound") {
			upperBound = ""
		}
		alphabet := alphabetOf(text.Draw(rt, "alphabet"))
		tinySplits := rapid.IntRange(0, 2).Draw(rt, "tinySplits")
		p := pagerAt(Range{Through: through}, prefix, alphabet, keys[0], keys[1], upperBound, tinySplits)
		var probing []string
		for range splitKeyTries + 1 {
			key := p.splitKey(probing)
			if key == "" {
				break
			}
			count++
			probing = append(probing, key)
			switch {
			case key <= keys[1] || upperBound != "" && key >= upperBound || through != "" && key >= through:
				rt.Fatalf("%q of %q, upper bound %q", key, Range{After: keys[1], Through: through}, upperBound)
			case !strings.HasPrefix(key, prefix) && key < prefix:
				rt.Fatalf("%q is below the prefix %q", key, prefix)
			case !utf8.ValidString(key) ||
				strings.ContainsRune(strings.TrimPrefix(key, keys[1][:commonPrefix(key, keys[1])]), '%'):
				rt.Fatalf("not every store accepts the key %q", key)
			}
		}
		if left := p.estimateRemaining(); left < 0 || left > 1000*remainingFactorMax {
			rt.Fatalf("%v keys are expected", left)
		}
	})
	if count < 10 {
		t.Errorf("only %d split keys, which show too little", count)
	}
}

func TestSplitKeyFollowsTheKeys(t *testing.T) {
	long := strings.Repeat("x/", 400)
	for _, c := range []struct {
		what                    string
		alphabet                string
		first, last, upperBound string
		tinySplits              int
		want                    string
	}{
		{"hex digits", "0123456789abcdef", "0000", "000f", "", 0, "8"},
		{"digits", "0123456789", "0000", "0003", "", 0, "5"},
		{"between two keys", "0123456789", "a/1000", "a/1003", "a/3000", 0, "a/2"},
		{"a character that is not in the alphabet yet", "0123456789", "a/000", "a/003", "", 0, "p"},
		{"another depth after a tiny split", "0123456789", "obj-000000", "obj-000999", "p", 1, "obj0"},
		{"a long prefix is halved", "0123456789", long + "000", long + "009", "y", 1, long[:401] + "0"},
		{"nothing is known", "", "0", "", "", 0, ""},
	} {
		p := pagerAt(Range{}, "", alphabetOf(c.alphabet), c.first, c.last, c.upperBound, c.tinySplits)
		if got := p.splitKey(nil); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}
