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
	for name, c := range map[string]struct {
		inner string
		items []Item
		exact bool
	}{
		"none given":        {"", nil, false},
		"not permitted":     {"<UserTags></UserTags>", nil, false},
		"no custom ones":    {"<UserMetadata><content-type>a/b</content-type></UserMetadata><Internal><K>1</K><M>0</M></Internal>", []Item{}, true},
		"empty":             {"<UserMetadata/>", []Item{}, true},
		"sorted":            {"<UserMetadata><X-Amz-Meta-Owner>alice</X-Amz-Meta-Owner><content-type>a/b</content-type><X-Amz-Meta-A>1</X-Amz-Meta-A></UserMetadata>", items("a", "1", "owner", "alice"), true},
		"capitals":          {"<UserMetadata><X-Amz-Meta-FooBar_baz.q>V</X-Amz-Meta-FooBar_baz.q></UserMetadata>", items("foobar_baz.q", "V"), true},
		"an empty value":    {"<UserMetadata><X-Amz-Meta-A></X-Amz-Meta-A></UserMetadata>", items("a", ""), true},
		"joined":            {"<UserMetadata><X-Amz-Meta-A>one,two</X-Amz-Meta-A></UserMetadata>", items("a", "one,two"), true},
		"inner blanks":      {"<UserMetadata><X-Amz-Meta-A>two  blanks</X-Amz-Meta-A></UserMetadata>", items("a", "two  blanks"), true},
		"XML":               {"<UserMetadata><X-Amz-Meta-A>&lt;b&gt;&#34;&amp;amp;&#39;]]&gt;</X-Amz-Meta-A></UserMetadata>", items("a", `<b>"&amp;']]>`), true},
		"percents":          {"<UserMetadata><X-Amz-Meta-A>100%25+%zz</X-Amz-Meta-A></UserMetadata>", items("a", "100%25+%zz"), true},
		"an encoded word":   {"<UserMetadata><X-Amz-Meta-A>=?UTF-8?B?w7w=?=</X-Amz-Meta-A></UserMetadata>", items("a", "=?UTF-8?B?w7w=?="), true},
		"UTF-8":             {"<UserMetadata><X-Amz-Meta-A>größe</X-Amz-Meta-A></UserMetadata>", items("a", "größe"), false},
		"a tab":             {"<UserMetadata><X-Amz-Meta-A>x&#x9;y</X-Amz-Meta-A></UserMetadata>", items("a", "x\ty"), false},
		"DEL":               {"<UserMetadata><X-Amz-Meta-A>x\x7fy</X-Amz-Meta-A></UserMetadata>", items("a", "x\x7fy"), false},
		"a line feed":       {"<UserMetadata><X-Amz-Meta-A>x&#xA;y</X-Amz-Meta-A></UserMetadata>", items("a", "x\ny"), false},
		"outer blanks":      {"<UserMetadata><X-Amz-Meta-A> x</X-Amz-Meta-A></UserMetadata>", items("a", " x"), false},
		"a blank behind":    {"<UserMetadata><X-Amz-Meta-A>x </X-Amz-Meta-A></UserMetadata>", items("a", "x "), false},
		"a name twice":      {"<UserMetadata><X-Amz-Meta-A>1</X-Amz-Meta-A><x-amz-meta-a>2</x-amz-meta-a></UserMetadata>", nil, false},
		"no name":           {"<UserMetadata><X-Amz-Meta->v</X-Amz-Meta-></UserMetadata>", items("", "v"), false},
		"the client's key":  {"<UserMetadata><X-Amz-Server-Side-Encryption-Customer-Algorithm>AES256</X-Amz-Server-Side-Encryption-Customer-Algorithm></UserMetadata>", []Item{}, false},
		"the store's key":   {"<UserMetadata><X-Amz-Server-Side-Encryption>AES256</X-Amz-Server-Side-Encryption></UserMetadata>", []Item{}, true},
		"others' metadata":  {"<UserMetadata><X-Minio-Meta-A>v</X-Minio-Meta-A></UserMetadata>", []Item{}, true},
		"of a name's begin": {"<UserMetadata><X-Amz-Met>v</X-Amz-Met><x>y</x></UserMetadata>", []Item{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			others := contents("a", "<UserMetadata><X-Amz-Meta-A>of a</X-Amz-Meta-A></UserMetadata>")
			body := "<ListBucketResult><EncodingType>url</EncodingType>" + others + contents("b%2B", c.inner) + contents("c", "") + "</ListBucketResult>"
			listing, err := new(xmllist.Decoder).Decode(strings.NewReader(body), true)
			if err != nil {
				t.Fatal(err)
			}
			got := metadataOf(listing)
			if len(got) != 3 || got[0].key != "a" || got[1].key != "b+" || got[2].metadata.MatchesHead {
				t.Fatalf("%+v", got)
			}
			m := got[1].metadata
			if m.MatchesHead != c.exact || c.items != nil && !slices.Equal(m.Items, c.items) || (m.Items == nil) != (c.items == nil && name != "a name twice") {
				t.Errorf("%+v, want %+v, exact: %v", m, c.items, c.exact)
			}
			if first := got[0].metadata; !first.MatchesHead || !slices.Equal(first.Items, items("a", "of a")) {
				t.Errorf("the object before: %+v", first)
			}
		})
	}
}

// The metadata stay with their entries, whichever of those are handed out.
func TestMetadataOfEntries(t *testing.T) {
	var from []keyMetadata
	for _, key := range []string{"a", "b", "b", "c", "d", "e"} {
		from = append(from, keyMetadata{key, Metadata{Items: items("of", key)}})
	}
	got, rest := takeMetadata([]Entry{{Key: "b"}, {Key: "d"}}, from)
	if len(got) != 2 || got[0].Items[0].Value != "b" || got[1].Items[0].Value != "d" {
		t.Errorf("%+v", got)
	}
	if got, _ = takeMetadata([]Entry{{Key: "e"}, {Key: "unheard of"}}, rest); got[0].Items[0].Value != "e" || got[1].Items != nil {
		t.Errorf("%+v", got)
	}
	if got, _ := takeMetadata([]Entry{{Key: "a"}}, nil); got != nil {
		t.Errorf("%+v of a listing without", got)
	}
}
