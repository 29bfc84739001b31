package s3sim

import "strings"

// affixes is how the keys of one group begin and end around their counter.
type affixes struct{ prefix, suffix string }

// nastyAffixes are keys that some client, proxy or store is known to get wrong.
// None is a prefix of another one followed by a digit (see groupedKeys).
func nastyAffixes() []affixes {
	long := strings.Repeat("long/", 198)[:1000-counterWidth-1]
	return []affixes{
		{"plain-", ""},
		{"/leading-slash-", ""},
		{"//two-leading-", ""},
		{"trailing-slash-", "/"},
		{"trailing-two-", "//"},
		{"empty//segment//", ""},
		{"dot/./segment-", ""},
		{"dots/../segment-", ""},
		{"../climbs-", ""},
		{"./here-", ""},
		{"ends-in-dots/", "/.."},
		{"ends-in-dot/", "/."},
		{"space in the middle ", ""},
		{"space at the end ", " "},
		{" space at the start ", ""},
		{"plus+sign+", "+"},
		{"percent%", "%"},
		{"escaped%41", "%2F"},
		{"escaped%20space%", ""},
		{"hash#", "#frag"},
		{"question?", "?list-type=2"},
		{"ampersand&", "&prefix=x"},
		{"entity&amp;", "&#65;"},
		{"less<than>", "</Key>"},
		{"<Key>markup", "</Key><Key>"},
		{"cdata]]>", ""},
		{"quote\"double-", "\""},
		{"quote'single-", "'"},
		{"back\\slash\\", ""},
		{"semi;colon:", "@"},
		{"brackets[]{}()", "*!~$,="},
		{"pipe|caret^tick`", ""},
		{"newline\nand-", ""},
		{"return\rand-", ""},
		{"tab\tand-", ""},
		{"bell\x07and\x01-", ""},
		{"nul\x00and-", ""},
		{"delete\x7fand-", ""},
		{"nel\u0085and-", ""},
		{"accent-é-", ""},
		{"decomposed-e\u0301-", ""},
		{"cjk-日本語-", "/文書"},
		{"emoji-😀-", "👩‍👩‍👧"},
		{"rtl-שלום-", ""},
		{"bom-\ufeff-", ""},
		{"separator-\u2028-", ""},
		{"nonchar-\ufffe-", ""},
		{"replacement-\ufffd-", ""},
		{"invalid-\xff-", ""},
		{"cut-short-\xe6\x97-", ""},
		{"surrogate-\xed\xa0\x80-", ""},
		{long + "-", ""},
		{"~tilde-", ""},
		{"\xf4\x8f\xbf\xbd-last-", ""},
	}
}

// newNastyKeys gives every form the same number of keys, and the first form the rest.
func newNastyKeys(objects int64, xmlSafe bool) keyShape {
	var groups []keyGroup
	for _, form := range nastyAffixes() {
		if !xmlSafe || xmlRepresentable(form.prefix+form.suffix) {
			groups = append(groups, keyGroup{prefix: form.prefix, suffix: form.suffix})
		}
	}
	each := objects / int64(len(groups))
	for i := range groups {
		groups[i].keys = each
	}
	groups[0].keys += objects - each*int64(len(groups))
	return newGroupedKeys(groups)
}
