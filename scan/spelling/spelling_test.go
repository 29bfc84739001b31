package spelling_test

import (
	"testing"

	"headcount/scan/spelling"
)

func TestNearest(t *testing.T) {
	names := []string{"workers", "quiet", "endpoint-url", "end-at", "version", "log-level", "log-format"}
	for word, want := range map[string]string{
		"wrokers": "workers", "w": "workers", "worker": "workers", "quite": "quiet", "v": "version", "endpoint": "endpoint-url",
		"owner": "", "l": "", "x": "", "qwerty": "", "": "",
	} {
		if got := spelling.Nearest(word, names); got != want {
			t.Errorf("%s: did you mean %q? want %q", word, got, want)
		}
	}
}
