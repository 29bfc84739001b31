package list

import (
	"slices"
	"strings"
	"testing"

	"headcount/scan/list/xmllist"
)

func contents(key, inner string) string {
	return "<Contents><Key>" + key + "</Key><ETag>&#34;e&#34;</ETag><Size>1</Size>" + inner + "</Contents>"
}

// items returns the Items of names and values in turn.
func items(texts ...string) []Item {
	var items []Item
	for i := 0; i < len(texts); i += 2 {
		items = append(items, Item{Name: texts[i], Value: texts[i+1]})
	}
	return items
}

// The elements are those that MinIO of 2026-02 writes.
func TestMetadataMatchHeads(t *testing.T) {
	list := func(elements ...string) string {
		return "<UserMetadata>" + strings.Join(elements, "") + "</UserMetadata>"
	}
	element := func(name, value string) string { return "<" + name + ">" + value + "</" + name + ">" }
	metaA := func(value string) string { return element("X-Amz-Meta-A", value) }
	contentType := element("content-type", "a/b")
	for name, c := range map[string]struct {
		inner       string
		items       []Item
		matchesHead bool
	}{
		"none given":     {"", nil, false},
		"not permitted":  {"<UserTags></UserTags>", nil, false},
		"no custom ones": {list(contentType) + "<Internal><K>1</K><M>0</M></Internal>", []Item{}, true},
		"empty":          {"<UserMetadata/>", []Item{}, true},
		"sorted": {
			list(element("X-Amz-Meta-Owner", "alice"), contentType, metaA("1")), items("a", "1", "owner", "alice"), true,
		},
		"capitals":        {list(element("X-Amz-Meta-FooBar_baz.q", "V")), items("foobar_baz.q", "V"), true},
		"an empty value":  {list(metaA("")), items("a", ""), true},
		"joined":          {list(metaA("one,two")), items("a", "one,two"), true},
		"inner blanks":    {list(metaA("two  blanks")), items("a", "two  blanks"), true},
		"XML":             {list(metaA("&lt;b&gt;&#34;&amp;amp;&#39;]]&gt;")), items("a", `<b>"&amp;']]>`), true},
		"percents":        {list(metaA("100%25+%zz")), items("a", "100%25+%zz"), true},
		"an encoded word": {list(metaA("=?UTF-8?B?w7w=?=")), items("a", "=?UTF-8?B?w7w=?="), true},
		"UTF-8":           {list(metaA("größe")), items("a", "größe"), false},
		"a tab":           {list(metaA("x&#x9;y")), items("a", "x\ty"), false},
		"DEL":             {list(metaA("x\x7fy")), items("a", "x\x7fy"), false},
		"a line feed":     {list(metaA("x&#xA;y")), items("a", "x\ny"), false},
		"outer blanks":    {list(metaA(" x")), items("a", " x"), false},
		"a blank at last": {list(metaA("x ")), items("a", "x "), false},
		"a name twice":    {list(metaA("1"), element("x-amz-meta-a", "2")), items("a", "1", "a", "2"), false},
		"no name":         {list(element("X-Amz-Meta-", "v")), items("", "v"), false},
		"the client's key": {
			list(element("X-Amz-Server-Side-Encryption-Customer-Algorithm", "AES256")), []Item{}, false,
		},
		"the store's key":  {list(element("X-Amz-Server-Side-Encryption", "AES256")), []Item{}, true},
		"other metadata":   {list(element("X-Minio-Meta-A", "v")), []Item{}, true},
		"a shorter prefix": {list(element("X-Amz-Met", "v"), element("x", "y")), []Item{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			body := "<ListBucketResult><EncodingType>url</EncodingType>" + contents("a", list(metaA("of a"))) +
				contents("b%2B", c.inner) + contents("c", "") + "</ListBucketResult>"
			listing, err := new(xmllist.Decoder).Decode(strings.NewReader(body), xmllist.Asked{Metadata: true})
			if err != nil {
				t.Fatal(err)
			}
			got := metadataOf(listing)
			if len(got) != 3 || got[0].key != "a" || got[1].key != "b+" || got[2].metadata.MatchesHead {
				t.Fatalf("%+v", got)
			}
			m := got[1].metadata
			if m.MatchesHead != c.matchesHead || !slices.Equal(m.Items, c.items) || (m.Items == nil) != (c.items == nil) {
				t.Errorf("%+v, want %+v, MatchesHead %v", m, c.items, c.matchesHead)
			}
			if first := got[0].metadata; !first.MatchesHead || !slices.Equal(first.Items, items("a", "of a")) {
				t.Errorf("the object before: %+v", first)
			}
		})
	}
}

// Metadata stay with their entries, whichever entries are handed out.
func TestTakeMetadata(t *testing.T) {
	var from []keyMetadata
	for _, key := range []string{"a", "b", "b", "c", "d", "e"} {
		from = append(from, keyMetadata{key, Metadata{Items: items("of", key)}})
	}
	got, rest := takeMetadata([]Entry{{Key: "b"}, {Key: "d"}}, from)
	if len(got) != 2 || got[0].Items[0].Value != "b" || got[1].Items[0].Value != "d" {
		t.Errorf("%+v", got)
	}
	got, _ = takeMetadata([]Entry{{Key: "e"}, {Key: "unknown"}}, rest)
	if got[0].Items[0].Value != "e" || got[1].Items != nil {
		t.Errorf("%+v", got)
	}
	if got, _ := takeMetadata([]Entry{{Key: "a"}}, nil); got != nil {
		t.Errorf("%+v from a listing without metadata", got)
	}
}
