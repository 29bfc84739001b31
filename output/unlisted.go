package output

// Unlisted are the names of those fields that no listing gives, be it one with metadata: for them a HEAD is needed.
func Unlisted(fields []Field) []string {
	var names []string
	for _, f := range fields {
		switch f.Name {
		case "key", "metadata", "size", "etag", "last_modified", "storage_class":
		default:
			names = append(names, f.Name)
		}
	}
	return names
}
