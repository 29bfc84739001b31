package scan

import (
	"headcount/scan/head"
	"headcount/scan/list"
)

// Record is what is known of one object. It and what it points to are valid only during Chunk.Add.
type Record struct {
	Entry *list.Entry  // what the LIST said
	Head  *head.Result // what the HEAD said

	// Changed is set where the two disagree about the object's ETag or length, on a fresh connection too: it was
	// overwritten between them. The Record is what the HEAD said then.
	Changed bool
}
