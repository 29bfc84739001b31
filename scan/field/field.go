// Package field is the one table of what can be read from a scan.Record. A Field has a name, a type, an origin (the
// request whose answer has it), and typed accessors. Whatever reads Records by name takes its names and types from
// here: the formats of package output, --fields, and the table of its README.md.
package field

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"headcount/scan"
	"headcount/scan/spelling"
)

// Type is the type of a Field's values.
type Type uint8

const (
	Text Type = iota // any bytes, usually UTF-8
	Int              // a whole number
	Bool
	Time
	Map // texts by name
)

// String returns the word for a Type in the table of README.md.
func (t Type) String() string { return [...]string{"text", "number", "bool", "time", "map"}[t] }

// Origin is the first request whose answer has a Field. The answer to a later request replaces the value.
type Origin uint8

const (
	FromList    Origin = iota // the LIST; a HEAD too
	FromHead                  // the HEAD
	FromRequest               // a further request for each object
)

// String returns the word for an Origin in the table of README.md.
func (o Origin) String() string { return [...]string{"LIST", "HEAD", "further request"}[o] }

// Ask is what a scan asks for, beside a usual LIST and HEAD, so that the store says a value.
type Ask uint8

const (
	AskNothing     Ask = iota
	AskChecksums       // x-amz-checksum-mode of the HEAD
	AskDetails         // owners, checksums and restores in the LIST
	AskTags            // a further request for each object that has tags
	AskAnnotations     // a further request for each object
)

// Field is one value that a Record can have. Its accessors may be called concurrently, each on another Record. They
// allocate nothing, except where dst grows. ok is false where the store sent no value. An empty text and an empty map
// are values.
type Field struct {
	Name   string
	Type   Type
	Origin Origin
	Header string // the header of the HEAD that has the value, in lower case; of a Map, the beginning of their names
	About  string // one line for people, in Markdown

	// Permission is the right that the caller of a HEAD needs to be told the value; empty: the right to send it. Without
	// that right no object seems to have a value.
	Permission string

	// Zero is set where an answer without a value says 0 or false.
	Zero bool

	Ask Ask // what a scan that reads the Field asks for

	text    func(dst []byte, r *scan.Record) ([]byte, bool) // Text and Time
	integer func(r *scan.Record) (int64, bool)
	boolean func(r *scan.Record) (bool, bool)
	time    func(r *scan.Record) (time.Time, bool)
	texts   func(r *scan.Record) (scan.Map, bool)
}

// AppendText appends the value as a text. Without a value it returns dst unchanged. A time is the exact text that the
// store sent, or RFC 3339 where the store sent an HTTP date. A Field of the Type Map has no text: ok is false.
func (f *Field) AppendText(dst []byte, r *scan.Record) (text []byte, ok bool) {
	switch f.Type {
	case Text, Time:
		return f.text(dst, r)
	case Int:
		if n, ok := f.integer(r); ok {
			return strconv.AppendInt(dst, n, 10), true
		}
	case Bool:
		if value, ok := f.boolean(r); ok {
			return strconv.AppendBool(dst, value), true
		}
	}
	return dst, false
}

// Has reports whether the store sent a value: a number that is none is no value. It costs less than reading the value.
func (f *Field) Has(r *scan.Record) (ok bool) {
	switch {
	case f.Type == Int:
		_, ok = f.integer(r)
	case f.Type == Bool:
		_, ok = f.boolean(r)
	case f.Header != "" && f.Origin == FromHead && f.Type != Map:
		ok = r.Header(f.Header) != nil
	case f.Type == Map:
		_, ok = f.texts(r)
	default:
		_, ok = f.text(nil, r)
	}
	return ok
}

// Int returns the value of a Field of the Type Int. It panics for another Type, as do Bool, Time and Map.
func (f *Field) Int(r *scan.Record) (n int64, ok bool) { return f.integer(r) }

