package seed

import (
	"fmt"
	"strings"

	"headcount/bench/s3sim"
)

// Metadata is the kind of custom metadata that objects carry beside the Marker.
type Metadata string

const (
	None  Metadata = "none"  // nothing
	Small Metadata = "small" // two: id, owner
	Usual Metadata = "usual" // as in s3sim: id, owner, and project of every third; one object of ten has none
	Large Metadata = "large" // id and eight more: with the Marker 1,700 bytes
	Mixed Metadata = "mixed" // one of those above, chosen by the key
)

// Metadatas returns all kinds of Metadata.
func Metadatas() []Metadata { return []Metadata{None, Small, Usual, Large, Mixed} }

const (
	// largeBytes is near the 2 KB that S3 allows for names and values. It leaves room for stores that count more of a
	// request: gofakes3 counts all its x-amz- headers, names included, and allows 2,000 bytes.
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
	largeBytes = 1700
	largeNames = 8
)

// of returns the metadata of the object with this key, with the Marker. sim knows the usual metadata.
func (m Metadata) of(sim *s3sim.Server, key string) map[string]string {
	id := s3sim.ID([]byte(key))
	usual := sim.Object([]byte(key)).Metadata()
	if m == Mixed {
		kinds := []Metadata{None, Small, Usual, Large}
		m = kinds[id[len(id)-1]%byte(len(kinds))] // a hexadecimal digit: consecutive ones select different kinds
	}
	metadata := map[string]string{}
	switch m {
	case Small:
		metadata["id"], metadata["owner"] = id, "alice"
	case Usual:
		metadata = usual
	case Large:
		metadata["id"] = id
		left := largeBytes - len(markerName) - len(id) - len("id") - len(id)
		for i := range largeNames {
			name := fmt.Sprintf("large-%d", i)
			length := left/(largeNames-i) - len(name)
			metadata[name] = strings.Repeat(id, length/len(id)+1)[:length]
			left -= len(name) + length
		}
	}
	metadata[markerName] = marker(key)
	return metadata
}
