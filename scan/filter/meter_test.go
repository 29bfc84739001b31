package filter

import (
	"strings"
	"testing"

	"headcount/scan/list"
)

// An expression cannot take long for an object, however it multiplies texts, lists and loops.
func TestSteps(t *testing.T) {
	long := object(list.Entry{Key: strings.Repeat("k", 1000)}, "content-type: text/plain", "x-amz-meta-long: "+strings.Repeat("a,", 4000),
		"x-amz-meta-json: ["+strings.Repeat("1,", 4000)+"1]")
	const tooLong = "the object takes more than 2000000 steps"
	for _, c := range []struct{ expression, want string }{
		{`any(split(metadata.long, ""), any(split(metadata.long, ""), # == "b"))`, tooLong},
		{`any(split(key, ""), any(split(key, ""), split(metadata.long, "")[0] == "b"))`, tooLong},
		{`any(split(key, ""), any(split(key, ""), lower(metadata.long) == "b"))`, tooLong},
		{`any(split(metadata.long, ""), metadata.long matches "(b|c)x$")`, tooLong},
		{`any(split(key, ""), metadata.long matches (metadata.long + #))`, tooLong},
		{`any(split(metadata.long, ""), (metadata.long + #) contains "b")`, tooLong},
		{`let l = split(metadata.long, ""); any(l, "b" in l)`, tooLong},
		{`let l = split(metadata.long, ""); all(l, l == l)`, tooLong},
		{`let l = fromJSON(metadata.json); any(l, any(l, # == "b"))`, tooLong},
		{`any(split(metadata.long, ""), fromJSON(metadata.json)[0] == 2)`, tooLong},
		{`let l = split(metadata.long, ","); count(l, count(l, # == "a") == 1) == 1`, tooLong},
		{`let a = metadata.long; let b = a + a + a + a + a + a + a + a; b + b + b == ""`, tooLong},
		{`any(split(key, ""), string(split(metadata.long, "")) == "b")`, tooLong},
		{`let l = map(split(key, ""), metadata.long); len(string(l)) > 0 && any(split(key, ""), string(l) == "")`, tooLong},

		{`any(split(metadata.long, ","), # == "b")`, ""},
		{`any(split(metadata.long, ","), any(split(content_type, "/"), # == "b"))`, ""},
		{`any(keys(metadata), any(split(metadata[#], ","), lower(#) matches "^b"))`, ""},
	} {
		f, err := compileAt(c.expression, testNow)
		if err != nil {
			t.Errorf("%s: %v", c.expression, err)
			continue
		}
		switch _, err := f.passes(long); {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.expression, err)
		case c.want != "" && (err == nil || !strings.HasSuffix(err.Error(), c.want)):
			t.Errorf("%s: %v, want %s", c.expression, err, c.want)
		}
		if _, err := f.passes(testObject()); err != nil && strings.Contains(err.Error(), "steps") { // each object has its own
			t.Errorf("%s: %v", c.expression, err)
		}
	}
}
