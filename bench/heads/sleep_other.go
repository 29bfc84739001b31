//go:build !linux

package heads

import "time"

// preciseSleep sleeps for d.
func preciseSleep(d time.Duration) { time.Sleep(d) }
