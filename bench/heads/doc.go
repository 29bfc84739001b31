// Package heads measures how many HEADs per second a store answers, and how fast, without writing to it.
//
// The nouns:
//
//   - Sample: the keys that HEADs are sent for, taken by LIST before anything is measured.
//   - Step: one number of workers, or one rate, held for a while.
//   - Closed loop: each worker sends its next HEAD when the last one is answered. It finds out what a store sustains;
//     of a store that stalls it sees little, since it asks nothing meanwhile.
//   - Open loop: HEADs are planned at a fixed rate, whatever the store does, and their latency counts from the planned
//     start. So a stall is in the latencies of all that should have been sent in it (Gil Tene's "coordinated
//     omission").
//   - Knee: the smallest number of workers after which more of them bring next to nothing but latency.
package heads
