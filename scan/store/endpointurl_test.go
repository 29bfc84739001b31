package store

import (
	"strings"
	"testing"
)

func TestCheckEndpoint(t *testing.T) {
	for _, good := range []string{"http://h", "https://h:9000/", "http://[::1]:9000", "https://h/path"} {
		if err := CheckEndpoint(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{
		"", "h", "h:9000", "ftp://h", "http://", "http://u:p@h", "http://h/?q", "http://h/#f", "http://h:port", "://",
	} {
		if err := CheckEndpoint(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

// Neither the error of a wrong endpoint nor a redacted URL has anything of a user, a password or a query.
func TestRedactURL(t *testing.T) {
	for url, want := range map[string]string{
		"http://h:9000/path":                     "http://h:9000/path",
		"s3://b/p":                               "s3://b/p",
		"https://[::1]:9000":                     "https://[::1]:9000",
		"h:9000":                                 "h:9000",
		"http://user:secret@h:9000/path":         "http://h:9000/path",
		"http://secret@h":                        "http://h",
		"http://user:secret@h:90 00":             "http://h:…",
		"http://user:secret@h:90 00/path":        "http://h:…/path",
		"http://user:se/cret@h":                  "http://h",
		"http://user:secret#x@h":                 "http://…",
		"http://user:sec?ret@h":                  "http://…",
		"http://user:secret%40h:9000":            "http://h:9000",
		"http://user:secret%zz@h":                "http://h",
		"http://user:secret@secret@h":            "http://h",
		"http://user:secret":                     "http://user:…",
		"http://h/?token=secret":                 "http://h/",
		"http://h?mail=a@b&token=secret":         "http://…",
		"https://b.h/k?X-Amz-Signature=secret#f": "https://b.h/k",
		"http://h/#secret":                       "http://h/",
		"user:secret@h:9000":                     "h:9000",
		"http:user:secret@h":                     "h",
		"user:secret@h://x":                      "h://x",
		"":                                       "",
	} {
		if got := RedactURL(url); got != want {
			t.Errorf("%q is redacted to %q, want %q", url, got, want)
		}
		if err := CheckEndpoint(url); err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error has the secret: %v", err)
		}
	}
}
