package s3sim

import "strings"

// affixes are the bytes before and after the counter in the keys of one group.
type affixes struct{ prefix, suffix string }

// nastyAffixes returns the affixes of keys that some client, proxy or store handles wrongly. No prefix is another
// prefix followed by a digit (see groupedKeys).
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

// newNastyKeys gives all affixes the same number of keys, and the rest to the first.
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
