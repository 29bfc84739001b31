//go:build !linux

package heads

import "time"

// nap sleeps for d.
func nap(d time.Duration) { time.Sleep(d) }
