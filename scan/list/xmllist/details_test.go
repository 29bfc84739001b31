package xmllist

import (
	"reflect"
	"strings"
	"testing"
)

// detailsPage is a page with what AWS says where a LIST asks for it, in two orders, and with elements that are empty.
const detailsPage = xmlDeclaration + `<ListBucketResult><IsTruncated>false</IsTruncated>` +
	`<Contents><Key>a</Key><Size>1</Size><ChecksumAlgorithm>CRC32</ChecksumAlgorithm>` +
	`<ChecksumAlgorithm>SHA256</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>` +
	`<Owner><ID>0123</ID><DisplayName>alice &amp; co</DisplayName></Owner>` +
	`<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress>` +
	`<RestoreExpiryDate>2012-12-21T00:00:00.000Z</RestoreExpiryDate></RestoreStatus></Contents>` +
	`<Contents><RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>` +
	`<Owner><DisplayName>bob</DisplayName><ID>4567</ID><Other><ID>x</ID></Other></Owner><Key>b</Key><Size>2</Size></Contents>` +
	`<Contents><Key>c</Key><Size>3</Size><Owner><ID>89</ID><DisplayName/></Owner><ChecksumType/></Contents>` +
	`<Contents><Key>d</Key><Size>4</Size></Contents></ListBucketResult>`

func TestDecodeReadsDetails(t *testing.T) {
	restored := `ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"`
	want := []Entry{
		{Key: "a", Size: 1, Details: &Details{
			Owner: "alice & co", ChecksumAlgorithm: "CRC32,SHA256", ChecksumType: "FULL_OBJECT",
			Headers: []DetailHeader{{"x-amz-restore", restored}},
		}},
		{Key: "b", Size: 2, Details: &Details{
			Owner: "bob", Headers: []DetailHeader{{"x-amz-restore", `ongoing-request="true"`}},
		}},
		{Key: "c", Size: 3, Details: &Details{Owner: "89"}},
		{Key: "d", Size: 4, Details: &Details{}},
	}
	for _, window := range []int{len(detailsPage) + 1, 1} { // the fast scanner, and encoding/xml
		l, err := newDecoder(window).decode(strings.NewReader(detailsPage), Asked{Details: true}, 1<<20)
		if err != nil || !reflect.DeepEqual(l.Entries, want) {
			t.Errorf("in a window of %d bytes: %v\n got %s", window, err, show(l, nil))
		}
	}
	d := newDecoder(len(detailsPage) + 1)
	d.open(strings.NewReader(detailsPage), 1<<20)
	d.asked = Asked{Details: true}
	if !d.scan() {
		t.Errorf("encoding/xml is needed after %d of %d bytes", d.offset(), len(detailsPage))
	}
	l, err := newDecoder(len(detailsPage)+1).decode(strings.NewReader(detailsPage), Asked{}, 1<<20)
	if err != nil || l.Entries[0].Details != nil {
		t.Errorf("details that nobody asked for: %v, %v", l.Entries[0].Details, err)
	}
}

// The details of versions are beside what makes them versions.
func TestDecodeReadsDetailsOfVersions(t *testing.T) {
	for _, window := range []int{len(versionsPage) + 1, 1} {
		asked := Asked{Versions: true, Details: true}
		l, err := newDecoder(window).decode(strings.NewReader(versionsPage), asked, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if d := l.Entries[0].Details; d.VersionID != "m1" || !d.DeleteMarker || d.Owner != "o" {
			t.Errorf("in a window of %d bytes: %+v", window, d)
		}
	}
}
