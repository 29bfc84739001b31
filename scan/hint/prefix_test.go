package hint

import "testing"

func TestForEmptyPrefix(t *testing.T) {
	for prefix, want := range map[string]string{
		"logs/*":      "* means itself in a prefix: s3://b/logs/ names every key that begins so",
		"*":           "* means itself in a prefix: s3://b/ names every key that begins so",
		"a/202?/x*":   "? means itself in a prefix: s3://b/a/202 names every key that begins so",
		"logs/[ab]":   "[ means itself in a prefix: s3://b/logs/ names every key that begins so",
		"/logs/":      "the prefix begins with a slash: s3://b/logs/ has none",
		"my%20logs/":  "% means itself in a prefix: s3://b/my logs/",
		"100%/":       "a prefix is compared with keys byte by byte, with upper and lower case",
		"//":          "the prefix begins with a slash: s3://b/ has none",
		"Logs/":       "a prefix is compared with keys byte by byte, with upper and lower case",
		"s p a/c\xff": "a prefix is compared with keys byte by byte, with upper and lower case",
	} {
		if got := ForEmptyPrefix("b", prefix); got != want {
			t.Errorf("%q: %s", prefix, got)
		}
	}
}
