package xmllist

import (
	"fmt"
	"strings"
)

// listForm is how one store writes a page: the elements of an object, and those before and after the objects.
type listForm struct {
	name         string
	before       string
	object       string // of a key number (%[1]d), an ETag (%[2]x) and a size (%[3]d)
	other        string // the form of every other object; empty: the same
	after        string
	withMetadata bool // the LIST asks for metadata
}

const (
	xmlDeclaration = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	rootTag        = `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`
	awsBefore      = xmlDeclaration + rootTag + `<Name>b</Name><Prefix></Prefix><NextContinuationToken>dG9rZW4</NextContinuationToken>` +
		`<KeyCount>1000</KeyCount><MaxKeys>1000</MaxKeys><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>`
	minioOwner = `<Owner><ID>02d6176db174dc93cb1b899f7c6078f08654445fe8cf1b6ce98d8855f66bdbf4</ID><DisplayName>minio</DisplayName></Owner>`
)

// listForms returns the forms of stores. The first one has the fewest elements.
func listForms() []listForm {
	return []listForm{
		{name: "basic", before: awsBefore, object: `<Contents><Key>data/2026/11/22/part-%08[1]d.parquet</Key>` +
			`<LastModified>2026-11-22T01:02:03.000Z</LastModified><ETag>&quot;%032[2]x&quot;</ETag><Size>%[3]d</Size>` +
			`<StorageClass>STANDARD</StorageClass></Contents>`},
		{name: "aws", before: awsBefore, object: `<Contents><Key>data/2026/11/22/part-%08[1]d.parquet</Key>` +
			`<LastModified>2026-11-22T01:02:03.000Z</LastModified><ETag>&quot;%032[2]x&quot;</ETag>` +
			`<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType><Size>%[3]d</Size>` +
			`<StorageClass>STANDARD</StorageClass></Contents>`},
		{name: "minio", before: awsBefore, object: `<Contents><Key>data/2026/11/22/part-%08[1]d.parquet</Key>` +
			`<LastModified>2026-11-22T01:02:03.004Z</LastModified><ETag>&#34;%032[2]x&#34;</ETag><Size>%[3]d</Size>` + minioOwner +
			`<StorageClass>STANDARD</StorageClass></Contents>`},
		{name: "versitygw", before: xmlDeclaration + rootTag, object: `<Contents><ETag>&#34;%032[2]x&#34;</ETag>` +
			`<Key>data/2026/11/22/part-%08[1]d.parquet</Key><LastModified>2026-11-22T01:02:03Z</LastModified><Size>%[3]d</Size>` +
			`<StorageClass>STANDARD</StorageClass></Contents>`, after: `<Delimiter></Delimiter><IsTruncated>false</IsTruncated>` +
			`<KeyCount>1000</KeyCount><MaxKeys>1000</MaxKeys><Name>b</Name><Prefix></Prefix>`},
		{name: "ceph", before: xmlDeclaration + rootTag + `<EncodingType>url</EncodingType><Name>b</Name><Prefix></Prefix>` +
			`<MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated>`, object: `<Contents><Key>data/2026/11/22/part-%08[1]d.parquet</Key>` +
			`<LastModified>2026-11-22T01:02:03.004Z</LastModified><ETag>&quot;%032[2]x&quot;</ETag><Size>%[3]d</Size>` +
			`<StorageClass>STANDARD</StorageClass><Owner><ID>user</ID><DisplayName>A User</DisplayName></Owner><Type>Normal</Type></Contents>`,
			after: `<NextContinuationToken>data</NextContinuationToken><KeyCount>1000</KeyCount>`},
		{name: "minio-metadata", withMetadata: true, before: awsBefore, object: `<Contents><Key>data/2026/11/22/part-%08[1]d.parquet</Key>` +
			`<LastModified>2026-11-22T01:02:03.004Z</LastModified><ETag>&#34;%032[2]x&#34;</ETag><Size>%[3]d</Size>` + minioOwner +
			`<StorageClass>STANDARD</StorageClass><UserMetadata><X-Amz-Meta-Owner>alice</X-Amz-Meta-Owner>` +
			`<X-Amz-Meta-Project>apollo-%[1]d</X-Amz-Meta-Project><content-type>application/octet-stream</content-type></UserMetadata>` +
			`<Internal><K>1</K><M>0</M></Internal></Contents>`,
			other: `<Contents><Key>data/2026/11/22/part-%08[1]d.parquet</Key>` +
				`<LastModified>2026-11-22T01:02:03.004Z</LastModified><ETag>&#34;%032[2]x&#34;</ETag><Size>%[3]d</Size>` + minioOwner +
				`<StorageClass>STANDARD</StorageClass><UserMetadata><X-Amz-Meta-Project>apollo-%[1]d</X-Amz-Meta-Project>` +
				`<content-type>application/octet-stream</content-type><X-Amz-Meta-Owner>alice</X-Amz-Meta-Owner></UserMetadata>` +
				`<Internal><K>1</K><M>0</M></Internal></Contents>`},
	}
}

// basicForm is the form with the fewest elements.
func basicForm() *listForm { return &listForms()[0] }

// page is a page of so many keys.
func (f *listForm) page(keys int) string {
	var b strings.Builder
	b.WriteString(f.before)
	for i := range keys {
		object := f.object
		if i%2 == 1 && f.other != "" {
			object = f.other
		}
		fmt.Fprintf(&b, object, i, i*7919, i*997)
	}
	b.WriteString(f.after + "</ListBucketResult>")
	return b.String()
}
