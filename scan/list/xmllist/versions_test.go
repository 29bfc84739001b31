package xmllist

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// versionsPage is a page as AWS writes it: versions and delete markers in one order, and the markers of the next page.
const versionsPage = xmlDeclaration + `<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
	`<Name>b</Name><Prefix>a+b</Prefix><KeyMarker/><VersionIdMarker/><NextKeyMarker>a+c</NextKeyMarker>` +
	`<NextVersionIdMarker>null</NextVersionIdMarker><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType>` +
	`<IsTruncated>true</IsTruncated>` +
	`<DeleteMarker><Key>a+b</Key><VersionId>m1</VersionId><IsLatest>true</IsLatest>` +
	`<LastModified>2026-11-22T01:02:04.000Z</LastModified><Owner><ID>o</ID></Owner></DeleteMarker>` +
	`<Version><Key>a+b</Key><VersionId>v%2B1</VersionId><IsLatest>false</IsLatest>` +
	`<LastModified>2026-11-22T01:02:03.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>3</Size>` +
	`<Owner><ID>o</ID></Owner><StorageClass>STANDARD</StorageClass></Version>` +
	`<Version><Key>a+c</Key><IsLatest>true</IsLatest><Size>0</Size></Version></ListVersionsResult>`

func TestDecodeReadsVersions(t *testing.T) {
	const bytesMax = 1 << 20
	want := &Listing{
		Prefix: "a+b", KeyCount: -1, Truncated: true, KeysDeclared: true, NextToken: "a c", NextVersion: "null",
		Entries: []Entry{
			{
				Key: "a b", Encoded: "a+b", LastModified: "2026-11-22T01:02:04.000Z", Size: -1,
				Details: &Details{VersionID: "m1", IsLatest: true, DeleteMarker: true},
			},
			{
				Key: "a b", Encoded: "a+b", ETag: "e", LastModified: "2026-11-22T01:02:03.000Z", Size: 3,
				StorageClass: "STANDARD", Details: &Details{VersionID: "v%2B1"}, // an ID is never encoded
			},
			{Key: "a c", Encoded: "a+c", Details: &Details{VersionID: "null", IsLatest: true}},
		},
	}
	for _, window := range []int{len(versionsPage) + 1, 1} { // the fast scanner, and encoding/xml
		got, err := newDecoder(window).decode(strings.NewReader(versionsPage), Asked{Versions: true}, bytesMax)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("in a window of %d bytes: %v\n got %s\nwant %s", window, err, show(got, nil), show(want, nil))
		}
	}
	d := newDecoder(len(versionsPage) + 1)
	d.open(strings.NewReader(versionsPage), bytesMax)
	d.asked = Asked{Versions: true}
	if !d.scan() {
		t.Errorf("encoding/xml is needed after %d of %d bytes", d.offset(), len(versionsPage))
	}
}

// A listing of another kind than was asked for is no listing: it would lack versions, or list delete markers as
// objects. The next page has nothing of the page before.
func TestDecodeRefusesTheOtherKind(t *testing.T) {
	d := newDecoder(1 << 10)
	for _, c := range []struct {
		body  string
		asked Asked
		want  string // the error; empty: none
	}{
		{versionsPage, Asked{Versions: true}, ""},
		{versionsPage, Asked{}, "not a ListBucketResult but <ListVersionsResult>"},
		{whole, Asked{}, ""},
		{whole, Asked{Versions: true}, "not a ListVersionsResult but <ListBucketResult>"},
		{
			"<ListVersionsResult><Contents><Key>a</Key></Contents></ListVersionsResult>", Asked{Versions: true},
			"unsupported XML: <Contents> among versions at byte 30",
		},
	} {
		l, err := d.decode(strings.NewReader(c.body), c.asked, BodyBytesMax)
		if got := fmt.Sprint(err); got != c.want && (err != nil || c.want != "") {
			t.Errorf("%.50s: %v, want %q", c.body, err, c.want)
		}
		if err == nil && !c.asked.Versions && l.Entries[0].Details != nil {
			t.Errorf("%+v is a version", l.Entries[0])
		}
	}
}
