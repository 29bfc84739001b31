package seed

import (
	"strings"

	"headcount/bench/s3sim"
	"headcount/scan/head"
)

const (
	// folderName says in every key whose it is.
	folderName = "headcount-seed/"

	// markerName says it in the metadata: x-amz-meta-headcount-seed.
	markerName = "headcount-seed"
)

// Folder is how the keys begin that are put and deleted below a prefix. A prefix that has no slash at its end gets one, and
// the Folder of a Folder is itself, so that the name which a run tells can be given to another.
func Folder(prefix string) string {
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	if prefix == folderName || strings.HasSuffix(prefix, "/"+folderName) {
		return prefix
	}
	return prefix + folderName
}

// marker is the value of the Marker of a key.
func marker(key string) string { return s3sim.ID([]byte(key)) }

// hasMarker says whether the answer to a HEAD has the Marker of this key.
func hasMarker(key string, r *head.Result) bool {
	for _, field := range r.Metadata {
		if string(field.Name) == markerName {
			return string(field.Value) == marker(key)
		}
	}
	return false
}
