package xmllist

import (
	"fmt"
	"io"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// speller writes a document in one of its equivalent spellings, as a list of pieces.
type speller struct {
	t      *rapid.T
	plain  bool // spell as S3 does
	pieces []string
}

func (s *speller) write(pieces ...string) { s.pieces = append(s.pieces, pieces...) }

// rarely is true one time in eight: a document that is odd everywhere would miss the paths that nearly all listings
// take.
func (s *speller) rarely() bool { return !s.plain && rapid.IntRange(0, 7).Draw(s.t, "rarely") == 0 }

func (s *speller) oneOf(choices ...string) string {
	return rapid.SampledFrom(choices).Draw(s.t, "one of")
}

// aside writes pieces that may be anywhere between tags.
func (s *speller) aside() {
	for s.rarely() {
		s.write(s.oneOf(" ", "\n", "\r\n\t", "<!-- <Key>no</Key> & -->", "<!---->", "<?php <Key>no</Key> ?>"))
	}
}

// element writes an element. Between its tags, write writes.
func (s *speller) element(name string, write func()) {
	if s.rarely() {
		name = "s3:" + name
	}
	attributes := ""
	if s.rarely() {
		attributes = s.oneOf(" ", "\n", ` a="b"`, ` xmlns:s3 = 'http://s3.amazonaws.com/doc/' `, ` a=">/>" b='"'`,
			` a="&amp;"b='&#65;'`)
	}
	start := len(s.pieces)
	s.write("<" + name + attributes + ">")
	write()
	if len(s.pieces) == start+1 && !s.plain && rapid.Bool().Draw(s.t, "self-closing") {
		s.pieces[start] = "<" + name + attributes + "/>"
		return
	}
	if s.rarely() {
		name += "\r\n "
	}
	s.write("</" + name + ">")
}

// text writes a text as S3 does, or each character in one of its spellings.
func (s *speller) text(text string) {
	if s.plain || rapid.Bool().Draw(s.t, "as S3 does") {
		s.write(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#13;").Replace(text))
		return
	}
	for _, r := range text {
		ways := []string{fmt.Sprintf("&#%d;", r), fmt.Sprintf("&#x%x;", r), fmt.Sprintf("&#x000%X;", r)}
		switch r {
		case '&':
			ways = append(ways, "&amp;", "<![CDATA[&]]>")
		case '<':
			ways = append(ways, "&lt;", "<![CDATA[<]]>")
		case '>':
			ways = append(ways, "&gt;", "<![CDATA[>]]>")
		case '"':
			ways = append(ways, `"`, `"`, `"`, "&quot;", "<!-- and -->\"")
		case '\'':
			ways = append(ways, "'", "&apos;")
		case '\n':
			ways = append(ways, "\n", "\r\n", "\r<!-- -->", "<![CDATA[\r\n]]>")
		case '\r':
		default:
			plain := string(r)
			odd := []string{"<![CDATA[" + plain + "]]>", plain + "<?a?>", ways[0], ways[1]}
			ways = append(slices.Repeat([]string{plain}, 6), odd...)
			if !s.rarely() {
				ways = ways[:1]
			}
		}
		s.write(s.oneOf(ways...))
	}
}

func (s *speller) field(name, text string) {
	s.aside()
	s.element(name, func() { s.text(text) })
}

// nastyText draws a text that XML can carry.
func nastyText(t *rapid.T, label string) string {
	alphabet := []rune("aZ09/._- &<>\"']%+;#\t\n\ré日\u0085\U0001f600\uFFFD\uE000\U0010FFFF")
	return rapid.StringOfN(rapid.SampledFrom(alphabet), 1, 12, -1).Draw(t, label)
}

// listing draws a Listing and writes it in one of its spellings.
func (s *speller) listing() (want *Listing) {
	t := s.t
	want = &Listing{
		Truncated: rapid.Bool().Draw(t, "truncated"), KeysDeclared: rapid.Bool().Draw(t, "declared"), Entries: []Entry{},
		KeyCount: rapid.IntRange(-1, 3).Draw(t, "count"),
	}
	for range rapid.IntRange(0, 2).Draw(t, "prefixes") {
		want.Prefixes = append(want.Prefixes, Entry{Key: nastyText(t, "prefix"), Size: -1, CommonPrefix: true})
	}
	for range rapid.IntRange(0, 4).Draw(t, "objects") {
		e := Entry{Key: nastyText(t, "key"), Size: rapid.Int64Min(-1).Draw(t, "size")}
		if want.KeysDeclared && s.rarely() {
			e.Key = string(rapid.SliceOfN(rapid.Byte(), 1, 9).Draw(t, "any key"))
		}
		if rapid.Bool().Draw(t, "dated") {
			e.LastModified = s.oneOf("2026-11-22T01:02:03.004Z", "yesterday")
		}
		if rapid.Bool().Draw(t, "tagged") {
			e.ETag = s.oneOf("d41d8cd98f00b204e9800998ecf8427e", "x-12", "é&", `a"b`, "W/a")
		}
		if rapid.Bool().Draw(t, "classed") {
			e.StorageClass = s.oneOf("STANDARD", "STANDARD", "GLACIER", "a&b")
		}
		want.Entries = append(want.Entries, e)
	}
	if want.Truncated {
		want.NextToken = nastyText(t, "token")
	}
	v1 := rapid.Bool().Draw(t, "v1")

	parts := []func(){
		func() { s.field("IsTruncated", fmt.Sprint(want.Truncated)) },
		func() { s.field("Name", nastyText(t, "name")) },
		func() {
			for _, e := range want.Prefixes {
				s.aside()
				s.element("CommonPrefixes", func() {
					s.field("Prefix", s.key(e.Key, want.KeysDeclared))
					if s.rarely() {
						s.field("Key", "no")
					}
				})
			}
		},
		func() {
			if want.KeyCount >= 0 {
				s.field("KeyCount", fmt.Sprint(want.KeyCount))
			}
		},
		func() {
			for _, e := range want.Entries {
				s.aside()
				s.element("Contents", func() { s.contents(e, want.KeysDeclared) })
			}
		},
	}
	if want.KeysDeclared {
		parts = append(parts, func() { s.field("EncodingType", "url") })
	}
	if want.Truncated && v1 {
		parts = append(parts, func() { s.field("NextMarker", s.key(want.NextToken, want.KeysDeclared)) })
	} else if want.Truncated {
		parts = append(parts, func() { s.field("NextContinuationToken", want.NextToken) })
	}
	s.write(s.oneOf("", "\uFEFF", "\n"))
	s.write(s.oneOf("", `<?xml version="1.0" encoding="UTF-8"?>`,
		`<?xml version='1.0' encoding='utf-8' standalone="yes" ?>`))
	s.aside()
	s.element("ListBucketResult", func() {
		for _, part := range rapid.Permutation(parts).Draw(t, "parts") {
			part()
		}
		s.aside()
	})
	s.aside()
	return want
}

// otherDocument writes a document that may come instead of a listing.
func (s *speller) otherDocument() {
	s.aside()
	if rapid.Bool().Draw(s.t, "error") {
		s.element("Error", func() {
			names := []string{"Code", "Message", "Key", "RequestId", "HostId"}
			for _, name := range rapid.Permutation(names).Draw(s.t, "fields") {
				s.field(name, nastyText(s.t, name))
			}
			s.aside()
		})
	} else {
		s.element("html", func() {
			s.field("Key", "no")
			s.text("It works!")
			s.element("Contents", s.aside)
		})
	}
	s.aside()
}

// contents writes the fields of an object in any order, and other fields among them.
func (s *speller) contents(e Entry, encoded bool) {
	fields := []func(){
		func() { s.field("Key", s.key(e.Key, encoded)) },
		func() { s.aside(); s.element("Owner", func() { s.field("ID", "no"); s.field("Key", "no") }) },
		func() { s.field("ChecksumAlgorithm", "CRC32") },
	}
	if e.LastModified != "" || s.rarely() {
		fields = append(fields, func() { s.field("LastModified", e.LastModified) })
	}
	if e.ETag != "" || s.rarely() {
		fields = append(fields, func() { s.field("ETag", s.oneOf(`"`, `"`, `"`, `W/"`, `""`)+e.ETag+`"`) })
	}
	if e.Size >= 0 || s.rarely() {
		size := fmt.Sprint(e.Size)
		if e.Size < 0 {
			size = s.oneOf("", " ", "\n")
		}
		fields = append(fields, func() { s.field("Size", size) })
	}
	if e.StorageClass != "" || s.rarely() {
		fields = append(fields, func() { s.field("StorageClass", e.StorageClass) })
	}
	if !s.plain {
		fields = rapid.Permutation(fields).Draw(s.t, "fields")
	}
	for _, field := range fields {
		field()
	}
	s.aside()
}

// key returns a key as a store writes it.
func (s *speller) key(key string, encoded bool) string {
	if encoded {
		return strings.ReplaceAll(url.QueryEscape(key), "%2F", s.oneOf("/", "%2f"))
	}
	return key
}

// Neither the spelling of a listing nor the size of the reads changes its meaning.
func TestDecodeReadsEverySpelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &speller{t: t, plain: rapid.Bool().Draw(t, "plain")}
		want := s.listing()
		body := strings.Join(s.pieces, "")
		got, err := newDecoder(rapid.IntRange(1, 300).Draw(t, "window")).decode(&parts{t, body}, Asked{}, BodyBytesMax)
		got.forgetSpelling()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\nis %+v, %v\nwant %+v", body, got, err, want)
		}
		if err := compareWithTwin([]byte(body)); err != nil {
			t.Fatal(err)
		}
	})
}

