// Package heads measures how many HEADs per second a store answers, and their latency. It does not write to the store.
//
// The nouns:
//
//   - Sample: the keys that HEADs are sent for. They are listed before the measurement.
//   - Step: a measurement with one number of workers, or at one rate.
//   - Closed loop: each worker sends its next HEAD after the answer to the last one. It measures the throughput that a
//     store sustains. It hardly shows a stall, since it sends nothing during one.
//   - Open loop: HEADs are planned at a fixed rate, whatever the store does, and their latency counts from the planned
//     start. A stall therefore affects the latencies of all HEADs that were planned during it (Gil Tene's "coordinated
//     omission").
//   - Knee: the smallest number of workers beyond which more workers increase the latency, but hardly the throughput.
package heads
