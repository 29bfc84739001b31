package output

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headcount/scan"
	"headcount/scan/field"
	"headcount/scan/head"
	"headcount/scan/list"
)

// A Record that is made from a line of an earlier scan has the same line: a Source of such Records needs the table of
// fields only.
func TestRecordFromLine(t *testing.T) {
	anyText := rapid.OneOf(rapid.String(), rapid.StringMatching(`[\x00-\xff]{0,9}`), rapid.Just("\xff"))
	value := rapid.OneOf(anyText, rapid.SampledFrom([]string{
		"7", "true", "false", "Sun, 22 Nov 2026 05:00:00 GMT", "2027-01-01T00:00:00Z",
	}))
	rapid.Check(t, func(rt *rapid.T) {
		entry := list.Entry{
			Key: anyText.Draw(rt, "key"), Size: rapid.Int64Range(-1, 9).Draw(rt, "size"), ETag: anyText.Draw(rt, "etag"),
			LastModified: rapid.SampledFrom([]string{"", "2026-11-22T01:02:03.004Z"}).Draw(rt, "modified"),
			StorageClass: anyText.Draw(rt, "class"),
		}
		result := head.Result{Status: http.StatusOK}
		for _, f := range slices.Concat(field.All(), field.Always()) {
			if f.Header != "" && rapid.Bool().Draw(rt, "has "+f.Header) {
				result.Headers = append(result.Headers, head.Header{
					Name: []byte(f.Header), Value: []byte(value.Draw(rt, f.Header)),
				})
			}
		}
		for _, name := range []string{"a", "b", "c"} {
			if rapid.Bool().Draw(rt, "has "+name) {
				result.Metadata = append(result.Metadata, head.Header{
					Name: []byte(name), Value: []byte(value.Draw(rt, name)),
				})
			}
		}
		r := scan.NewRecord(&entry, &result, rapid.Bool().Draw(rt, "changed"))
		want := line(t, "all", &r)
		read, err := recordFromLine([]byte(want))
		if err != nil {
			rt.Fatal(err)
		}
		if got := line(t, "all", &read); got != want {
			rt.Fatalf("\n got %s\nwant %s", got, want)
		}
	})
}

// recordFromLine makes a Record of a line with all fields.
func recordFromLine(text []byte) (scan.Record, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return scan.Record{}, err
	}
	var (
		entry      = list.Entry{Size: -1}
		result     = head.Result{Status: http.StatusOK}
		_, changed = members["changed"]
	)
	for _, f := range slices.Concat(field.All(), field.Always()) {
		for _, name := range []string{f.Name, f.Name + "_b64"} {
			raw, ok := members[name]
			if !ok {
				continue
			}
			if f.Type == field.Map {
				texts, err := readMap(raw, name != f.Name)
				if err != nil {
					return scan.Record{}, fmt.Errorf("%s: %w", name, err)
				}
				result.Metadata = append(result.Metadata, texts...)
				continue
			}
			value, err := readText(raw, name != f.Name)
			if err != nil {
				return scan.Record{}, fmt.Errorf("%s: %w", name, err)
			}
			switch {
			case f.Name == field.Key:
				entry.Key = value
			case f.Name == "last_modified" && !changed:
				entry.LastModified = value
			case f.Name == "last_modified":
				at, err := time.Parse(time.RFC3339, value)
				if err != nil {
					return scan.Record{}, err
				}
				result.Headers = append(result.Headers, head.Header{
					Name: []byte(f.Header), Value: []byte(at.Format(http.TimeFormat)),
				})
			case f.Name == "etag":
				entry.ETag = value
			case f.Header != "":
				result.Headers = append(result.Headers, head.Header{Name: []byte(f.Header), Value: []byte(value)})
			}
		}
	}
	slices.SortFunc(result.Metadata, func(a, b head.Header) int { return cmp.Compare(string(a.Name), string(b.Name)) })
	return scan.NewRecord(&entry, &result, changed), nil
}

// readText returns a scalar of JSON as a text.
func readText(raw json.RawMessage, base64 bool) (string, error) {
	if base64 {
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

func readMap(raw json.RawMessage, base64 bool) (texts scan.Map, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return nil, err
	}
	for name, raw := range members {
		value, err := readText(raw, base64)
		if err != nil {
			return nil, err
		}
		texts = append(texts, head.Header{Name: []byte(name), Value: []byte(value)})
	}
	return texts, nil
}
