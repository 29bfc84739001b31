package cli

import (
	"slices"
	"strings"
	"testing"

	"headcount/scan/field"
)

// The help of scan names every Field, and the help of list those that a LIST has.
func TestHelpNamesTheFields(t *testing.T) {
	for name, c := range map[string]struct{ has, hasNot string }{
		"scan": {strings.Join(field.Names(field.Every()), " "), ""},
		"list": {"key size etag last_modified storage_class prefix", "metadata content_type tag_count changed"},
	} {
		_, help, _ := runs(t, name, "--help")
		_, help, _ = strings.Cut(help, "The fields for --fields and --filter")
		help, _, _ = strings.Cut(help, "OPTIONS")
		words := strings.Fields(help)
		for _, field := range strings.Fields(c.has) {
			if !slices.Contains(words, field) {
				t.Errorf("the help of %s does not name %s", name, field)
			}
		}
		for _, field := range strings.Fields(c.hasNot) {
			if slices.Contains(words, field) {
				t.Errorf("the help of %s names %s", name, field)
			}
		}
	}
}
