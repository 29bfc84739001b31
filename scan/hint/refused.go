package hint

import "net/http"

// ForEveryHeadRefused returns what the user can do where the store takes LISTs, and refuses every HEAD with a status.
func ForEveryHeadRefused(status int) string {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "the store takes LISTs and refuses every HEAD: a HEAD needs s3:GetObject, and a proxy that turns HEAD into " +
			"GET makes its signature wrong (nginx: proxy_cache_convert_head off)"
	}
	return "the store takes LISTs and refuses every HEAD: a proxy or a gateway before it may not let HEADs pass"
}
