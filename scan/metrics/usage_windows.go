package metrics

import (
	"syscall"
	"time"
)

// Usage returns the CPU time of this process so far, user and system; 0 if the system does not know it. maxRSS is
// always 0. It may be called concurrently.
func Usage() (cpu time.Duration, maxRSS int64) {
	process, err := syscall.GetCurrentProcess()
	if err != nil {
		return 0, 0
	}
	var created, exited, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(process, &created, &exited, &kernel, &user); err != nil {
		return 0, 0
	}
	return filetimeDuration(kernel) + filetimeDuration(user), 0
}

// filetimeDuration converts a Filetime that is a duration, in units of 100 ns. Filetime.Nanoseconds would take it
// for a date since 1601.
func filetimeDuration(f syscall.Filetime) time.Duration {
	return time.Duration(int64(f.HighDateTime)<<32|int64(f.LowDateTime)) * 100
}

// MaxOpenFiles returns 0: there is no limit.
func MaxOpenFiles() int { return 0 }
