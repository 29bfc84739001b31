package inventory

import (
	"fmt"
	"time"
)

// Samples returns objects with odd keys, old versions, delete markers, and every column's values; each key has its
// versions together, newest first.
func Samples(keys int) []Object {
	odd := []string{
		"a b+c%20d.txt", "quote\"d, and\nnew line", "ünïcödé/日本語.txt", "a//b/", " ", "+", "%", "\t", "emoji/😀",
	}
	began := time.Date(2026, 3, 1, 12, 0, 0, 123e6, time.UTC)
	pick := func(i int, values ...string) string { return values[i%len(values)] }
	var objects []Object
	for i := range keys {
		key := fmt.Sprintf("logs/%04d.json", i)
		if i < len(odd) {
			key = odd[i]
		}
		o := Object{
			Key: key, VersionID: fmt.Sprintf("v%d.0", i), Size: int64(i) * 7919,
			LastModified: began.Add(time.Duration(i) * time.Second),
			ETag:         fmt.Sprintf("%032x", i*104729+1),
			StorageClass: pick(i, "STANDARD", "STANDARD", "GLACIER", "INTELLIGENT_TIERING"),
			Replication:  pick(i, "", "COMPLETED", "", "FAILED", "PENDING", "REPLICA"),
			Encryption:   pick(i, "SSE-S3", "SSE-KMS", "SSE-S3", "DSSE-KMS", "SSE-S3", "SSE-C", "NOT-SSE"),
			LegalHold:    pick(i, "", "", "", "On", "Off"),
			AccessTier:   pick(i, "", "", "", "FREQUENT", "", "", "", "ARCHIVE"),
			BucketKey:    pick(i, "DISABLED", "ENABLED"),
			Checksums:    pick(i, "", "CRC64NVME", "SHA256"),
			Owner:        pick(i, "0123abcd", "4567cdef"),
		}
		if i%10 == 3 {
			o.LockMode, o.RetainUntil = "GOVERNANCE", began.AddDate(1, 0, i)
		}
		if i%11 == 5 {
			o.LifecycleExpires = time.Date(2027, 1, 1+i%28, 0, 0, 0, 0, time.UTC)
		}
		if i%5 == 4 {
			o.VersionID = "" // the null version
		}
		if i%9 == 7 {
			o.ETag += "-3"
		}
		if i%6 == 2 { // deleted, and still there
			o.Old = true
			objects = append(objects, Object{
				Key: key, VersionID: fmt.Sprintf("v%d.2", i), DeleteMarker: true, LastModified: o.LastModified.Add(time.Hour),
			})
		}
		objects = append(objects, o)
		if i%4 == 1 {
			o.Old, o.VersionID, o.Size = true, fmt.Sprintf("v%d.old", i), o.Size+1
			objects = append(objects, o)
		}
	}
	return objects
}
