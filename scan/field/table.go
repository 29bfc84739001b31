package field

import (
	"time"

	"headcount/scan"
	"headcount/scan/list"
)

// The names of the Fields that a record has unless --fields names others.
const (
	Key      = "key"
	Metadata = "metadata"
	Prefix   = "prefix" // with a delimiter

	// With all versions.
	VersionID    = "version_id"
	IsLatest     = "is_latest"
	DeleteMarker = "delete_marker"
)

// All returns the Fields that --fields can choose, in the order of --fields all.
func All() []Field {
	return []Field{
		{Name: Key, Origin: FromList, About: "the key", text: appendKey},
		{
			Name: Metadata, Type: Map, Origin: FromHead, texts: (*scan.Record).Metadata,
			About: "the custom metadata: names in lower case and sorted, values as the store sent them, repeated " +
				"headers joined by `,`",
		},
		{
			Name: "size", Type: Int, Origin: FromList, Header: "content-length", About: "length in bytes",
			integer: (*scan.Record).Size,
		},
		{Name: "etag", Origin: FromList, Header: "etag", About: "entity tag, without quotes", text: appendETag},
		{
			Name: "last_modified", Type: Time, Origin: FromList, Header: "last-modified",
			About: "time of the last write, RFC 3339",
			text:  appendLastModified, time: (*scan.Record).LastModified,
		},
		{
			Name: "storage_class", Origin: FromList, Header: "x-amz-storage-class", text: appendStorageClass,
			About: "`GLACIER`, `INTELLIGENT_TIERING`, …; some stores leave out `STANDARD`",
		},
		{
			Name: Prefix, Type: Bool, Origin: FromList, Zero: true, boolean: commonPrefix,
			About: "only where it is `true`, with `list --delimiter`: the key is a prefix, which stands for all keys that " +
				"begin with it",
		},
		{
			Name: VersionID, Origin: FromHead, Header: "x-amz-version-id", text: appendVersionID,
			About: "version of the object, in a bucket with versioning; with `--all-versions`, the LIST has it too",
		},
		{
			Name: IsLatest, Type: Bool, Origin: FromList, boolean: isLatest,
			About: "only with `--all-versions`: the version is the newest of its key",
		},
		{
			Name: DeleteMarker, Type: Bool, Origin: FromList, Zero: true, boolean: deleteMarker,
			About: "only with `--all-versions`: the version is a delete marker, which has no metadata",
		},
		textOf("content_type", "content-type", "media type"),
		textOf("content_encoding", "content-encoding", "for example `gzip`"),
		textOf("content_language", "content-language", "language of the content"),
		textOf("content_disposition", "content-disposition", "file name for a download"),
		textOf("cache_control", "cache-control", "how long caches may keep the object"),
		textOf("expires", "expires", "date after which caches drop the object, as it was uploaded"),
		textOf("website_redirect_location", "x-amz-website-redirect-location",
			"target of a redirect, in a bucket that is a website"),
		textOf("server_side_encryption", sseHeader, "`AES256`, `aws:kms` or `aws:kms:dsse`"),
		textOf("sse_kms_key_id", "x-amz-server-side-encryption-aws-kms-key-id",
			"ARN of the KMS key that encrypts the object"),
		textOf("sse_customer_algorithm", sseCustomerHeader, "algorithm, where the client holds the key"),
		{
			Name: "encryption_status", Origin: FromHead, text: appendEncryptionStatus,
			About: "`SSE-S3`, `SSE-KMS`, `DSSE-KMS`, `SSE-C` or `NOT-SSE`, the words of S3 Inventory",
		},
		boolOf("bucket_key_enabled", "x-amz-server-side-encryption-bucket-key-enabled",
			"an S3 Bucket Key encrypts the object"),
		textOf("replication_status", "x-amz-replication-status", "`PENDING`, `COMPLETED`, `FAILED` or `REPLICA`"),
		textOf("object_lock_mode", "x-amz-object-lock-mode", "`GOVERNANCE` or `COMPLIANCE`").
			needing("s3:GetObjectRetention"),
		timeOf("object_lock_retain_until", "x-amz-object-lock-retain-until-date", "end of the lock").
			needing("s3:GetObjectRetention"),
		textOf("object_lock_legal_hold", "x-amz-object-lock-legal-hold", "`ON` or `OFF`").
			needing("s3:GetObjectLegalHold"),
		textOf("object_lock_event_hold", "x-amz-object-lock-event-hold", "`ON` or `OFF`").
			needing("s3:GetObjectRetention"),
		intOf("object_lock_event_hold_days", "x-amz-object-lock-event-hold-duration-days",
			"days for which the object is locked after the event").needing("s3:GetObjectRetention"),
		intOf("object_lock_event_hold_years", "x-amz-object-lock-event-hold-duration-years",
			"years for which the object is locked after the event").needing("s3:GetObjectRetention"),
		textOf("expiration", "x-amz-expiration",
			"lifecycle expiration, as `expiry-date=\"Fri, 01 Jan 2100 00:00:00 GMT\", rule-id=\"logs\"`"),
		listed(textOf("restore", restoreHeader, "restore from an archive: `ongoing-request=\"true\"`, or "+
			"`ongoing-request=\"false\", expiry-date=\"…\"` when it is done")),
		{
			Name: "restore_expiry", Type: Time, Origin: FromHead, Ask: AskDetails,
			text: appendRestoreExpiry, time: restoreExpiry, About: "when a restored copy ends, RFC 3339",
		},
		textOf("archive_status", "x-amz-archive-status", "archive tier of `INTELLIGENT_TIERING`"),
		{
			Name: "parts_count", Type: Int, Origin: FromList, Header: "x-amz-mp-parts-count", integer: partsCount,
			About: "number of parts of a multipart upload, as the store says it or its ETag ends",
		},
		intOf("tag_count", "x-amz-tagging-count", "number of tags, where there are any").
			needing("s3:GetObjectTagging"),
	}
}

