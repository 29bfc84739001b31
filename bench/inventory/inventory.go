// Package inventory writes an S3 Inventory as AWS does, for tests: a manifest, its checksum, and data files in CSV or
// Parquet.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
package inventory

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Object is what an Inventory says of one version of an object. An empty text, or a zero time, is an empty column.
type Object struct {
	Key              string
	VersionID        string // empty: the null version
	Old              bool   // a newer version exists
	DeleteMarker     bool
	Size             int64
	LastModified     time.Time
	ETag             string
	StorageClass     string
	Replication      string
	Encryption       string
	RetainUntil      time.Time
	LockMode         string
	LegalHold        string
	AccessTier       string
	BucketKey        string
	Checksums        string
	Owner            string
	LifecycleExpires time.Time
}

// Config says how an Inventory is written. The zero value is that of an Inventory of current versions in CSV, in one
// file, with all columns.
type Config struct {
	Bucket  string // that the Inventory is of
	Prefix  string // of all files
	Created time.Time
	Format  string // CSV (also ""), Parquet; ORC writes a manifest whose files are none

	Versions bool     // with old versions and delete markers
	Without  []string // the columns that are left out, by their names in CSV
	Files    int      // the objects are dealt out to so many; 0: 1

	OldTypes bool // Parquet names types as before 2018: UTF8, TIMESTAMP_MILLIS
	PageV2   bool // Parquet has pages of version 2
	Codec    string
}

// Write writes an Inventory of some objects below a folder, and returns the name of its manifest. Old versions and
// delete markers are left out without Config.Versions.
func Write(dir string, cfg Config, objects []Object) (manifest string, err error) {
	folder := path.Join(cfg.Prefix, cfg.Bucket, "daily")
	if cfg.Created.IsZero() {
		cfg.Created = time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)
	}
	if !cfg.Versions {
		objects = slices.DeleteFunc(slices.Clone(objects), func(o Object) bool { return o.Old || o.DeleteMarker })
	}
	columns := cfg.columns()
	m := manifestFile{
		SourceBucket: cfg.Bucket, DestinationBucket: "arn:aws:s3:::inventories", Version: "2016-11-30",
		CreationTimestamp: strconv.FormatInt(cfg.Created.UnixMilli(), 10), FileFormat: "CSV", FileSchema: csvSchema(columns),
	}
	write, suffix := writeCSV, ".csv.gz"
	switch cfg.Format {
	case "Parquet":
		write, suffix, m.FileFormat, m.FileSchema = writeParquet, ".parquet", cfg.Format, parquetSchema(columns, cfg.OldTypes)
	case "ORC":
		suffix, m.FileFormat, m.FileSchema = ".orc", cfg.Format, "struct<bucket:string,key:string>"
	}
	files := max(1, cfg.Files)
	for i := range files {
		var part []Object
		for n := i; n < len(objects); n += files {
			part = append(part, objects[n])
		}
		data, err := write(cfg, columns, part)
		if err != nil {
			return "", err
		}
		key := path.Join(folder, "data", fmt.Sprintf("%08x-part%s", i, suffix))
		if err := writeFile(dir, key, data); err != nil {
			return "", err
		}
		m.Files = append(m.Files, manifestPart{key, int64(len(data)), md5Of(data)})
	}
	return m.write(dir, path.Join(folder, cfg.Created.UTC().Format("2006-01-02T15-04Z")))
}

// manifestFile is a manifest.json.
type manifestFile struct {
	SourceBucket      string         `json:"sourceBucket"`
	DestinationBucket string         `json:"destinationBucket"`
	Version           string         `json:"version"`
	CreationTimestamp string         `json:"creationTimestamp"`
	FileFormat        string         `json:"fileFormat"`
	FileSchema        string         `json:"fileSchema"`
	Files             []manifestPart `json:"files"`
}

type manifestPart struct {
	Key         string `json:"key"`
	Size        int64  `json:"size"`
	MD5Checksum string `json:"MD5checksum"`
}

func (m *manifestFile) write(dir, folder string) (name string, err error) {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "", err
	}
	if err := writeFile(dir, path.Join(folder, "manifest.checksum"), []byte(md5Of(text)+"\n")); err != nil {
		return "", err
	}
	key := path.Join(folder, "manifest.json")
	return filepath.Join(dir, filepath.FromSlash(key)), writeFile(dir, key, text)
}

func md5Of(data []byte) string {
	sum := md5.Sum(data)
	return hex.EncodeToString(sum[:])
}

func writeFile(dir, key string, data []byte) error {
	name := filepath.Join(dir, filepath.FromSlash(key))
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o666)
}

// Seal writes the checksum of a manifest that a test has changed.
func Seal(manifest string) error {
	text, err := os.ReadFile(manifest)
	if err != nil {
		return err
	}
	return os.WriteFile(strings.TrimSuffix(manifest, "json")+"checksum", []byte(md5Of(text)+"\n"), 0o666)
}
