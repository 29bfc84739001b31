package s3sim

import (
	"crypto/md5"
	"encoding/base64"
	"time"
)

// The values of Options.Attributes and Options.AllAttributes. They are chosen by the hash of a key, so that the answer
// to a question about them is known.
const (
	kmsKey    = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	kmsKeyOld = "arn:aws:kms:us-east-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321"

	lockEnded     = "2024-07-01T00:00:00.000Z"
	lockEndsLater = "2099-12-31T00:00:00.000Z"

	restoreExpiry     = "2099-12-21T00:00:00.000Z"
	restoreExpiryHTTP = "Mon, 21 Dec 2099 00:00:00 GMT"

	// AWS lists no DisplayName of an owner since November 2025.
	awsOwner   = "<Owner><ID>75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a</ID></Owner>"
	otherOwner = "<Owner><ID>b1946ac92492d2347c6235b4d2611184d1aab6ab35a2ccb2b3d7ae7d71f3b20a</ID></Owner>"
)

// CustomerKey is the key of the objects that Options.CustomerKeys encrypts with a customer's key.
const CustomerKey = "s3sim: a customer key, 32 bytes."

// lockEndsSoonAfter returns the end of the locks that end in some days.
func lockEndsSoonAfter(now time.Time) string {
	return now.UTC().AddDate(0, 0, 10).Format("2006-01-02T15:04:05.000Z")
}

// oneIn reports whether the object is among one in n, chosen by its hash.
func (o Object) oneIn(n uint64, s salt) bool { return mix(o.hash, s)%n == 0 }

// archived reports whether the object is in an archive.
func (o Object) archived() bool { return o.attributes && o.oneIn(25, saltStorageClass) }

// tiered reports whether the object is in the class INTELLIGENT_TIERING.
func (o Object) tiered() bool { return o.allAttributes && o.oneIn(40, saltTiering) && !o.archived() }

// owner returns the owner of the object as an element of a listing.
func (o Object) owner() string {
	if o.attributes && o.oneIn(10, saltObjectOwner) {
		return otherOwner
	}
	return awsOwner
}

// parts returns the number of parts in which the object was uploaded; 0: in one request.
func (o Object) parts() int64 {
	if !o.allAttributes || !o.oneIn(5, saltParts) {
		return 0
	}
	return 1 + int64(mix(o.hash, saltParts)>>8%200)
}

// restore says whether an archived object is being restored, or has been.
type restore uint8

const (
	restoreNone restore = iota
	restoreOngoing
	restoreDone
)

func (o Object) restore() restore {
	switch {
	case o.archived() && o.oneIn(3, saltRestore):
		return restoreOngoing
	case o.archived() && o.allAttributes && o.oneIn(2, saltRestore):
		return restoreDone
	}
	return restoreNone
}

// appendRestoreXML appends the RestoreStatus of a listing.
func (o Object) appendRestoreXML(dst []byte) []byte {
	switch o.restore() {
	case restoreOngoing:
		return append(dst, "<RestoreStatus><IsRestoreInProgress>true</IsRestoreInProgress></RestoreStatus>"...)
	case restoreDone:
		return append(dst, "<RestoreStatus><IsRestoreInProgress>false</IsRestoreInProgress><RestoreExpiryDate>"+
			restoreExpiry+"</RestoreExpiryDate></RestoreStatus>"...)
	}
	return dst
}

// appendAttributes appends the headers of Options.Attributes.
func (s *Server) appendAttributes(dst []byte, o Object) []byte {
	if o.oneIn(2, saltCacheControl) {
		dst = appendHeader(dst, "Cache-Control", "max-age=86400")
	}
	if class := o.StorageClass(); class != "STANDARD" {
		dst = appendHeader(dst, "x-amz-storage-class", class)
	}
	switch o.restore() {
	case restoreOngoing:
		dst = appendHeader(dst, "x-amz-restore", `ongoing-request="true"`)
	case restoreDone:
		dst = appendHeader(dst, "x-amz-restore", `ongoing-request="false", expiry-date="`+restoreExpiryHTTP+`"`)
	}
	if !s.needsCustomerKey(o) {
		dst = o.appendEncryption(dst)
	}
	switch n := mix(o.hash, saltReplication) % 100; {
	case n == 0:
		dst = appendHeader(dst, "x-amz-replication-status", "FAILED")
	case n < 80:
		dst = appendHeader(dst, "x-amz-replication-status", "COMPLETED")
	}
	if o.oneIn(20, saltLock) {
		until := lockEndsLater
		switch mix(o.hash, saltLockEnd) % 4 {
		case 0:
			until = lockEnded
		case 1:
			until = s.lockEndsSoon
		}
		dst = appendHeader(dst, "x-amz-object-lock-mode", "GOVERNANCE")
		dst = appendHeader(dst, "x-amz-object-lock-retain-until-date", until)
	}
	dst = o.appendTagHeader(dst, s.options.Tagging)
	if o.oneIn(10, saltExpiration) {
		dst = appendHeader(dst, "x-amz-expiration",
			`expiry-date="Fri, 01 Jan 2100 00:00:00 GMT", rule-id="logs"`)
	}
	if o.allAttributes {
		dst = o.appendMoreAttributes(dst)
	}
	return dst
}

