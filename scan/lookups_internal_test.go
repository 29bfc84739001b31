package scan

import (
	"strings"
	"testing"

	"headcount/scan/head"
	"headcount/scan/list"
)

// What the HEAD of an object says of its tags decides whether it needs a request. The HEADs and answers of other
// objects do not.
func TestTagsOfHead(t *testing.T) {
	for headers, want := range map[string]string{
		"a: 1":                           "needed",
		"server: AmazonS3":               "needed",
		"x-amz-tagging-count: 2":         "needed",
		"x-amz-tagging-count: 0":         "",
		"x-amz-tagging-count: many":      "needed",
		"x-amz-tagging: b=1&a=2+3":       "a=2 3,b=1",
		"x-amz-tagging: %zz":             "needed",
		"x-amz-tagging: ;server: Other1": "",
	} {
		result := &head.Result{Status: 200}
		for line := range strings.SplitSeq(headers, ";") {
			name, value, _ := strings.Cut(line, ": ")
			result.Headers = append(result.Headers, head.Header{Name: []byte(name), Value: []byte(value)})
		}
		r := NewRecord(&list.Entry{Key: "k"}, result, false)
		tags, isNeeded := tagsOfHead(&r)
		var texts []string
		for _, tag := range tags {
			texts = append(texts, string(tag.Name)+"="+string(tag.Value))
		}
		got := strings.Join(texts, ",")
		if isNeeded {
			got = "needed"
		}
		if got != want || isNeeded != (tags == nil) {
			t.Errorf("%s: %q, want %q", headers, got, want)
		}
	}
}
