package heads

import (
	"syscall"
	"time"
)

// preciseSleep sleeps for d, and is late by the kernel's 50 microseconds, where the runtime's timers are by up to a
// millisecond. A signal may end it early.
func preciseSleep(d time.Duration) {
	t := syscall.NsecToTimespec(d.Nanoseconds())
	_ = syscall.Nanosleep(&t, nil)
}