// appendMoreAttributes appends the headers that only Options.AllAttributes gives.
func (o Object) appendMoreAttributes(dst []byte) []byte {
	if o.tiered() {
		if tier := pick(o.hash, saltTier, "", "ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"); tier != "" {
			dst = appendHeader(dst, "x-amz-archive-status", tier)
		}
	}
	if o.oneIn(30, saltLegalHold) {
		dst = appendHeader(dst, "x-amz-object-lock-legal-hold", pick(o.hash, saltLockEnd, "ON", "OFF"))
	}
	switch mix(o.hash, saltEventHold) % 60 {
	case 0:
		dst = appendHeader(dst, "x-amz-object-lock-event-hold", "ON")
		dst = appendHeaderInt(dst, "x-amz-object-lock-event-hold-duration-days", 30)
	case 1:
		dst = appendHeader(dst, "x-amz-object-lock-event-hold", "ON")
		dst = appendHeaderInt(dst, "x-amz-object-lock-event-hold-duration-years", 7)
	case 2:
		dst = appendHeader(dst, "x-amz-object-lock-event-hold", "OFF")
	}
	switch mix(o.hash, saltContentHeader) % 20 {
	case 0:
		dst = appendHeader(dst, "Content-Encoding", "gzip")
	case 1:
		dst = appendHeader(dst, "Content-Language", "de")
	case 2:
		dst = appendHeader(dst, "Content-Disposition", `attachment; filename="a b.txt"`)
	case 3:
		dst = appendHeader(dst, "Expires", "Thu, 31 Dec 2099 23:59:59 GMT")
	case 4:
		dst = appendHeader(dst, "x-amz-website-redirect-location", "/moved/here")
	}
	return dst
}

func (o Object) appendEncryption(dst []byte) []byte {
	if o.allAttributes {
		switch mix(o.hash, saltKMSKind) % 40 {
		case 0: // written before 2023, when AWS began to encrypt all objects
			return dst
		case 1:
			dst = appendHeader(dst, "x-amz-server-side-encryption", "aws:kms:dsse")
			return appendHeader(dst, "x-amz-server-side-encryption-aws-kms-key-id", kmsKey)
		}
	}
	if !o.oneIn(3, saltEncryption) {
		return appendHeader(dst, "x-amz-server-side-encryption", "AES256")
	}
	key := kmsKey
	if o.oneIn(40, saltKMSKey) {
		key = kmsKeyOld
	}
	dst = appendHeader(dst, "x-amz-server-side-encryption", "aws:kms")
	dst = appendHeader(dst, "x-amz-server-side-encryption-aws-kms-key-id", key)
	return appendHeader(dst, "x-amz-server-side-encryption-bucket-key-enabled", "true")
}

// usesKMS reports whether the object is encrypted with a key of KMS.
func (s *Server) usesKMS(o Object) bool {
	if !o.attributes || s.needsCustomerKey(o) {
		return false
	}
	if o.allAttributes && mix(o.hash, saltKMSKind)%40 < 2 {
		return mix(o.hash, saltKMSKind)%40 == 1
	}
	return o.oneIn(3, saltEncryption)
}

// needsCustomerKey reports whether a HEAD of the object needs CustomerKey.
func (s *Server) needsCustomerKey(o Object) bool {
	return s.options.CustomerKeys > 0 && unitInterval(mix(o.hash, saltCustomerKey)) < s.options.CustomerKeys
}

// customerKeyError returns the error of a HEAD with the wrong customer's key, or without the right one, or codeNone.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
func (s *Server) customerKeyError(r *request, o Object) errorCode {
	switch needed := s.needsCustomerKey(o); {
	case needed && r.customerKey == nil, !needed && r.customerKey != nil:
		return codeInvalidRequest
	case !needed:
		return codeNone
	}
	key, err := base64.StdEncoding.AppendDecode(nil, r.customerKey)
	sum, _ := r.field(customerKeyHeader + "-md5")
	algorithm, _ := r.field("x-amz-server-side-encryption-customer-algorithm")
	switch {
	case err != nil || len(key) != len(CustomerKey) || string(sum) != md5Base64(key) || string(algorithm) != "AES256":
		return codeInvalidArgument
	case string(key) != CustomerKey:
		return codeAccessDenied
	}
	return codeNone
}

// customerKeyHeader carries a customer's key in base64.
const customerKeyHeader = "x-amz-server-side-encryption-customer-key"

func md5Base64(text []byte) string {
	sum := md5.Sum(text)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// appendCustomerKey appends what a HEAD says of a customer's key.
func appendCustomerKey(dst []byte) []byte {
	dst = appendHeader(dst, "x-amz-server-side-encryption-customer-algorithm", "AES256")
	return appendHeader(dst, "x-amz-server-side-encryption-customer-key-MD5", md5Base64([]byte(CustomerKey)))
}
