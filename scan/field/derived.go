package field

import (
	"bytes"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"headcount/scan"
	"headcount/scan/head"
	"headcount/scan/list"
)

// Headers of which several Fields are made.
const (
	sseHeader         = "x-amz-server-side-encryption"
	sseCustomerHeader = "x-amz-server-side-encryption-customer-algorithm"
	restoreHeader     = "x-amz-restore"
	checksumPrefix    = "x-amz-checksum-"
)

// appendEncryptionStatus appends the encryption in the words of S3 Inventory. A value for which Inventory has no word
// stays as it is. https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html
func appendEncryptionStatus(dst []byte, r *scan.Record) ([]byte, bool) {
	encryption, customer := r.Header(sseHeader), r.Header(sseCustomerHeader)
	_, isHeadSent := r.Metadata()
	switch {
	case len(customer) > 0:
		return append(dst, "SSE-C"...), true
	case encryption == nil && !isHeadSent:
		if d := r.Details(); d != nil && d.EncryptionStatus != "" {
			return append(dst, d.EncryptionStatus...), true
		}
		return dst, false
	case len(encryption) == 0:
		return append(dst, "NOT-SSE"...), true
	}
	switch string(encryption) {
	case "AES256":
		return append(dst, "SSE-S3"...), true
	case "aws:kms":
		return append(dst, "SSE-KMS"...), true
	case "aws:kms:dsse":
		return append(dst, "DSSE-KMS"...), true
	}
	return append(dst, encryption...), true
}

// DerivedFrom returns the header of which the value of encryption_status, or of restore_expiry, was made; none for an
// object without encryption.
func DerivedFrom(name, value string) ([]list.DetailHeader, error) {
	if name == "restore_expiry" {
		at, err := time.Parse(time.RFC3339, value)
		text := `ongoing-request="false", expiry-date="` + at.UTC().Format(http.TimeFormat) + `"`
		return []list.DetailHeader{{Name: restoreHeader, Value: text}}, err
	}
	switch value {
	case "NOT-SSE":
		return nil, nil
	case "SSE-C":
		return []list.DetailHeader{{Name: sseCustomerHeader, Value: "AES256"}}, nil
	case "SSE-S3":
		value = "AES256"
	case "SSE-KMS":
		value = "aws:kms"
	case "DSSE-KMS":
		value = "aws:kms:dsse"
	}
	return []list.DetailHeader{{Name: sseHeader, Value: value}}, nil
}

// partsCount returns the number of parts. AWS says it only in the ETag, whose text after the hyphen it is.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html (PartsCount)
func partsCount(r *scan.Record) (n int64, said bool) {
	if n, said := r.HeaderInt("x-amz-mp-parts-count"); said {
		return n, true
	}
	var buffer [48]byte
	etag, _ := r.AppendETag(buffer[:0])
	const hashDigits = 32 // of an MD5
	if len(etag) < hashDigits+2 || etag[hashDigits] != '-' {
		return 0, false
	}
	for _, c := range etag[hashDigits+1:] {
		if c < '0' || c > '9' || n > 1e6 {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, n > 0
}

// restoreExpiry returns the date in a value such as
//
//	ongoing-request="false", expiry-date="Fri, 21 Dec 2012 00:00:00 GMT"
func restoreExpiry(r *scan.Record) (at time.Time, said bool) {
	_, rest, said := bytes.Cut(r.Header(restoreHeader), []byte(`expiry-date="`))
	date, _, ends := bytes.Cut(rest, []byte{'"'})
	if !said || !ends {
		return time.Time{}, false
	}
	at, err := http.ParseTime(string(date))
	return at.UTC(), err == nil
}

func appendRestoreExpiry(dst []byte, r *scan.Record) ([]byte, bool) {
	at, said := restoreExpiry(r)
	if !said {
		return dst, false
	}
	return at.AppendFormat(dst, time.RFC3339), true
}

// checksums returns the checksums by the names of their algorithms. said is false where there are none.
func checksums(r *scan.Record) (sums scan.Map, said bool) {
	for _, h := range r.Headers() {
		name, isChecksum := bytes.CutPrefix(h.Name, []byte(checksumPrefix))
		if isChecksum && string(name) != "type" && string(name) != "algorithm" {
			sums = append(sums, head.Header{Name: name, Value: h.Value})
		}
	}
	return mapOf(sums), len(sums) > 0
}

// appendChecksumType appends the type that the HEAD says where it was asked for checksums, or that the LIST says.
func appendChecksumType(dst []byte, r *scan.Record) ([]byte, bool) {
	if text := r.Header(checksumPrefix + "type"); text != nil {
		return append(dst, text...), true
	}
	return appendDetail(func(d *list.Details) string { return d.ChecksumType })(dst, r)
}

// decodedMetadata returns the metadata whose values are encoded, decoded. said is false where there are none.
func decodedMetadata(r *scan.Record) (decoded scan.Map, said bool) {
	metadata, _ := r.Metadata()
	for _, m := range metadata {
		if text, ok := decode(string(m.Value)); ok {
			decoded = append(decoded, head.Header{Name: m.Name, Value: []byte(text)})
		}
	}
	return decoded, len(decoded) > 0
}

// decode decodes a text that is made of encoded words, or is percent-encoded. ok is false where it is neither, or not
// UTF-8 then. Amazon S3 answers with encoded words where metadata is not ASCII; many SDKs percent-encode it.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html, https://www.rfc-editor.org/rfc/rfc2047
func decode(text string) (decoded string, ok bool) {
	var err error
	switch {
	case strings.Contains(text, "=?"):
		decoded, err = new(mime.WordDecoder).DecodeHeader(text)
	case strings.Contains(text, "%"):
		decoded, err = url.PathUnescape(text)
	default:
		return "", false
	}
	return decoded, err == nil && decoded != text && utf8.ValidString(decoded)
}

// Headers returns the Field of the headers with these names, in any case; nil: all headers of the answer to a HEAD that
// are no custom metadata. Connection is never among them.
func Headers(names []string) Field {
	wanted := map[string]bool{}
	for _, name := range names {
		wanted[strings.ToLower(name)] = true
	}
	return Field{
		Name: "headers", Type: Map, Origin: FromHead,
		About: "the headers of the answer that are no custom metadata; `--header NAME` prints some of them",
		texts: func(r *scan.Record) (scan.Map, bool) {
			if _, said := r.Metadata(); !said {
				return nil, false
			}
			headers := slices.DeleteFunc(slices.Clone(r.Headers()), func(h head.Header) bool {
				return string(h.Name) == head.ConnectionHeader || len(wanted) > 0 && !wanted[string(h.Name)]
			})
			return mapOf(headers), true
		},
	}
}

// mapOf returns the Map of headers, which it changes. The values of one name are joined.
func mapOf(headers []head.Header) scan.Map {
	joined := head.Result{Metadata: headers}
	head.SortHeaders(joined.Metadata)
	joined.JoinMetadata()
	return joined.Metadata
}
