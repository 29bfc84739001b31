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

// Sink makes bytes of Records. Workers add Records to Chunks, all at once, each to its own; one goroutine commits.
type Sink interface {
	// NewChunk returns an empty Chunk. It is called concurrently.
	NewChunk() Chunk

	// Commit writes the Chunks of one page in their order, all of them or an error, and takes them back. It is called
	// from one goroutine. When it returns, the bytes have left the process.
	Commit([]Chunk) error
}

// Chunk is some Records of one page, encoded. It is not used concurrently.
type Chunk interface {
	Add(*Record)
}
