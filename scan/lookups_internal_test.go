package scan

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"headcount/scan/head"
	"headcount/scan/list"
)

// What the HEADs of a store say of tags decides which objects need a request. AWS is believed after its first answer,
// and other stores when they have said a number.
func TestTagCount(t *testing.T) {
	const needed, none, unsaid = "needed", "none", "warned"
	for _, c := range []struct {
		name  string
		steps []string // an object's headers, separated by a semicolon, and after " > " what is expected of it
	}{
		{"nothing is known", []string{"a: 1 > needed", "b: 1 > needed"}},
		{"a number was said", []string{"a: 1 > needed", "x-amz-tagging-count: 2 > needed", "a: 1 > none"}},
		{"the number is 0", []string{"x-amz-tagging-count: 0 > none", "a: 1 > none"}},
		{"no number", []string{"x-amz-tagging-count: many > needed", "a: 1 > needed"}},
		{"in the HEAD", []string{"a: 1 > needed", "x-amz-tagging: b=1&a=2+3 > a=2 3,b=1", "a: 1 > none"}},
		{"in the HEAD, malformed", []string{"x-amz-tagging: %zz > needed", "a: 1 > needed"}},
		{"AWS has answered: no tags", []string{"server: AmazonS3 > needed", "server: AmazonS3;answer:  > answered", "a: 1 > none"}},
		{"another store has answered: no tags", []string{"a: 1;answer:  > answered", "a: 1 > needed"}},
		{"an object without a number has tags", []string{"a: 1;answer: env=prod > warned", "a: 1;answer: env=dev > answered",
			"a: 1 > needed"}},
		{"an object with a number has none left", []string{"x-amz-tagging-count: 1;server: AmazonS3;answer:  > answered"}},
	} {
		var count tagCount
		for i, step := range c.steps {
			headers, want, _ := strings.Cut(step, " > ")
			result, answer := &head.Result{Status: 200}, ""
			answered := false
			for line := range strings.SplitSeq(headers, ";") {
				name, value, _ := strings.Cut(line, ": ")
				if name == "answer" {
					answer, answered = value, true
					continue
				}
				result.Headers = append(result.Headers, head.Header{Name: []byte(name), Value: []byte(value)})
			}
			r := NewRecord(&list.Entry{Key: "k"}, result, false)
			got := "answered"
			if answered {
				var log bytes.Buffer
				further := &Further{Tags: Map{}}
				if name, value, has := strings.Cut(answer, "="); has {
					further.Tags = Map{{Name: []byte(name), Value: []byte(value)}}
				}
				r.SetFurther(further)
				if count.observe(&r, slog.New(slog.NewTextHandler(&log, nil))); log.Len() > 0 {
					got = unsaid
				}
			} else if tags, isNeeded := count.tagsOf(&r); isNeeded {
				got = needed
			} else if got = none; len(tags) > 0 {
				var texts []string
				for _, tag := range tags {
					texts = append(texts, string(tag.Name)+"="+string(tag.Value))
				}
				got = strings.Join(texts, ",")
			}
			if got != want {
				t.Errorf("%s: %d: %s, want %s", c.name, i, got, want)
			}
		}
	}
}
