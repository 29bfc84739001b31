package inventory

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// column is a column of an Inventory.
type column struct {
	csv, parquet string // its names
	kind         kind
	versions     bool // only an Inventory of all versions has it
	value        func(cfg *Config, o *Object) any
}

type kind uint8

const (
	text kind = iota
	number
	boolean
	moment
)

// required is how many columns have a value in each row: the bucket and the key.
const required = 2

// columns returns the columns of an Inventory, in the order in which AWS writes them.
func (cfg *Config) columns() []column {
	texts := func(value func(o *Object) string) func(*Config, *Object) any {
		return func(_ *Config, o *Object) any {
			if s := value(o); s != "" && !o.DeleteMarker {
				return s
			}
			return nil
		}
	}
	all := []column{
		{"Bucket", "bucket", text, false, func(cfg *Config, _ *Object) any { return cfg.Bucket }},
		{"Key", "key", text, false, func(_ *Config, o *Object) any { return o.Key }},
		{"VersionId", "version_id", text, true, func(_ *Config, o *Object) any {
			if o.VersionID == "" {
				return nil
			}
			return o.VersionID
		}},
		{"IsLatest", "is_latest", boolean, true, func(_ *Config, o *Object) any { return !o.Old }},
		{"IsDeleteMarker", "is_delete_marker", boolean, true, func(_ *Config, o *Object) any { return o.DeleteMarker }},
		{"Size", "size", number, false, func(_ *Config, o *Object) any {
			if o.DeleteMarker {
				return nil
			}
			return o.Size
		}},
		{"LastModifiedDate", "last_modified_date", moment, false, func(_ *Config, o *Object) any { return o.LastModified }},
		{"ETag", "e_tag", text, false, texts(func(o *Object) string { return o.ETag })},
		{"StorageClass", "storage_class", text, false, texts(func(o *Object) string { return o.StorageClass })},
		{"IsMultipartUploaded", "is_multipart_uploaded", boolean, false, func(_ *Config, o *Object) any {
			return strings.Contains(o.ETag, "-")
		}},
		{"ReplicationStatus", "replication_status", text, false, texts(func(o *Object) string { return o.Replication })},
		{"EncryptionStatus", "encryption_status", text, false, texts(func(o *Object) string { return o.Encryption })},
		{"ObjectLockRetainUntilDate", "object_lock_retain_until_date", moment, false, func(_ *Config, o *Object) any {
			return o.RetainUntil
		}},
		{"ObjectLockMode", "object_lock_mode", text, false, texts(func(o *Object) string { return o.LockMode })},
		{"ObjectLockLegalHoldStatus", "object_lock_legal_hold_status", text, false,
			texts(func(o *Object) string { return o.LegalHold })},
		{"IntelligentTieringAccessTier", "intelligent_tiering_access_tier", text, false,
			texts(func(o *Object) string { return o.AccessTier })},
		{"BucketKeyStatus", "bucket_key_status", text, false, texts(func(o *Object) string { return o.BucketKey })},
		{"ChecksumAlgorithm", "checksum_algorithm", text, false, texts(func(o *Object) string { return o.Checksums })},
		{"ObjectAccessControlList", "object_access_control_list", text, false,
			texts(func(*Object) string { return "eyJ2ZXJzaW9uIjoiMjAyMi0xMS0xMCJ9" })},
		{"ObjectOwner", "object_owner", text, false, texts(func(o *Object) string { return o.Owner })},
		{"LifecycleExpirationDate", "lifecycle_expiration_date", moment, false, func(_ *Config, o *Object) any {
			return o.LifecycleExpires
		}},
	}
	return slices.DeleteFunc(all, func(c column) bool {
		return c.versions && !cfg.Versions || slices.Contains(cfg.Without, c.csv)
	})
}

func csvSchema(columns []column) string {
	var names []string
	for _, c := range columns {
		names = append(names, c.csv)
	}
	return strings.Join(names, ", ")
}

func parquetSchema(columns []column, oldTypes bool) string {
	var b strings.Builder
	b.WriteString("message s3.inventory {")
	for i, c := range columns {
		repetition, logical := "optional", ""
		physical := map[kind]string{text: "binary", boolean: "boolean"}[c.kind]
		if i < required {
			repetition = "required"
		}
		switch {
		case c.kind == text && oldTypes:
			logical = " (UTF8)"
		case c.kind == text:
			logical = " (STRING)"
		case c.kind == moment && oldTypes:
			logical = " (TIMESTAMP_MILLIS)"
		case c.kind == moment:
			logical = " (TIMESTAMP(MILLIS,true))"
		}
		fmt.Fprintf(&b, "  %s %s %s%s;", repetition, cmp.Or(physical, "int64"), c.parquet, logical)
	}
	b.WriteString("}")
	return b.String()
}

// csvText returns a value as CSV has it.
func csvText(c column, value any) string {
	switch v := value.(type) {
	case string:
		if c.csv == "Key" {
			return encodeKey(v)
		}
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		if !v.IsZero() {
			return v.UTC().Format("2006-01-02T15:04:05.000Z")
		}
	}
	return ""
}
