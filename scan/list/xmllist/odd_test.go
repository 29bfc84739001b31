package xmllist

import (
	"slices"
	"strings"
	"testing"
)

// oddPieces are pieces that break an XML document, and pieces that only look so.
func oddPieces() []string {
	return slices.Concat(textPieces(),
		[]string{ // tags
			"<", "<>", "</", "</>", "/>", "<a>", "</a>", "<a/>", "<a />", "<a / >", "<a/", "<a></a>", "<a></b>",
			"<a></a >", "<a></a\n\t>", "<a></ a>", "<a></a b>", "<a></a/>", "< a/>", "<1/>", "<-/>", "<./>",
			"<a-1.2_b/>", "<_/>", "<:/>", "<:a/>", "<a:/>", "<a:b/>", "<a:b></b>", "<a:b></c:b>", "<a:b:c/>", "<é/>",
			"<a\x00/>",
		},
		[]string{ // attributes
			"<a b/>", "<a b=c/>", "<a b=cdc/>", `<a b?"c"/>`, "<a b='c/>", `<a b"c"/>`, `<a b="c"d='e'/>`,
			`<a b = "c" />`, `<a b="<"/>`, `<a b="]]>"/>`, `<a b="&no;"/>`, `<a b="&lt;>/>"/>`, "<a b='\xff'/>",
			"<a b='\x01'/>", "<a b='\r\n'/>", `<a 1="b"/>`, `<a b:c:d="e"/>`, `<a ="b"/>`,
		},
		[]string{ // comments and declarations
			"<!", "<!>", "<!-", "<!-->", "<!--->", "<!---->", "<!-- - -->", "<!-- -- -->", "<!-- --->", "<!--->-->",
			"<!--\xff\x01&no;<-->", "-->", "<!- -->", "<!x-- -->", "<!DOCTYPE a>", "<!ENTITY a 'b'>",
		},
		[]string{ // CDATA
			"<![CDATA[]]>", "<![CDATA[", "<![CDATA[]>", "<![CDAT[]]>", "<![cdata[]]>", "<![CDATA[<&]]]>",
			"<![CDATA[\r\n]]>", "<![CDATA[\xff]]>", "<![CDATA[\x01]]>",
		},
		[]string{ // instructions, and a byte order mark
			"<?", "<?>", "<??>", "<?a", "<?a>", "<?a?>", "<?a b='\xff\x01&?>", "<? a?>", "<?1?>", "<?xml?>",
			"<?xml version='1.0'?>", `<?xml version="1.0"encoding="utf-8"?>`, "<?xml version='1.1'?>",
			"<?xml version='1.0\"?>", "<?xml encoding='UTF-8'?>", "<?xml encoding='Utf-8'?>",
			"<?xml encoding='latin1'?>", "<?xml encoding=''?>", "<?xml version='1.0 encoding=utf-8'?>",
			"<?xml version='1.0'\tstandalone='no' ?>", "<?xml standalone='version=\"2.0\"'?>",
			"<?xml-stylesheet href='a'?>", "<?XML version='2'?>", "\uFEFF",
		},
		[]string{ // keys
			"<Key>", "</Key>", "<Key/>", "<Key>a</Key>", "<Contents/>", "<Contents/><Key>a</Key>",
			"<Owner><Key>a</Key></Owner>", "<key>a</key>",
		},
		[]string{ // ETags
			"<ETag>&quot;a&quot;</ETag>", "<ETag>&#34;a&#34;</ETag>", "<ETag>&quot;a&#34;</ETag>",
			"<ETag>&quot;\"a\"&quot;</ETag>", "<ETag>&quot;W/a&quot;</ETag>", "<ETag>W/&quot;a&quot;</ETag>",
			"<ETag>&#34;a</ETag>", "<ETag>&quot;&quot;</ETag>", "<ETag>\"</ETag>", "<ETag>W/</ETag>",
			"<ETag>W/W/a</ETag>", "<ETag a='b'>&quot;a&quot;</ETag>", "<ETag>&quot;a&quot; </ETag>",
		},
		[]string{ // sizes
			"<Size>1</Size>", "<Size>12</Size>", "<Size>+1</Size>", "<Size>-1</Size>", "<Size>-0</Size>", "<Size/>",
			"<Size>1 </Size>", "<Size>1_0</Size>", "<Size>0x1</Size>", "<Size>999999999999999999</Size>",
			"<Size>9223372036854775807</Size>", "<Size>9223372036854775808</Size>", "<Size>1a</Size>",
			"<Size>a1</Size>", "<Size>&#49;</Size>", "<Size>1<!-- -->2</Size>",
		},
		[]string{ // other fields
			"<StorageClass/>", "<StorageClass>S</StorageClass>", "<StorageClass>T</StorageClass>",
			"<LastModified>a&amp;b</LastModified>", "<LastModified>]]></LastModified>",
			"<LastModified>a<LastModified/></LastModified>", "<UserMetadata/>", "<X-Amz-Meta-B/>",
			"<UserMetadata><X-Amz-Meta-A>v</X-Amz-Meta-A></UserMetadata>", "<X-Amz-Meta-C>v</X-Amz-Meta-C>",
			"<Owner>o</Owner>", "<Owner>p</Owner>",
		},
		[]string{ // fields beside the objects
			"<IsTruncated>true</IsTruncated>", "<IsTruncated> true\n</IsTruncated>",
			"<IsTruncated>\u0085true\u00a0</IsTruncated>", "<IsTruncated>True</IsTruncated>", "<IsTruncated/>",
			"<EncodingType>url</EncodingType>", "<EncodingType> url</EncodingType>", "<EncodingType/>",
			"<NextMarker>a%2</NextMarker>", "<NextMarker>a%2Bb+c</NextMarker>",
			"<NextContinuationToken>a%2Bb+c</NextContinuationToken>", "<NextContinuationToken/>",
		},
		[]string{ // versions
			"<VersionId>v</VersionId>", "<VersionId/>", "<VersionId>%2</VersionId>", "<IsLatest>True</IsLatest>",
			"<IsLatest/>", "<IsLatest> true</IsLatest>", "<DeleteMarker/>", "<Version/>",
			"<DeleteMarker><Key>a</Key><IsLatest>true</IsLatest><VersionId>d</VersionId></DeleteMarker>",
			"<Version><Key>a</Key></DeleteMarker>", "<NextVersionIdMarker>v</NextVersionIdMarker>",
			"<NextVersionIdMarker/>",
		},
		[]string{ // escapes of a key
			"%", "%4", "%zz", "%4g", "%g4", "%41", "%+4", "+",
		},
	)
}