// Further returns the Fields that --fields can choose by name, and that --fields all leaves out.
func Further() []Field {
	return []Field{
		{
			Name: "checksums", Type: Map, Origin: FromHead, Header: checksumPrefix, texts: checksums, Ask: AskChecksums,
			About: "checksums by their algorithm, as `crc64nvme`, in base64; what a HEAD asks for needs kms:Decrypt where " +
				"a KMS key encrypts the object",
		},
		{
			Name: "checksum_algorithm", Origin: FromList, Ask: AskDetails,
			text:  appendDetail(func(d *list.Details) string { return d.ChecksumAlgorithm }),
			About: "algorithms of the checksums that the store keeps, as `CRC64NVME`, separated by commas",
		},
		{
			Name: "checksum_type", Origin: FromList, Ask: AskDetails, Header: checksumPrefix + "type",
			text: appendChecksumType, About: "`FULL_OBJECT` or `COMPOSITE`",
		},
		{
			Name: "object_owner", Origin: FromList, Ask: AskDetails,
			text:  appendDetail(func(d *list.Details) string { return d.Owner }),
			About: "name of the object's owner, or the ID where there is none",
		},
		{
			Name: "metadata_decoded", Type: Map, Origin: FromHead, texts: decodedMetadata,
			About: "the metadata whose values are encoded words (RFC 2047) or percent-encoded, decoded",
		},
		{
			Name: "tags", Type: Map, Origin: FromRequest, texts: (*scan.Record).Tags, Ask: AskTags,
			About: "the tags, by their names; needs s3:GetObjectTagging",
		},
		{
			Name: "annotations", Type: Map, Origin: FromRequest, texts: (*scan.Record).Annotations, Ask: AskAnnotations,
			About: "the annotations: the sizes of their contents in bytes, by their names; needs s3:ListObjectAnnotations",
		},
		textOf("request_id", "x-amz-request-id", "ID that the store gave to the HEAD"),
		Headers(nil),
	}
}

// Always returns the Fields that a record has beside the chosen ones, where they have a value. They warn that other
// Fields may be incomplete or of another state of the object.
func Always() []Field {
	return []Field{
		{
			Name: "changed", Type: Bool, Origin: FromHead, Zero: true, boolean: changed,
			About: "only where it is `true`: the object was overwritten between LIST and HEAD; the record is what " +
				"the HEAD said",
		},
		{
			Name: "missing_meta", Type: Int, Origin: FromHead, Header: "x-amz-missing-meta", Zero: true,
			integer: (*scan.Record).MissingMetadata,
			About:   "only where the store says so: how many metadata it has and could not send",
		},
	}
}

