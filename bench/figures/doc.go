// Package figures describes measured values, for all benchmarks: the machine that they are of, how far the rounds of a
// measurement spread, tables of them, and whether they reach a threshold.
package figures
