package xmllist

import (
	"fmt"
	"strings"
)

// listForm is the form in which a store writes a page.
type listForm struct {
	name         string
	before       string
	object       string // of the key number %[1]d, the ETag %[2]x and the size %[3]d
	other        string // the form of every other object; empty: the same
	after        string
	withMetadata bool // the LIST asks for metadata
}

const xmlDeclaration = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"

// The fields of objects.
const (
	keyField       = "<Key>data/2026/11/22/part-%08[1]d.parquet</Key>"
	dateField      = "<LastModified>2026-11-22T01:02:03.004Z</LastModified>"
	secondField    = "<LastModified>2026-11-22T01:02:03Z</LastModified>"
	awsETag        = "<ETag>&quot;%032[2]x&quot;</ETag>"
	goETag         = "<ETag>&#34;%032[2]x&#34;</ETag>"
	checksumFields = "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"
	sizeField      = "<Size>%[3]d</Size>"
	classField     = "<StorageClass>STANDARD</StorageClass>"
	minioOwner     = "<Owner><ID>02d6176db174dc93cb1b899f7c6078f08654445fe8cf1b6ce98d8855f66bdbf4</ID>" +
		"<DisplayName>minio</DisplayName></Owner>"
	minioFields   = keyField + dateField + goETag + sizeField + minioOwner + classField
	cephOwner     = "<Owner><ID>user</ID><DisplayName>A User</DisplayName></Owner><Type>Normal</Type>"
	metaOwner     = "<X-Amz-Meta-Owner>alice</X-Amz-Meta-Owner>"
	metaProject   = "<X-Amz-Meta-Project>apollo-%[1]d</X-Amz-Meta-Project>"
	contentType   = "<content-type>application/octet-stream</content-type>"
	minioInternal = "<Internal><K>1</K><M>0</M></Internal>"
)

// listForms returns the forms of stores. The first one has the fewest elements.
func listForms() []listForm {
	const (
		start    = xmlDeclaration + `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`
		names    = "<Name>b</Name><Prefix></Prefix>"
		token    = "<NextContinuationToken>dG9rZW4</NextContinuationToken>"
		counts   = "<KeyCount>1000</KeyCount><MaxKeys>1000</MaxKeys>"
		encoding = "<EncodingType>url</EncodingType>"
		more     = "<IsTruncated>true</IsTruncated>"
		before   = start + names + token + counts + encoding + more
	)
	object := func(fields ...string) string { return "<Contents>" + strings.Join(fields, "") + "</Contents>" }
	metadata := func(items ...string) string {
		return object(minioFields, "<UserMetadata>", strings.Join(items, ""), "</UserMetadata>", minioInternal)
	}
	return []listForm{
		{name: "basic", before: before, object: object(keyField, dateField, awsETag, sizeField, classField)},
		{name: "aws", before: before, object: object(keyField, dateField, awsETag, checksumFields, sizeField, classField)},
		{name: "minio", before: before, object: object(minioFields)},
		{
			name: "versitygw", before: start, object: object(goETag, keyField, secondField, sizeField, classField),
			after: "<Delimiter></Delimiter>" + more + counts + names + token,
		},
		{
			name: "ceph", before: start + encoding + names + more,
			object: object(keyField, dateField, awsETag, sizeField, classField, cephOwner), after: token + counts,
		},
		{
			name: "minio-metadata", withMetadata: true, before: before,
			object: metadata(metaOwner, metaProject, contentType), other: metadata(metaProject, contentType, metaOwner),
		},
	}
}

// basicForm returns the form with the fewest elements.
func basicForm() *listForm { return &listForms()[0] }

// page returns a page of so many keys.
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
