package output

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"headcount/scan"
	"headcount/scan/field"
)

// readJSONLines is Format.Read. It needs no Options, and skips members that are no Field.
func readJSONLines(r io.Reader, _ *Options, add func(*scan.Record) error) error {
	var b recordBuilder
	fields := field.Every()
	read := func(lines *json.Decoder) (*scan.Record, error) {
		var members map[string]json.RawMessage
		if err := lines.Decode(&members); err != nil {
			return nil, err
		}
		b.reset()
		for i := range fields {
			if err := b.setMembers(&fields[i], members); err != nil {
				return nil, fmt.Errorf("%s: %w", fields[i].Name, err)
			}
		}
		record, err := b.record()
		return &record, err
	}
	return readObjects(r, recordBytesMax, read, add)
}

// setMembers sets the value of a Field from the member with its name, or from that in base64.
func (b *recordBuilder) setMembers(f *field.Field, members map[string]json.RawMessage) error {
	for _, suffix := range []string{"", "_b64"} {
		raw, ok := members[f.Name+suffix]
		if !ok {
			continue
		}
		if f.Type == field.Map {
			if err := b.setTexts(f, raw, suffix != ""); err != nil {
				return err
			}
			continue
		}
		value, err := jsonText(raw, suffix != "")
		if err == nil {
			err = b.set(f, value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// setTexts adds the members of an object to a Map.
func (b *recordBuilder) setTexts(f *field.Field, raw json.RawMessage, inBase64 bool) error {
	var texts map[string]json.RawMessage
	if err := json.Unmarshal(raw, &texts); err != nil {
		return err
	}
	b.setMap(f)
	for name, raw := range texts {
		value, err := jsonText(raw, inBase64)
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		b.addText(f, name, value)
	}
	return nil
}

// jsonText returns a scalar of JSON as a text.
func jsonText(raw json.RawMessage, inBase64 bool) (string, error) {
	if inBase64 {
		var value []byte
		err := json.Unmarshal(raw, &value)
		return string(value), err
	}
	if !strings.HasPrefix(string(raw), `"`) {
		return string(raw), nil
	}
	var value string
	err := json.Unmarshal(raw, &value)
	return value, err
}
