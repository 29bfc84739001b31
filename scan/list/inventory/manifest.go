package inventory

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fetch opens a file of an Inventory by its key, or by the name of a local file. The caller closes it. Its error is
// that of the store, an *Error where the file does not exist, or the cause of ctx's end.
type Fetch func(ctx context.Context, key string) (File, error)

// manifest is a manifest.json.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-location.html
type manifest struct {
	SourceBucket      string     `json:"sourceBucket"`
	CreationTimestamp string     `json:"creationTimestamp"` // milliseconds since 1970
	FileFormat        string     `json:"fileFormat"`
	FileSchema        string     `json:"fileSchema"`
	Files             []dataFile `json:"files"`

	created time.Time
	columns []column // of CSV, in their order; of Parquet, those that there are
	hash    string
}

// manifestBytesMax bounds a manifest. A line for a file of a million objects takes 200 bytes.
const manifestBytesMax = 256 << 20

const (
	manifestSuffix = ".json"
	checksumSuffix = ".checksum"
)

// readManifest reads a manifest, and compares it with its checksum.
func readManifest(ctx context.Context, fetch Fetch, name string) (*manifest, error) {
	base, isManifest := strings.CutSuffix(name, manifestSuffix)
	if !isManifest {
		return nil, &Error{
			File: name, What: "the name does not end with " + manifestSuffix,
			Advice: "name the manifest.json of the Inventory, which names its data files",
		}
	}
	text, err := readFile(ctx, fetch, name)
	if err != nil {
		return nil, err
	}
	checksum, err := readFile(ctx, fetch, base+checksumSuffix)
	if err != nil {
		return nil, err
	}
	sum := md5.Sum(text)
	m := &manifest{hash: hex.EncodeToString(sum[:])}
	if given := strings.TrimSpace(string(checksum)); !strings.EqualFold(given, m.hash) {
		return nil, &Error{
			File: name, What: fmt.Sprintf("the MD5 is %s, and %q in %s", m.hash, shortened(given), base+checksumSuffix),
			Advice: "fetch both files again",
		}
	}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, jsonError(name, text, err)
	}
	if err := m.parse(); err != nil {
		err.File = name
		return nil, err
	}
	return m, nil
}

// shortened returns the beginning of a text for a message.
func shortened(text string) string { return text[:min(len(text), 64)] }

func readFile(ctx context.Context, fetch Fetch, name string) ([]byte, error) {
	f, err := fetch(ctx, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, manifestBytesMax+1))
	switch {
	case err != nil:
		return nil, &Error{File: name, What: err.Error()}
	case len(text) > manifestBytesMax:
		return nil, &Error{File: name, What: fmt.Sprintf("the file has more than %d bytes", manifestBytesMax)}
	}
	return text, nil
}

// jsonError returns the error of a text that is no manifest, with its place.
func jsonError(name string, text []byte, err error) *Error {
	e := &Error{File: name, What: err.Error(), Advice: "name the manifest.json of an Inventory"}
	at := int64(0)
	switch err := err.(type) {
	case *json.SyntaxError:
		at = err.Offset
	case *json.UnmarshalTypeError:
		at = err.Offset
		e.What = fmt.Sprintf("%s cannot be a %s", err.Field, err.Value)
	}
	if at > 0 && at <= int64(len(text)) {
		before := text[:at]
		e.Line = 1 + bytes.Count(before, []byte("\n"))
		e.Column = len(before) - (bytes.LastIndexByte(before, '\n') + 1)
	}
	return e
}

// parse reads the texts of the manifest.
func (m *manifest) parse() *Error {
	milliseconds, err := strconv.ParseInt(m.CreationTimestamp, 10, 64)
	switch {
	case m.SourceBucket == "" || m.FileSchema == "" || m.Files == nil:
		return &Error{What: "no sourceBucket, no fileSchema, or no files", Advice: "name the manifest.json of an Inventory"}
	case err != nil:
		return &Error{What: fmt.Sprintf("the creationTimestamp %q is no number of milliseconds", m.CreationTimestamp)}
	}
	m.created = time.UnixMilli(milliseconds).UTC()
	switch m.FileFormat {
	case formatCSV:
		for name := range strings.SplitSeq(m.FileSchema, ",") {
			m.columns = append(m.columns, columnOf(strings.TrimSpace(name)))
		}
	case formatParquet:
		for _, field := range parquetField.FindAllStringSubmatch(m.FileSchema, -1) {
			m.columns = append(m.columns, columnOf(field[1]))
		}
	default:
		return &Error{
			What:   fmt.Sprintf("the format %s is not supported", m.FileFormat),
			Advice: "configure an Inventory in CSV or Apache Parquet",
		}
	}
	if !m.has(keyColumn) {
		return &Error{What: fmt.Sprintf("the fileSchema has no column Key: %s", shortened(m.FileSchema))}
	}
	return m.checkParts()
}

// checkParts compares the columns with each other, and the files.
func (m *manifest) checkParts() *Error {
	for i, c := range m.columns {
		if c != unknownColumn && slices.Contains(m.columns[:i], c) {
			return &Error{What: fmt.Sprintf("the fileSchema has the column %s twice", knownColumns()[c].name)}
		}
	}
	seen := map[string]bool{}
	for i := range m.Files {
		f := &m.Files[i]
		switch {
		case f.Key == "" || f.Size < 0 || len(f.MD5) != 2*md5.Size:
			return &Error{What: fmt.Sprintf("file %d of %d has no key, size and MD5checksum", i+1, len(m.Files))}
		case seen[f.Key]:
			return &Error{What: fmt.Sprintf("file %d of %d comes twice: %s", i+1, len(m.Files), f.Key)}
		}
		seen[f.Key] = true
	}
	return nil
}

const (
	formatCSV     = "CSV"
	formatParquet = "Parquet"
)

// parquetField is a field of a schema: optional binary version_id (UTF8); the types have two spellings.
var parquetField = regexp.MustCompile(`\b(?:required|optional)\s+\w+\s+(\w+)`)

func (m *manifest) has(c column) bool { return slices.Contains(m.columns, c) }
