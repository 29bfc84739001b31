// Package scan reads a bucket: from Ranges of keys to Records. Each listed object gets exactly one Outcome.
//
//	source ──► producer ──► workerPool ──► committer ──► Sink
//	Ranges     pages, in    HEADs, by N    whole pages   and then
//	(A, B]     batches      workers        in turn       a Checkpoint
//	                          ▲    │
//	                          │    ├─► retryQueue ── a batch whose time has come ─► workerPool
//	                          │    ├─► verifier ── asks the canary ─► retryQueue, committer
//	                          │    └─► lookups ── sends further requests ─► committer
//	                      autoscaler
//
// The way of a key, from the LIST to its Record:
//
//   - producer (producer.go) has several listers. Each takes a walk over a Range from the source (source.go), and lists
//     its Pages. A page (page.go) takes a place in the pageLimit until it is committed. Its objects become batches,
//     small enough that all workers share a page.
//   - workerPool (pool.go) queues the batches. A worker (worker.go) takes one, and sends its HEADs through the Session
//     of its connection (connect.go). autoscaler (autoscale.go) chooses how many workers run. Those that can have no
//     connection are parked (members.go).
//   - With each answer, the worker decides about one object (outcome.go). answer.Classifier says what the answer means.
//     An object that was found gets its Outcome from the encoder (encode.go), and mostly a Record. An object that fails
//     is an ObjectError. Any other object is unresolved.
//   - What the answers amount to is kept in the sentBatch (sent.go) until they are final: no later answer can show that
//     they belong to other requests. Then the results go to the page, and its unresolved objects on.
//   - retryQueue (retry.go) holds what is sent again. An object that waits occupies no worker; its page stays open.
//   - verifier (verify.go) decides about refusals, whose reason a HEAD cannot say. It asks the canary: a LIST. An
//     object is gone only if another LIST lacks its key (list.GoneChecker).
//   - lookups (lookups.go) sends further requests for objects that were found, where Config.Lookups asks for some. Only
//     then are Records encoded behind the workers.
//   - committer (commit.go) is the one goroutine that writes. It writes a page when the last object has its Outcome,
//     and takes its Range off those that are pending (pending.go).
//
// Each stage owns its input channel. Nobody closes these channels, since objects can go back from a later stage to an
// earlier one. Instead inFlight counts the producer and the pages that are not committed; when it is Done, all stages
// return. An error of any stage, or the end of the context, ends all stages at their next send or receive.
//
// Stages share two things, and otherwise only hand objects on: storeAccess, by which HEADs get to the store and are
// counted, and findings, which the answers have shown about the store (access.go).
//
// What a run promises:
//
//   - listed = emitted + without_metadata + filtered + gone + failed, in whole pages, however the run ends.
//   - A page is handed to the Sink as a whole or not at all. A page that the Sink failed to write (OutputError) may be
//     written in part.
//   - Until the first page is written, the results of an earlier run stay as they are (Config.Begin).
//   - Run returns nil only if every key of the Range has its Outcome and the Sink is closed.
//   - Memory is bounded by the bytes of the pages in flight (pagelimit.go) and of their Records (recordlimit.go), and
//     does not grow with the bucket. The exceptions are list.OrderAny and Config.VerifyListing, which remember hashes
//     of all keys (list.KeySet).
package scan
