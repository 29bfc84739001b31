package heads

import (
	"syscall"
	"time"
)

// preciseSleep sleeps for d. It is late by the kernel's 50 microseconds, while the timers of Go's runtime may be late
// by a millisecond. A signal may end the sleep early.
func preciseSleep(d time.Duration) {
	t := syscall.NsecToTimespec(d.Nanoseconds())
	_ = syscall.Nanosleep(&t, nil)
}
