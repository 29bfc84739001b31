//go:build !linux

package heads

// processorTicks returns zeros: only Linux publishes the ticks.
func processorTicks() (busy, all int64) { return 0, 0 }
