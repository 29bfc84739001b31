package heads

import (
	"strings"
)

func pageOf(t interface {
	Helper()
	Fatal(...any)
}, r *Report) string {
	t.Helper()
	var text strings.Builder
	if err := r.WritePage(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}
