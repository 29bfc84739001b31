package s3sim

import "time"

// The values of Options.Attributes. They are chosen by the hash of a key, so that the answer to a question about them
// is known.
const (
	kmsKey    = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	kmsKeyOld = "arn:aws:kms:us-east-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321"

	lockEnded     = "2024-07-01T00:00:00.000Z"
	lockEndsLater = "2099-12-31T00:00:00.000Z"
)

// lockEndsSoonAfter returns the end of the locks that end in some days.
func lockEndsSoonAfter(now time.Time) string {
	return now.UTC().AddDate(0, 0, 10).Format("2006-01-02T15:04:05.000Z")
}

// oneIn reports whether the object is among one in n, chosen by its hash.
func (o Object) oneIn(n uint64, s salt) bool { return mix(o.hash, s)%n == 0 }

// archived reports whether the object is in an archive.
func (o Object) archived() bool { return o.attributes && o.oneIn(25, saltStorageClass) }

// appendAttributes appends the headers of Options.Attributes. lockEndsSoon is from lockEndsSoonAfter.
func (o Object) appendAttributes(dst []byte, tagging Tagging, lockEndsSoon string) []byte {
	if o.oneIn(2, saltCacheControl) {
		dst = appendHeader(dst, "Cache-Control", "max-age=86400")
	}
	if o.archived() {
		dst = appendHeader(dst, "x-amz-storage-class", o.StorageClass())
		if o.oneIn(3, saltRestore) {
			dst = appendHeader(dst, "x-amz-restore", `ongoing-request="true"`)
		}
	}
	dst = o.appendEncryption(dst)
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
			until = lockEndsSoon
		}
		dst = appendHeader(dst, "x-amz-object-lock-mode", "GOVERNANCE")
		dst = appendHeader(dst, "x-amz-object-lock-retain-until-date", until)
	}
	dst = o.appendTagHeader(dst, tagging)
	if o.oneIn(10, saltExpiration) {
		dst = appendHeader(dst, "x-amz-expiration",
			`expiry-date="Fri, 01 Jan 2100 00:00:00 GMT", rule-id="logs"`)
	}
	return dst
}

func (o Object) appendEncryption(dst []byte) []byte {
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
