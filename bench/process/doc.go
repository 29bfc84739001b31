// Package process runs the programs that the benchmarks measure, and the stores that they measure against, each in a
// process of its own.
//
// The nouns:
//
//   - Usage: the CPU time, the memory and the wall time of a process that has ended, as the kernel counts them.
//   - Store: headcount bench serve in a process of its own, so that its cost is in no figure of the client's process.
//
// A process that this package starts ends with its context. On Linux it also ends when the benchmark is killed.
package process
