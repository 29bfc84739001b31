package output

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"headcount/scan"
	"headcount/scan/field"
)

// base64Title is the title of the column that names the values in base64. In a table, a text that is not UTF-8 stands
// in base64.
const base64Title = "base64"

// column is a column of a table: a Field, or one of the texts of the metadata.
type column struct {
	field.Field
	title string
	name  string // of the text in the metadata, in lower case; empty: the column is the Field
}

// tableFields is Format.Fields of a table. Its error says that two columns would have one title. Titles that differ in
// case only are one to many readers of tables, DuckDB among them.
func tableFields(o *Options) ([]field.Field, error) {
	fields := chosenFields(o)
	if len(o.Columns) == 0 {
		return fields, nil
	}
	isMetadata := func(f field.Field) bool { return f.Name == field.Metadata }
	titles := append(field.Names(field.Every()), base64Title)
	for i, title := range o.Columns {
		sameTitle := func(other string) bool { return strings.EqualFold(title, other) }
		if slices.ContainsFunc(titles, sameTitle) {
			return nil, fmt.Errorf("the column %q would have the title of a field", title)
		}
		if slices.ContainsFunc(o.Columns[:i], sameTitle) {
			return nil, fmt.Errorf("the column %q is named twice", title)
		}
	}
	if !slices.ContainsFunc(fields, isMetadata) {
		fields = append(slices.Clip(fields), metadataField())
	}
	return fields, nil
}

// tableColumns returns the columns of a table without field.Always. The columns of Options.Columns stand where the
// metadata would stand, and are the last ones if the metadata is not chosen.
func tableColumns(o *Options) []column {
	fields, _ := tableFields(o) // New has the same Options as Fields
	var columns []column
	for _, f := range fields {
		if f.Name != field.Metadata || len(o.Columns) == 0 {
			columns = append(columns, column{Field: f, title: f.Name})
			continue
		}
		for _, title := range o.Columns {
			columns = append(columns, column{Field: f, title: title, name: strings.ToLower(title)})
		}
	}
	return columns
}

// alwaysColumns returns the columns of field.Always.
func alwaysColumns() []column {
	var columns []column
	for _, f := range field.Always() {
		columns = append(columns, column{Field: f, title: f.Name})
	}
	return columns
}

func metadataField() field.Field {
	all := field.All()
	return all[slices.IndexFunc(all, func(f field.Field) bool { return f.Name == field.Metadata })]
}

// isMap reports whether the values of a column are not texts but texts by name.
func (c *column) isMap() bool { return c.Type == field.Map && c.name == "" }

// appendText appends the value of the column, which is no map, as a text. Without a value it returns dst unchanged.
func (c *column) appendText(dst []byte, r *scan.Record) (text []byte, ok bool) {
	if c.name == "" {
		return c.AppendText(dst, r)
	}
	texts, _ := c.Map(r)
	value := texts.Get(c.name)
	return append(dst, value...), value != nil
}

// base64Names returns what the column base64 has for a Record: the names of the columns, and of the texts in metadata,
// whose values are not UTF-8. There is a space between two names.
func base64Names(columns []column, r *scan.Record) string {
	var names []string
	for i := range columns {
		c := &columns[i]
		switch text, _ := c.appendText(nil, r); {
		case c.isMap():
			texts, _ := c.Map(r)
			for i := range texts {
				if !utf8.Valid(texts[i].Value) {
					names = append(names, base64Name(c.Name, string(texts[i].Name)))
				}
			}
		case utf8.Valid(text):
		case c.name != "":
			names = append(names, base64Name(field.Metadata, c.name))
		default:
			names = append(names, c.Name)
		}
	}
	return strings.Join(names, " ")
}

// base64Name returns the name of a text of a Map in the column base64: without spaces.
func base64Name(of, name string) string { return of + "." + url.PathEscape(name) }
