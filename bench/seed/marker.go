package seed

import (
	"strings"

	"headcount/bench/s3sim"
	"headcount/scan/head"
)

const (
	// folderName marks every key as an object of a Seed.
	folderName = "headcount-seed/"

	// markerName marks its metadata: x-amz-meta-headcount-seed.
	markerName = "headcount-seed"
)

// Folder returns the beginning of the keys that are put and deleted below a prefix. It appends a slash to a prefix that
// has none. The Folder of a Folder is itself, so that the printed name of a Folder can be given to another run.
func Folder(prefix string) string {
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	if prefix == folderName || strings.HasSuffix(prefix, "/"+folderName) {
		return prefix
	}
	return prefix + folderName
}

// marker returns the Marker's value for a key.
func marker(key string) string { return s3sim.ID([]byte(key)) }

// hasMarker reports whether the answer to a HEAD has the Marker of this key.
func hasMarker(key string, r *head.Result) bool {
	for _, field := range r.Metadata {
		if string(field.Name) == markerName {
			return string(field.Value) == marker(key)
		}
	}
	return false
}
