package cli

import (
	"slices"
	"strings"

	"headcount/scan/field"
)

// fieldHelp is the paragraph of the help that names Fields, by their types.
func fieldHelp(fields []field.Field) string {
	var text strings.Builder
	text.WriteString("\n\nThe fields for --fields and --filter, by type (the README says what they mean):\n")
	for _, t := range []field.Type{field.Text, field.Int, field.Bool, field.Time, field.Map} {
		line := "\n    " + t.String() + ":"
		for _, f := range fields {
			if f.Type != t {
				continue
			}
			if last := line[strings.LastIndex(line, "\n")+1:]; len(last)+1+len(f.Name) > 110 {
				line += "\n       "
			}
			line += " " + f.Name
		}
		if !strings.HasSuffix(line, ":") {
			text.WriteString(line)
		}
	}
	return text.String()
}

// listedFields returns the Fields that a LIST has.
func listedFields() []field.Field {
	return slices.DeleteFunc(field.Every(), func(f field.Field) bool { return !f.InLists() })
}
