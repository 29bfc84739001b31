// Package scan reads a bucket: from Ranges of keys to Records. Each listed object gets exactly one Outcome.
//
//	Source ──► producer ──► workerPool ──► committer ──► Sink
//	Ranges     pages, in    HEADs, by N    whole pages   and then
//	(A, B]     batches      workers        in turn       a Checkpoint
//	                          ▲    │
//	                          │    ├─► retryQueue ── a batch whose time has come ─► workerPool
//	                          │    └─► verifier ── asks the canary ─► retryQueue, committer
//	                      autoscaler
//
// The stages, in the order in which a key passes them:
//
//   - producer (producer.go) lists the pages of a source (source.go), by several listers at once, and cuts each page
//     into batches: small enough that all workers share a page.
//   - workerPool (pool.go, worker.go) sends a HEAD for each object, decides what the answer means (outcome.go), and
//     encodes the Record. autoscaler (autoscale.go) chooses the number of workers. Those that can have no connection
//     are parked (members.go, connect.go).
//   - retryQueue (retry.go) holds what is sent again. An object that waits occupies no worker; its page stays open.
//   - verifier (verify.go) decides about refusals, whose reason a HEAD cannot say. It asks the canary: a LIST.
//   - committer (commit.go) is the one goroutine that writes. It writes a page when the last object has its Outcome.
//
// Each stage owns its input channel. Nobody closes these channels, since objects can go back from a later stage to an
// earlier one. Instead inFlight counts the producer and the pages that are not committed; when it is Done, all stages
// return. An error of any stage, or the end of the context, ends all stages at their next send or receive.
//
// What a run promises:
//
//   - listed = emitted + without_metadata + filtered + gone + failed, in whole pages, however the run ends.
//   - A page is handed to the Sink as a whole or not at all. A page that the Sink failed to write (OutputError) may be
//     written in part.
//   - Until the first page is written, the results of an earlier run stay as they are (Config.Begin).
//   - Run returns nil only if every key of the Range has its Outcome and the Sink is closed.
//   - Memory is bounded by the bytes of the pages in flight (pagelimit.go), and does not grow with the bucket. The
//     exceptions are list.OrderAny and Config.VerifyListing, which remember hashes of all keys (list.KeySet).
package scan
