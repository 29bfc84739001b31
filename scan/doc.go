// Package scan reads a bucket: from a Range of keys to Records, each object with exactly one Outcome.
//
//	Range ──► list ──► work ──► workers ──► finished ──► commit ──► Sink
//	(A, B]    pager    batches  N sessions   pages        one        whole pages
//	                     ▲         │                      goroutine
//	                   again ◄─ waiting ◄── judge
//
// A lister pages through a Range and cuts each Page into batches small enough that all workers share it. While workers have nothing to do, more
// listers split what the others have left (list.ParallelLister). How many workers there are, staff decides by what the store rewards. A
// worker sends a batch of HEADs through its session and encodes the Records as their answers come. What must be asked
// again goes onto the waiting list and occupies no worker; what the answer alone cannot decide goes to the judge, who
// asks the canary. When the last object of a page has its Outcome, the page goes to the committer, which alone writes.
//
// With --engine list and a store that lists metadata, most HEADs are not sent (listmeta.go): a session answers from the page.
//
// What is promised:
//
//   - listed = emitted + without_metadata + filtered + gone + failed, for whole pages, however the run ends.
//   - A page is handed to the Sink as a whole or not at all. What the Sink could not write (OutputError) may have left
//     a part of a page behind.
//   - Run returns nil only if every key of the Range has its Outcome.
//   - Memory is bounded by the pages in flight, not by the bucket.
//
// Who ends what: the run is drained when the listers are through and every page is committed; then all stages return.
// An error of any stage, or the end of the context, ends all of them at their next send or receive.
package scan
