package metrics

import (
	"syscall"
	"time"
)

// Usage is the process's CPU time so far, user and system, and the most memory that it had resident, in bytes (0
// where the system does not tell).
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

// filetimeDuration reads a Filetime that is a duration, in its unit of 100 ns. Its own Nanoseconds takes it for a date.
func filetimeDuration(f syscall.Filetime) time.Duration {
	return time.Duration(int64(f.HighDateTime)<<32|int64(f.LowDateTime)) * 100
}

// MaxOpenFiles is how many files, and so connections, the process may have open; 0: nobody says.
func MaxOpenFiles() int { return 0 }