// Bool returns the value of a Field of the Type Bool.
func (f *Field) Bool(r *scan.Record) (value, ok bool) { return f.boolean(r) }

// Time returns the value of a Field of the Type Time. A text that is no time has no value here; AppendText returns it.
func (f *Field) Time(r *scan.Record) (at time.Time, ok bool) { return f.time(r) }

// Map returns the value of a Field of the Type Map. It is valid as long as r.
func (f *Field) Map(r *scan.Record) (texts scan.Map, ok bool) { return f.texts(r) }

// UnknownError is a name that is no Field's.
type UnknownError struct {
	Name  string
	Among []string // the names that there are
}

func (e *UnknownError) Error() string {
	return fmt.Sprintf("unknown field %q; the fields are: %s", e.Name, strings.Join(e.Among, ", "))
}

// Hint implements the contract of package exit.
func (e *UnknownError) Hint() string {
	lower := strings.ToLower(e.Name)
	for _, known := range notRead() {
		if strings.HasPrefix(lower, known.prefix) {
			return known.hint
		}
	}
	if slices.Contains(Names(Always()), e.Name) {
		return "leave it out: " + e.Name + " is printed wherever it applies"
	}
	return spelling.DidYouMean(e.Name, e.Among)
}

type hintOf struct{ prefix, hint string }

// notRead returns the hints about names that people look for, and that are no Field's.
func notRead() []hintOf {
	return []hintOf{
		{"acl", "headcount reads no ACLs"},
	}
}

// Parse reads the value of --fields: names separated by commas, or all, which are those that an object can have. An
// unknown name is an UnknownError.
func Parse(value string) ([]Field, error) {
	if value == "all" {
		return slices.DeleteFunc(All(), func(f Field) bool {
			return f.Name == Prefix || f.Name == IsLatest || f.Name == DeleteMarker
		}), nil
	}
	all := slices.Concat(All(), Further())
	var chosen []Field
	for name := range strings.SplitSeq(value, ",") {
		name = strings.TrimSpace(name)
		hasName := func(f Field) bool { return f.Name == name }
		i := slices.IndexFunc(all, hasName)
		if i < 0 {
			return nil, &UnknownError{Name: name, Among: append([]string{"all"}, Names(all)...)}
		}
		if slices.ContainsFunc(chosen, hasName) {
			return nil, fmt.Errorf("the field %q is named twice", name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// Every returns all Fields: those of All, Further and Always.
func Every() []Field { return slices.Concat(All(), Further(), Always()) }

// Names returns the names of some Fields.
func Names(fields []Field) []string {
	names := make([]string, len(fields))
	for i := range fields {
		names[i] = fields[i].Name
	}
	return names
}

// NamedText is one text of a Field that is a Map.
type NamedText struct {
	Map  Field
	Name string
}

// String returns what names the text beside the names of Fields, as metadata.owner.
func (t NamedText) String() string { return t.Map.Name + "." + t.Name }

// Has reports whether a Record has the text.
func (t NamedText) Has(r *scan.Record) bool {
	texts, _ := t.Map.Map(r)
	return texts.Get(t.Name) != nil
}

// SortTexts returns the texts sorted, and each once.
func SortTexts(texts []NamedText) []NamedText {
	compare := func(a, b NamedText) int {
		return cmp.Or(strings.Compare(a.Map.Name, b.Map.Name), strings.Compare(a.Name, b.Name))
	}
	slices.SortFunc(texts, compare)
	return slices.CompactFunc(texts, func(a, b NamedText) bool { return compare(a, b) == 0 })
}

// InLists reports whether a LIST of S3 gives the value, at least where it is asked for it.
func (f *Field) InLists() bool { return f.Origin == FromList || f.Ask == AskDetails }

// NeedHead returns the Fields that no usual LIST of S3 gives: a HEAD has to be sent for them.
func NeedHead(fields []Field) []Field {
	return slices.DeleteFunc(slices.Clone(fields), func(f Field) bool { return f.Origin == FromList })
}
