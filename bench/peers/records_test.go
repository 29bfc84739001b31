package peers

import (
	"strings"
	"testing"
)

func TestCompare(t *testing.T) {
	const right = `{"key":"a","metadata":{"n":"1","o":"é"}}` + "\n" + `{"key":"b","metadata":{"n":"2"}}` + "\n"
	want, err := digestsOf(strings.NewReader(right), jsonLines)
	if err != nil || len(want) != 2 {
		t.Fatalf("%v, %v", want, err)
	}
	for name, c := range map[string]struct{ printed, want string }{
		"the same": {right, ""},
		"another order": {`{"key":"b","metadata":{"n":"2"}}` + "\n" +
			`{"metadata": {"o":"\u00e9", "n":"1"}, "key":"a"}`, ""},
		"less":                 {`{"key":"b","metadata":{"n":"2"}}`, "its 1 records are not the 2 of direct"},
		"twice":                {right + `{"key":"b","metadata":{"n":"2"}}`, "its 3 records are not the 2 of direct"},
		"another value":        {strings.Replace(right, "2", "3", 1), `for example "b" map["n":"3"]`},
		"another name":         {strings.Replace(right, `"o"`, `"O"`, 1), `for example "a"`},
		"a value is no string": {strings.Replace(right, `"2"`, `2`, 1), "no JSON line"},
		"something else":       {"hello", "no JSON line of a record"},
		"another member":       {strings.Replace(right, `"metadata"`, `"meta"`, 1), "no JSON line of a record"},
		"a line cut short":     {right[:len(right)-5], "no JSON line of a record"},
	} {
		err := compare(want, strings.NewReader(c.printed), jsonLines)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := compare(nil, strings.NewReader(""), jsonLines); err != nil {
		t.Errorf("no records do not equal no records: %v", err)
	}
}

// rclone adds metadata of its own, and prints every object.
func TestRcloneJSON(t *testing.T) {
	const printed = `[
{"Path":"a","Name":"a","Size":1,"ModTime":"","IsDir":false,"Metadata":{"btime":"x","content-type":"text/plain","mtime":"y","n":"1","tier":"STANDARD"}},
{"Path":"b/c","Name":"c","Size":1,"IsDir":false,"Metadata":{"btime":"x"}},
{"Path":"d","Name":"d","Size":1,"IsDir":false}
]
`
	want, err := digestsOf(strings.NewReader(`{"key":"a","metadata":{"n":"1"}}`), jsonLines)
	if err != nil {
		t.Fatal(err)
	}
	if err := compare(want, strings.NewReader(printed), rcloneJSON); err != nil {
		t.Error(err)
	}
	if err := compare(nil, strings.NewReader("[\n]\n"), rcloneJSON); err != nil {
		t.Error(err)
	}
	for _, cut := range []string{"", "hello", printed[:len(printed)-3], printed[:40]} {
		if err := compare(want, strings.NewReader(cut), rcloneJSON); err == nil {
			t.Errorf("%q is accepted as an array", cut)
		}
	}
}
