package output

import (
	"io"
	"slices"
	"strings"
	"time"

	"headcount/scan"
	"headcount/scan/field"
)

// Sink is a scan.Sink that writes to a Destination.
type Sink interface {
	scan.Sink

	// Start is called once, before the first Commit, when the Destination holds nothing but what this run continues. It
	// writes what an output begins with.
	Start() error
}

// Format is a way to write Records, and to read them again.
type Format struct {
	Name     string
	About    string   // one line for people
	Suffixes []string // of the names of files that choose the Format, without that of a compression

	Flags     []string // those of --columns, --csv-safe and --null that it takes, without their dashes
	Resumable bool     // a later run can continue a file
	Binary    bool     // it is not for a terminal, and has a compression of its own
	Headed    bool     // an output has a beginning: two, one after the other, are no output

	// Fields returns the Fields that the Format reads of each Record, beside field.Always, or why it cannot write what
	// is asked for.
	Fields func(o *Options) ([]field.Field, error)

	// New returns a Sink that writes to a Destination. Fields has accepted the Options.
	New func(to Destination, o *Options) (Sink, error)

	// Read hands each Record of an output to add, whose error ends the reading. The Record is valid until add returns. o
	// are the Options with which the output was written. nil: nothing reads the Format.
	Read func(r io.Reader, o *Options, add func(*scan.Record) error) error
}

// Options are what a user can choose about a Format.
type Options struct {
	Fields  []field.Field // nil: the default ones of the Format
	Default []field.Field // the default ones of a Format that writes any Fields; nil: the key and the metadata
	Columns []string      // names of metadata: each gets a column of its own, in place of one for the metadata
	Bucket  string        // for S3 Batch Operations
	Safe    bool          // no cell is a formula to a spreadsheet
	Null    bool          // a NUL ends each key, in place of a line feed
	Version string        // of headcount

	// SyncEvery bounds the time between two Syncs that a Format puts off, to write more Records at once; 0: its own bound.
	SyncEvery time.Duration
}

// Formats returns all Formats, the one that is used by default first.
func Formats() []Format {
	return []Format{
		jsonlFormat(), csvFormat(), parquetFormat(), tableFormat(), keysFormat(), s3BatchFormat(),
	}
}

// FormatOf returns the Format that the name of a file chooses, as x.csv or x.csv.zst does; false: it chooses none.
func FormatOf(name string) (Format, bool) {
	for _, f := range Formats() {
		if f.HasSuffix(name) {
			return f, true
		}
	}
	return Format{}, false
}

// FormatNamed returns the Format with a name, which must be that of one of Formats.
func FormatNamed(name string) Format {
	formats := Formats()
	return formats[slices.IndexFunc(formats, func(f Format) bool { return f.Name == name })]
}

// Takes reports whether the Format takes one of the flags --columns, --csv-safe and --null.
func (f *Format) Takes(flag string) bool { return slices.Contains(f.Flags, flag) }

// HasSuffix reports whether the name of a file chooses the Format.
func (f *Format) HasSuffix(name string) bool {
	return suffixAmong(withoutCompression(name), f.Suffixes...) != ""
}

// OtherFormat returns the end of the name of a file that promises a table which no Format writes; empty: it has no such
// end.
func OtherFormat(name string) string {
	return suffixAmong(withoutCompression(name), ".tsv", ".tab", ".psv", ".xls", ".xlsx", ".xlsm", ".ods", ".pq", ".parq",
		".avro", ".orc", ".arrow", ".feather", ".db", ".sqlite", ".sqlite3", ".duckdb", ".xml", ".html", ".yaml", ".yml")
}

// withoutCompression returns the name of a file without the suffix of its Compression.
func withoutCompression(name string) string {
	if Compression(name) == "" {
		return name
	}
	return name[:strings.LastIndexByte(name, '.')]
}

// chosenFields returns the Fields of a Format that writes any Fields.
func chosenFields(o *Options) []field.Field {
	switch {
	case o.Fields != nil:
		return o.Fields
	case o.Default != nil:
		return o.Default
	}
	return slices.DeleteFunc(field.All(), func(f field.Field) bool {
		return f.Name != field.Key && f.Name != field.Metadata
	})
}