// A broken listing is refused, unless the twin accepts it too.
func TestDecodeRefusesAsItsTwin(t *testing.T) {
	odd := oddPieces()
	rapid.Check(t, func(t *rapid.T) {
		s := &speller{t: t, plain: rapid.Bool().Draw(t, "plain")}
		if rapid.IntRange(0, 3).Draw(t, "document") > 0 {
			s.listing()
		} else {
			s.otherDocument()
		}
		for range rapid.IntRange(0, 3).Draw(t, "edits") {
			i := rapid.IntRange(0, len(s.pieces)-1).Draw(t, "at")
			switch rapid.IntRange(0, 4).Draw(t, "edit") {
			case 0:
				s.pieces = append(slices.Delete(s.pieces, i, i+1), "")
			case 1:
				s.pieces = slices.Insert(s.pieces, i, s.pieces[rapid.IntRange(0, len(s.pieces)-1).Draw(t, "copied")])
			case 2:
				s.pieces = slices.Insert(s.pieces, i, rapid.SampledFrom(odd).Draw(t, "odd"))
			case 3:
				s.pieces[i] = s.pieces[i][:rapid.IntRange(0, len(s.pieces[i])).Draw(t, "shortened")]
			case 4:
				s.pieces = s.pieces[:i+1]
			}
		}
		if err := compareWithTwin([]byte(strings.Join(s.pieces, ""))); err != nil {
			t.Fatal(err)
		}
	})
}

// parts is a Reader that returns a text in parts of any size.
type parts struct {
	t    *rapid.T
	text string
}

func (p *parts) Read(b []byte) (int, error) {
	n := min(len(b), len(p.text), rapid.IntRange(0, 40).Draw(p.t, "read"))
	copy(b, p.text[:n])
	p.text = p.text[n:]
	if p.text == "" && rapid.Bool().Draw(p.t, "end") {
		return n, io.EOF
	}
	return n, nil
}
