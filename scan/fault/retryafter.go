package fault

import (
	"net/http"
	"strconv"
	"time"
)

// retryAfterMax bounds a Retry-After: a store that asks for an hour, or for 2099, is asked again after this.
const retryAfterMax = 2 * time.Minute

// RetryAfter reads a Retry-After header, in seconds or as a date: 0 where it is empty or cannot be read, at most 2 min.
// https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
func RetryAfter(header string) time.Duration {
	if header == "" {
		return 0
	}
	if seconds, err := strconv.Atoi(header); err == nil {
		return time.Duration(min(max(seconds, 0), int(retryAfterMax.Seconds()))) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(0, time.Until(at)), retryAfterMax)
	}
	return 0
}
