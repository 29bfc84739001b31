package errordoc

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"html"
	"io"
	"maps"
	"slices"
	"strings"
)

func unescape(text string) string { return html.UnescapeString(text) }

// parseXML reads the elements of an Error document, at any depth and under any root but those of a listing and of a
// page. It reads as far as the body is XML. found is false where it has neither a Code nor a Message.
func parseXML(body []byte, isCut bool) (d Document, found bool) {
	var source io.Reader = bytes.NewReader(body)
	if isCut { // ends the text that was cut
		source = io.MultiReader(source, strings.NewReader("</cut>"))
	}
	decoder := xml.NewDecoder(source)
	decoder.Strict = false
	decoder.CharsetReader = func(_ string, text io.Reader) (io.Reader, error) { return text, nil }
	var field *string // of the innermost element
	for depth := 0; ; {
		token, err := decoder.Token()
		if err != nil {
			return d, d.Code != "" || d.Message != ""
		}
		switch t := token.(type) {
		case xml.StartElement:
			name := strings.ToLower(t.Name.Local)
			if depth++; depth == 1 && (name == "html" || name == "listbucketresult") {
				return Document{}, name == "listbucketresult"
			}
			field = d.field(name)
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); field != nil && *field == "" {
				*field = text
			}
		case xml.EndElement:
			field = nil
		}
	}
}

// field returns the field for an element; nil: there is none.
func (d *Document) field(name string) *string {
	switch name {
	case "code":
		return &d.Code
	case "message":
		return &d.Message
	case "requestid":
		return &d.RequestID
	case "endpoint":
		return &d.Endpoint
	case "region":
		return &d.Region
	}
	return nil
}

// parseJSON reads the first object of a JSON text that has a code or a message. found is false where there is none.
func parseJSON(body []byte) (d Document, found bool) {
	var value any
	if json.Unmarshal(body, &value) != nil {
		return Document{}, false
	}
	return fromJSON(value)
}

// fromJSON is parseJSON for one value.
func fromJSON(value any) (d Document, found bool) {
	switch v := value.(type) {
	case map[string]any:
		names := slices.Sorted(maps.Keys(v))
		for _, name := range names {
			text, isText := v[name].(string)
			if field := d.jsonField(strings.ToLower(name)); isText && field != nil && *field == "" {
				*field = text
			}
		}
		if d.Code != "" || d.Message != "" {
			return d, true
		}
		for _, name := range names {
			if d, found = fromJSON(v[name]); found {
				return d, true
			}
		}
	case []any:
		for _, element := range v {
			if d, found = fromJSON(element); found {
				return d, true
			}
		}
	}
	return Document{}, false
}

// jsonField is field for the names that JSON has.
func (d *Document) jsonField(name string) *string {
	switch strings.ReplaceAll(name, "_", "") {
	case "code", "errorcode", "error":
		return &d.Code
	case "message", "msg", "errormessage", "errordescription", "description", "detail":
		return &d.Message
	}
	return d.field(name)
}