// Every odd piece is put at every place of a document.
func TestDecodeReadsOddPiecesAsItsTwin(t *testing.T) {
	listing := func(inner string) string { return "<ListBucketResult>" + inner + "</ListBucketResult>" }
	object := func(inner string) string { return "<Contents>" + inner + "</Contents>" }
	places := []string{
		"@", "@" + whole, whole + "@", "<@/>", "<@></@>", "<ListBucketResult@></ListBucketResult>", "<ListBucketResult/>@",
		"<x><ListBucketResult/></x>@", "<html><Key>k</Key>@t</html>",
		"<Error>@<Code>c</Code></Error>", "<Error><Code>@</Code><Message>m@</Message><RequestId>@r</RequestId></Error>",
		listing("@"), listing(object("@")), listing(object("<Key>@</Key>")), listing(object("<Key>k</Key>@")),
		listing(object("<Key>k@</Key><ETag>&quot;a@&quot;</ETag>")),
		listing("<Owner>@</Owner>" + object("<Owner><ID>@</ID></Owner><Key>k</Key>")),
		listing("<EncodingType>url</EncodingType>" + object("<Key>k%20+@</Key>") + object("<Key>@k</Key>")),
		listing(object("<Key>j</Key>") + object("<Key>k</Key>@<StorageClass>S</StorageClass>")),
		listing(object("<StorageClass>S</StorageClass><Key>j</Key>") + object("<StorageClass>S</StorageClass>@<Key>k</Key>")),
		listing(object("<Owner>o</Owner><Key>j</Key>") + object("<Owner>o</Owner>@<Key>k</Key>")),
		listing(object("<Key>k</Key><UserMetadata>@<X-Amz-Meta-A>@</X-Amz-Meta-A></UserMetadata>@")),
	}
	for _, place := range places {
		for _, piece := range oddPieces() {
			for _, piece := range []string{piece, "<a>" + piece + "</a>", piece + "<StorageClass>T</StorageClass>"} {
				if err := compareWithTwin([]byte(strings.ReplaceAll(place, "@", piece))); err != nil {
					t.Errorf("%q in %s: %v", piece, place, err)
				}
			}
		}
	}
}
