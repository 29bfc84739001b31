package inventory

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"headcount/scan/list"
)

// column is a column of an Inventory that headcount knows.
type column int

const (
	unknownColumn column = iota
	keyColumn
	versionColumn
	latestColumn
	markerColumn
	sizeColumn
	modifiedColumn
	etagColumn
	classColumn
	replicationColumn
	encryptionColumn
	retainUntilColumn
	lockModeColumn
	legalHoldColumn
	accessTierColumn
	bucketKeyColumn
	checksumColumn
	ownerColumn
	expirationColumn
	columnCount
)

// known is a column: its name in CSV, and the names of the Fields (package field) whose values it has.
type known struct {
	name   string
	fields []string
}

func knownColumns() [columnCount]known {
	return [columnCount]known{
		keyColumn:         {"Key", []string{"key", "prefix"}},
		versionColumn:     {"VersionId", []string{"version_id"}},
		latestColumn:      {"IsLatest", []string{"is_latest"}},
		markerColumn:      {"IsDeleteMarker", []string{"delete_marker"}},
		sizeColumn:        {"Size", []string{"size"}},
		modifiedColumn:    {"LastModifiedDate", []string{"last_modified"}},
		etagColumn:        {"ETag", []string{"etag", "parts_count"}},
		classColumn:       {"StorageClass", []string{"storage_class"}},
		replicationColumn: {"ReplicationStatus", []string{"replication_status"}},
		encryptionColumn: {"EncryptionStatus", []string{
			"encryption_status", "server_side_encryption", "sse_customer_algorithm",
		}},
		retainUntilColumn: {"ObjectLockRetainUntilDate", []string{"object_lock_retain_until"}},
		lockModeColumn:    {"ObjectLockMode", []string{"object_lock_mode"}},
		legalHoldColumn:   {"ObjectLockLegalHoldStatus", []string{"object_lock_legal_hold"}},
		accessTierColumn:  {"IntelligentTieringAccessTier", []string{"archive_status"}},
		bucketKeyColumn:   {"BucketKeyStatus", []string{"bucket_key_enabled"}},
		checksumColumn:    {"ChecksumAlgorithm", []string{"checksum_algorithm"}},
		ownerColumn:       {"ObjectOwner", []string{"object_owner"}},
		expirationColumn:  {"LifecycleExpirationDate", []string{"expiration"}},
	}
}

// columnOf returns the column of a name: LastModifiedDate in CSV, last_modified_date in Parquet.
func columnOf(name string) column {
	plain := strings.ReplaceAll(strings.ToLower(name), "_", "")
	for c, k := range knownColumns() {
		if k.name != "" && strings.ToLower(k.name) == plain {
			return column(c)
		}
	}
	return unknownColumn
}

// row is the texts of a row by column. A text that the row or the Inventory does not have is empty.
type row [columnCount]string

// entries makes the Entries of a page.
type entries struct {
	versions bool // each Entry is of a version
	all      []list.Entry
	details  []list.Details
	headers  []list.DetailHeader
}

// pageRowsMax is how many Entries a Page has, as the Page of a LIST has.
const pageRowsMax = 1000

// nullVersion is the ID of a version that was written while the bucket had no versions. Its column is empty.
const nullVersion = "null"

// add adds a row. Its error is a *valueError.
func (s *entries) add(r *row) error {
	if s.details == nil {
		s.details = make([]list.Details, 0, pageRowsMax) // an Entry points into it
	}
	for _, c := range []column{latestColumn, markerColumn} {
		if text := r[c]; text != "" && text != "true" && text != "false" {
			return &valueError{c, text, "true or false"}
		}
	}
	details := list.Details{
		DeleteMarker: r[markerColumn] == "true", Owner: r[ownerColumn], ChecksumAlgorithm: r[checksumColumn],
		EncryptionStatus: r[encryptionColumn],
	}
	first := len(s.headers)
	if err := s.addHeaders(r); err != nil {
		return err
	}
	switch version := r[versionColumn]; {
	case s.versions:
		details.VersionID, details.IsLatest = cmp.Or(version, nullVersion), r[latestColumn] == "true"
	case version != "": // a HEAD of the key is one of its newest version, whatever that is now
		s.addHeader("x-amz-version-id", version)
	}
	details.Headers = s.headers[first:len(s.headers):len(s.headers)]
	s.details = append(s.details, details)
	e := list.Entry{
		Key: r[keyColumn], ETag: r[etagColumn], Size: -1, LastModified: r[modifiedColumn], StorageClass: r[classColumn],
		Details: &s.details[len(s.details)-1],
	}
	if text := r[sizeColumn]; text != "" {
		size, err := strconv.ParseInt(text, 10, 64)
		if err != nil || size < 0 {
			return &valueError{sizeColumn, text, "a number of bytes"}
		}
		e.Size = size
	}
	s.all = append(s.all, e)
	return nil
}

// valueError is a value that its column cannot have.
type valueError struct {
	column column
	text   string
	want   string
}

func (e *valueError) Error() string {
	return fmt.Sprintf("%s is %q, and not %s", knownColumns()[e.column].name, shortened(e.text), e.want)
}

func (s *entries) addHeader(name, value string) {
	if value != "" {
		s.headers = append(s.headers, list.DetailHeader{Name: name, Value: value})
	}
}

// addHeaders adds the values that the HEAD would have in headers, in the words of the headers.
func (s *entries) addHeaders(r *row) error {
	s.addHeader("x-amz-replication-status", r[replicationColumn])
	switch r[encryptionColumn] {
	case "SSE-S3":
		s.addHeader("x-amz-server-side-encryption", "AES256")
	case "SSE-KMS":
		s.addHeader("x-amz-server-side-encryption", "aws:kms")
	case "DSSE-KMS":
		s.addHeader("x-amz-server-side-encryption", "aws:kms:dsse")
	case "SSE-C":
		s.addHeader("x-amz-server-side-encryption-customer-algorithm", "AES256")
	}
	switch r[bucketKeyColumn] {
	case "ENABLED":
		s.addHeader("x-amz-server-side-encryption-bucket-key-enabled", "true")
	case "DISABLED":
		s.addHeader("x-amz-server-side-encryption-bucket-key-enabled", "false")
	}
	s.addHeader("x-amz-object-lock-mode", r[lockModeColumn])
	s.addHeader("x-amz-object-lock-retain-until-date", r[retainUntilColumn])
	switch hold := r[legalHoldColumn]; {
	case strings.EqualFold(hold, "on"):
		s.addHeader("x-amz-object-lock-legal-hold", "ON")
	case strings.EqualFold(hold, "off"):
		s.addHeader("x-amz-object-lock-legal-hold", "OFF")
	}
	switch r[accessTierColumn] { // the other tiers are no archives
	case "ARCHIVE", "ARCHIVE_ACCESS":
		s.addHeader("x-amz-archive-status", "ARCHIVE_ACCESS")
	case "DEEP_ARCHIVE", "DEEP_ARCHIVE_ACCESS":
		s.addHeader("x-amz-archive-status", "DEEP_ARCHIVE_ACCESS")
	}
	if text := r[expirationColumn]; text != "" {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return &valueError{expirationColumn, text, "a time as 2026-11-22T00:00:00.000Z"}
		}
		s.addHeader("x-amz-expiration", `expiry-date="`+at.UTC().Format(http.TimeFormat)+`"`)
	}
	return nil
}