func appendKey(dst []byte, r *scan.Record) ([]byte, bool) { return append(dst, r.Key()...), true }

func appendETag(dst []byte, r *scan.Record) ([]byte, bool) { return r.AppendETag(dst) }

func appendLastModified(dst []byte, r *scan.Record) ([]byte, bool) { return r.AppendLastModified(dst) }

func appendStorageClass(dst []byte, r *scan.Record) ([]byte, bool) { return r.AppendStorageClass(dst) }

// appendVersionID appends the version of a listing of versions, and otherwise that of the HEAD.
func appendVersionID(dst []byte, r *scan.Record) ([]byte, bool) {
	if d := r.Details(); d != nil && d.VersionID != "" {
		return append(dst, d.VersionID...), true
	}
	return appendHeader("x-amz-version-id")(dst, r)
}

// isLatest has no value where the listing has no versions.
func isLatest(r *scan.Record) (value, ok bool) {
	d := r.Details()
	if d == nil {
		return false, false
	}
	return d.IsLatest, d.VersionID != ""
}

// deleteMarker returns no value for an object of a listing without versions.
func deleteMarker(r *scan.Record) (value, ok bool) {
	d := r.Details()
	if d == nil {
		return false, false
	}
	return d.DeleteMarker, d.DeleteMarker || d.VersionID != ""
}

// commonPrefix returns true for a common prefix, and no value for an object.
func commonPrefix(r *scan.Record) (value, ok bool) { return true, r.CommonPrefix() }

// changed returns true for an object that changed, and no value for any other.
func changed(r *scan.Record) (value, ok bool) { return true, r.Changed() }

// needing returns f as a Field whose value is only told to a caller who has a right.
func (f Field) needing(permission string) Field {
	f.Permission = permission
	return f
}

// textOf returns a Field whose text is the value of a header.
func textOf(name, header, about string) Field {
	return Field{Name: name, Type: Text, Origin: FromHead, Header: header, About: about, text: appendHeader(header)}
}

// timeOf returns a Field whose header is a time in RFC 3339.
func timeOf(name, header, about string) Field {
	return Field{
		Name: name, Type: Time, Origin: FromHead, Header: header, About: about, text: appendHeader(header),
		time: func(r *scan.Record) (time.Time, bool) {
			value := r.Header(header)
			if value == nil { // an error of Parse allocates
				return time.Time{}, false
			}
			at, err := time.Parse(time.RFC3339, string(value))
			return at.UTC(), err == nil
		},
	}
}

// intOf returns a Field whose header is a whole number.
func intOf(name, header, about string) Field {
	return Field{
		Name: name, Type: Int, Origin: FromHead, Header: header, About: about,
		integer: func(r *scan.Record) (int64, bool) { return r.HeaderInt(header) },
	}
}

// boolOf returns a Field whose header is true or false.
func boolOf(name, header, about string) Field {
	return Field{
		Name: name, Type: Bool, Origin: FromHead, Header: header, About: about,
		boolean: func(r *scan.Record) (bool, bool) { return r.HeaderBool(header) },
	}
}

// listed returns f as a Field that a LIST says too, where it is asked for it.
func listed(f Field) Field {
	f.Ask = AskDetails
	return f
}

// appendDetail returns the accessor of a text of the Details. An empty one is not said, nor one of an object that
// changed since.
func appendDetail(of func(*list.Details) string) func([]byte, *scan.Record) ([]byte, bool) {
	return func(dst []byte, r *scan.Record) ([]byte, bool) {
		d := r.Details()
		if d == nil || r.Changed() || of(d) == "" {
			return dst, false
		}
		return append(dst, of(d)...), true
	}
}

func appendHeader(header string) func([]byte, *scan.Record) ([]byte, bool) {
	return func(dst []byte, r *scan.Record) ([]byte, bool) {
		value := r.Header(header)
		return append(dst, value...), value != nil
	}
}
