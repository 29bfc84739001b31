// Package s3sim is a synthetic S3 server. It answers HEAD, LIST and the requests for tags and annotations over HTTP/1.1
// and stores no objects: it computes keys, metadata and listings. A billion keys cost no memory, and a test can check
// every response, because everything in it follows from the key.
//
// The nouns:
//
//   - Keyspace: the keys of the bucket, in order. It computes key i from i, and the rank of any bytes among the keys.
//     A Shape names the pattern of the keys.
//   - Object: the metadata, ETag, size and last-modified time of one key, computed from the key.
//   - HeadState: the permanent result of a HEAD of one key, such as 404 or 403.
//   - Server: the store. It owns the listeners, the connections and the Counts.
//   - conn: one connection. It parses requests in its read buffer without copying them and appends responses to its
//     write buffer. It writes when no complete request is left, so that pipelined requests share one write.
//   - Fault: a transient failure of a request, such as a 503, a reset or one byte a second. Retries get past it.
//   - Quirk: a permanent deviation of the store's listings from S3.
//   - Version: one of a key's versions, or a delete marker. The Keyspace knows keys alone.
//   - Tagging: how the store tells the tags of objects.
//   - Annotation: an annotation of an object, without its content.
//   - Excess: what becomes of connections above a maximum.
//   - ListForm: the elements of a listing and their order, after a real store.
//
// s3sim has an HTTP loop of its own instead of net/http: faults need the raw connection, and the server must cost less
// CPU than the client that it measures. It verifies signatures with code of its own, which it shares with no signer.
//
// A request passes through these files: conn.go reads it, request.go parses it, route.go finds the operation,
// respond.go schedules and dispatches it, head.go, list.go, tags.go and annotations.go build the response, faults.go
// and inject.go replace the response by a fault, and send.go or delay.go writes it.
package s3sim
