// Package s3sim is a synthetic S3: HEAD and LIST over HTTP/1.1, answered from
// arithmetic. It holds no objects; a billion keys cost no memory, and every
// answer can be checked because everything in it follows from the key.
//
// The nouns:
//
//   - Keyspace: the keys, in order. Key i is computed from i, and the number of
//     keys below any bytes is computed from the keys. A Shape is how they look.
//   - Object: what is true of one key, computed from the key: metadata, ETag,
//     size, last-modified. Its Fate is what a HEAD of it will always meet.
//   - Server: the store. It owns listeners, connections and Counts.
//   - conn: one connection: requests are parsed where they lie in its read
//     buffer, answers are appended to its write buffer, and the write happens
//     once no complete request is left, so pipelined requests share it.
//   - Fault: something that happens to a request now and then, and not to its
//     retries for ever: a 503, a reset, a byte a second.
//   - Quirk: something the store always does wrong when it lists.
//
// It speaks HTTP by its own loop, not through net/http, because faults need the
// raw connection and because it must cost less than the client that it serves.
// It checks signatures by its own code, which shares nothing with what signs.
//
// The way of a request: conn.go reads, request.go parses, answer.go decides
// what is asked and who answers, head.go and list.go answer, faults.go and
// play.go get in the way, send.go writes.
package s3sim
