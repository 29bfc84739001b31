package s3sim

import (
	"bytes"
	"strconv"
	"time"
)

// Annotation is an annotation of an object, without its content.
type Annotation struct {
	Name         string
	ETag         string // with its quotes
	Size         int64
	LastModified time.Time
}

// annotationsMax is the limit of annotations in S3, and of those on a page.
const annotationsMax = 1000

// Annotations returns the annotations of an object in the order of their names: none, or for one in three objects up to
// Options.Annotations. An object that a customer's key encrypts has none.
func (s *Server) Annotations(o Object) []Annotation {
	if s.options.Annotations == 0 || !o.oneIn(3, saltAnnotations) || s.needsCustomerKey(o) {
		return nil
	}
	annotations := make([]Annotation, 1+mix(o.hash, saltAnnotationCount)%uint64(s.options.Annotations))
	for i := range annotations {
		h := mix(o.hash+uint64(i), saltAnnotation)
		annotations[i] = Annotation{
			Name:         "note-" + string(appendDigits(nil, int64(i), 4)) + pick(h, saltTagTeam, "", ".json", " é&<"),
			ETag:         `"` + string(appendHex64(appendHex64(nil, h), mix(h, saltETagLow))) + `"`,
			Size:         1 + int64(h%objectBytesMax),
			LastModified: o.LastModified().Add(time.Duration(i) * time.Minute),
		}
	}
	return annotations
}

// annotationQuery is the decoded query of ListObjectAnnotations. The SDK of Go names its parameters.
type annotationQuery struct {
	prefix, token []byte
	most          int64
}

// setParameter stores one parameter. It returns false when S3 would refuse the value.
func (q *annotationQuery) setParameter(name string, value []byte) bool {
	switch name {
	case "annotation-prefix":
		q.prefix = value
	case "continuation-token":
		q.token = value
		return len(value) > 0
	case "max-annotation-results":
		n, ok := parseDigits(value)
		q.most = min(n, annotationsMax)
		return ok && n > 0
	}
	return true
}

// page returns the annotations of a page, and the token of the next page; nil: this is the last.
func (q *annotationQuery) page(all []Annotation) (page []Annotation, next []byte) {
	for _, a := range all {
		if !bytes.HasPrefix([]byte(a.Name), q.prefix) || a.Name <= string(q.token) {
			continue
		}
		if int64(len(page)) == q.most {
			return page, []byte(page[len(page)-1].Name)
		}
		page = append(page, a)
	}
	return page, nil
}

// annotationsError returns the error of every ListObjectAnnotations, or codeNone.
func (s *Server) annotationsError() errorCode {
	if s.options.Annotations == 0 {
		return codeNotImplemented
	}
	return codeNone
}

// annotations answers ListObjectAnnotations.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectAnnotations.html
func (c *conn) annotations(r *request) {
	o, ok := c.lookup(r, opAnnotations)
	if !ok {
		return
	}
	q := &c.annotation
	page, next := q.page(c.srv.Annotations(o))
	c.beginHead(opAnnotations, 200)
	if o.place != nil {
		c.out = appendHeader(c.out, "x-amz-object-version-id", o.VersionID())
	}
	c.endXML(r, func(dst []byte) []byte {
		dst = append(dst, `<ListObjectAnnotationsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`...)
		dst = appendElement(dst, "Bucket", []byte(c.srv.options.Bucket), false)
		dst = appendElement(dst, "Key", c.key, false)
		dst = appendElement(dst, "AnnotationPrefix", q.prefix, false)
		if q.token != nil {
			dst = appendElement(dst, "ContinuationToken", q.token, false)
		}
		if next != nil {
			dst = appendElement(dst, "NextContinuationToken", next, false)
		}
		dst = appendIntElement(dst, "MaxAnnotationResults", int(q.most))
		dst = appendIntElement(dst, "AnnotationCount", len(page))
		dst = append(dst, "<Annotations>"...)
		for _, a := range page {
			dst = a.appendXML(dst)
		}
		return append(dst, "</Annotations></ListObjectAnnotationsResult>"...)
	})
}

func (a Annotation) appendXML(dst []byte) []byte {
	dst = append(dst, "<AnnotationEntry>"...)
	dst = appendElement(dst, "AnnotationName", []byte(a.Name), false)
	dst = append(dst, "<LastModified>"...)
	dst = a.LastModified.AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	dst = append(dst, "</LastModified><Size>"...)
	dst = strconv.AppendInt(dst, a.Size, 10)
	dst = append(dst, "</Size><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>"...)
	dst = appendElement(dst, "ETag", []byte(a.ETag), false)
	return append(dst, "</AnnotationEntry>"...)
}
