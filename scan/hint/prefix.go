package hint

import (
	"fmt"
	"net/url"
	"strings"
)

// ForEmptyPrefix returns what the user may have meant by a prefix with which no key begins.
func ForEmptyPrefix(bucket, prefix string) string {
	if bare := strings.TrimLeft(prefix, "/"); bare != prefix {
		return fmt.Sprintf("the prefix begins with a slash: s3://%s/%s has none", bucket, bare)
	}
	if at := strings.IndexAny(prefix, "*?["); at >= 0 {
		return fmt.Sprintf("%c means itself in a prefix: s3://%s/%s names every key that begins so",
			prefix[at], bucket, prefix[:at])
	}
	if plain, err := url.PathUnescape(prefix); err == nil && plain != prefix {
		return fmt.Sprintf("%% means itself in a prefix: s3://%s/%s", bucket, plain)
	}
	return "a prefix is compared with keys byte by byte, with upper and lower case"
}
