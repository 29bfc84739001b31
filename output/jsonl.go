package output

import (
	"slices"
	"strconv"
	"unicode/utf8"

	"headcount/scan"
	"headcount/scan/field"
)

// NewJSONLines returns a Sink that writes each Record as a line: a JSON object whose members are the chosen Fields and
// then field.Always. A Field without a value has no member.
func NewJSONLines(to Destination, fields []field.Field) *Lines {
	e := &jsonEncoder{}
	for _, f := range slices.Concat(fields, field.Always()) {
		e.members = append(e.members, newJSONMember(f))
	}
	return newLines(to, e)
}

func jsonlFormat() Format {
	return Format{
		Name: "jsonl", About: "one JSON object a line", Suffixes: []string{".jsonl", ".ndjson", ".json"}, Resumable: true,
		Read:   readJSONLines,
		Fields: func(o *Options) ([]field.Field, error) { return chosenFields(o), nil },
		New:    func(to Destination, o *Options) (Sink, error) { return NewJSONLines(to, chosenFields(o)), nil },
	}
}

// jsonEncoder writes Records as lines of JSON.
type jsonEncoder struct{ members []jsonMember }

func (*jsonEncoder) header() []byte { return nil }

func (e *jsonEncoder) appendLine(line []byte, r *scan.Record) ([]byte, error) {
	line = append(line, '{')
	for i := range e.members {
		line = e.members[i].appendTo(line, r)
	}
	return append(closeObject(line), '\n'), nil
}

// jsonMember is a Field as a member of a JSON object.
type jsonMember struct {
	field.Field
	start string // the name, and the colon behind it

	// startBase64 is start for a value that is not UTF-8. Such a value is base64 under a name of its own: as texts with
	// U+FFFD, two keys could become equal.
	startBase64 string
}

func newJSONMember(f field.Field) jsonMember {
	return jsonMember{Field: f, start: `"` + f.Name + `":`, startBase64: `"` + f.Name + `_b64":`}
}

// appendTo appends the member and a comma, if r has a value of the Field.
func (m *jsonMember) appendTo(line []byte, r *scan.Record) []byte {
	switch m.Type {
	case field.Text, field.Time:
		return m.appendText(line, r)
	case field.Int:
		if n, ok := m.Int(r); ok {
			line = append(strconv.AppendInt(append(line, m.start...), n, 10), ',')
		}
	case field.Bool:
		if value, ok := m.Bool(r); ok {
			line = append(strconv.AppendBool(append(line, m.start...), value), ',')
		}
	case field.Map:
		if texts, ok := m.Map(r); ok {
			line = m.appendMap(line, texts)
		}
	}
	return line
}

// appendText appends the text first and then checks it: the JSON of nearly every text is the text itself.
func (m *jsonMember) appendText(line []byte, r *scan.Record) []byte {
	before := len(line)
	line = append(append(line, m.start...), '"')
	from := len(line)
	line, ok := m.AppendText(line, r)
	if !ok {
		return line[:before]
	}
	text := line[from:]
	if isVerbatim(text) {
		return append(line, '"', ',')
	}
	to := len(line)
	if utf8.Valid(text) {
		line = appendEscaped(append(line, m.start...), text)
	} else {
		line = appendBase64(append(line, m.startBase64...), text)
	}
	return append(slices.Delete(line, before, to), ',')
}

// appendMap appends an object, and a second one for the values that are not UTF-8, if there are any.
func (m *jsonMember) appendMap(line []byte, texts scan.Map) []byte {
	line = append(append(line, m.start...), '{')
	invalid := 0
	for i := range texts {
		before := len(line)
		line = append(appendString(line, texts[i].Name), ':')
		var verbatim bool
		if line, verbatim = appendVerbatim(line, texts[i].Value); !verbatim {
			if !utf8.Valid(texts[i].Value) {
				line = line[:before]
				invalid++
				continue
			}
			line = appendEscaped(line, texts[i].Value)
		}
		line = append(line, ',')
	}
	line = append(closeObject(line), ',')
	if invalid == 0 {
		return line
	}
	line = append(append(line, m.startBase64...), '{')
	for i := range texts {
		if !utf8.Valid(texts[i].Value) {
			line = append(appendString(line, texts[i].Name), ':')
			line = append(appendBase64(line, texts[i].Value), ',')
		}
	}
	return append(closeObject(line), ',')
}
