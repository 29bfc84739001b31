package s3sim

import "strconv"

// ListForm names a store whose ListBucketResult the Server imitates: its elements, their order and their spelling.
type ListForm string

// The forms, after the responses of these stores in 2026.
const (
	// ListAWS has ChecksumAlgorithm and ChecksumType between ETag and Size, as objects written by the SDKs of 2025 and
	// later have. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
	ListAWS ListForm = "aws"
	// ListMinIO writes quotes as &#34;, an Owner for each object, and EncodingType after the objects.
	ListMinIO ListForm = "minio"
	// ListVersitygw writes the objects first, ETag before Key, and times without fractions of a second. It ignores
	// encoding-type.
	ListVersitygw ListForm = "versitygw"
	// ListCeph writes an Owner and a Type for each object, and the token after the objects.
	ListCeph ListForm = "ceph"
)

// ListForms returns all forms.
func ListForms() []ListForm { return []ListForm{ListAWS, ListMinIO, ListVersitygw, ListCeph} }

// honoursEncodingType reports whether the store honours encoding-type.
func (f ListForm) honoursEncodingType() bool { return f != ListVersitygw }

// appendXML appends the page as a ListBucketResult.
func (p *page) appendXML(dst []byte, c *conn) []byte {
	dst = append(dst, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`...)
	for _, part := range c.srv.options.ListForm.parts() {
		dst = part(p, dst, c)
	}
	return append(dst, "</ListBucketResult>"...)
}

// appendPart appends one part of a ListBucketResult.
type appendPart = func(p *page, dst []byte, c *conn) []byte

// parts returns the parts of a page in their order. It returns an array, which needs no allocation.
func (f ListForm) parts() [6]appendPart {
	var (
		request, next, limits        = (*page).appendRequest, (*page).appendNext, (*page).appendLimits
		encoding, truncated, entries = (*page).appendEncoding, (*page).appendTruncated, (*page).appendEntries
	)
	switch f {
	case ListMinIO:
		return [...]appendPart{request, next, limits, truncated, entries, encoding}
	case ListVersitygw:
		return [...]appendPart{entries, limits, truncated, next, request, encoding}
	case ListCeph:
		return [...]appendPart{encoding, request, limits, truncated, entries, next}
	}
	return [...]appendPart{request, next, limits, encoding, truncated, entries}
}

const (
	usualChecksum = "<ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>"

	minioOwner = "<Owner><ID>02d6176db174dc93cb1b899f7c6078f08654445fe8cf1b6ce98d8855f66bdbf4</ID>" +
		"<DisplayName>minio</DisplayName></Owner>"
	cephOwnerAndType = "<Owner><ID>demo</ID><DisplayName>Demo User</DisplayName></Owner><Type>Normal</Type>"
)

// appendXML appends the elements of an object in the form of a store.
func (o Object) appendXML(dst []byte, form ListForm, days *dateTable, key []byte, q *listQuery) []byte {
	switch form {
	case ListMinIO:
		dst = appendElement(dst, "Key", key, q.urlEncode)
		dst = o.appendModifiedXML(dst, days, ".000Z")
		dst = o.appendETagXML(dst, "&#34;")
		dst = append(o.appendSizeXML(dst), minioOwner...)
		return o.appendClassXML(dst)
	case ListVersitygw:
		dst = o.appendETagXML(dst, "&#34;")
		dst = appendElement(dst, "Key", key, q.urlEncode)
		dst = o.appendModifiedXML(dst, days, "Z")
		return o.appendClassXML(o.appendSizeXML(dst))
	case ListCeph:
		dst = appendElement(dst, "Key", key, q.urlEncode)
		dst = o.appendModifiedXML(dst, days, ".000Z")
		dst = o.appendETagXML(dst, "&quot;")
		return append(o.appendClassXML(o.appendSizeXML(dst)), cephOwnerAndType...)
	}
	dst = append(dst, "<Key>"...)
	dst = append(appendText(dst, key, q.urlEncode), "</Key>"...)
	return o.appendAWSXML(dst, days, q)
}

// appendAWSXML appends the elements that an object has on AWS behind those that name it.
func (o Object) appendAWSXML(dst []byte, days *dateTable, q *listQuery) []byte {
	dst = o.appendModifiedXML(dst, days, ".000Z")
	if dst = o.appendETagXML(dst, "&quot;"); o.attributes {
		dst = o.checksum().appendXML(dst)
	} else {
		dst = append(dst, usualChecksum...)
	}
	dst = o.appendSizeXML(dst)
	if q.fetchOwner || !q.v2 {
		dst = append(dst, o.owner()...)
	}
	if dst = o.appendClassXML(dst); q.restoreStatus {
		dst = o.appendRestoreXML(dst)
	}
	return dst
}

func (o Object) appendSizeXML(dst []byte) []byte {
	dst = append(dst, "<Size>"...)
	return append(strconv.AppendInt(dst, o.Size(), 10), "</Size>"...)
}

func (o Object) appendClassXML(dst []byte) []byte {
	dst = append(dst, "<StorageClass>"...)
	return append(append(dst, o.StorageClass()...), "</StorageClass>"...)
}

func (o Object) appendModifiedXML(dst []byte, days *dateTable, end string) []byte {
	dst = append(dst, "<LastModified>"...)
	dst = append(days.appendISO(dst, o.modifiedSecond()), end...)
	return append(dst, "</LastModified>"...)
}

func (o Object) appendETagXML(dst []byte, quote string) []byte {
	dst = append(append(dst, "<ETag>"...), quote...)
	dst = append(o.appendETag(dst), quote...)
	return append(dst, "</ETag>"...)
}
