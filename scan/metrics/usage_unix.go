//go:build unix

package metrics

import (
	"math"
	"runtime"
	"syscall"
	"time"
)

// Usage is the process's CPU time so far, user and system, and the most memory that it had resident, in bytes (0
// where the system does not tell).
func Usage() (cpu time.Duration, maxRSS int64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0
	}
	return UsageOf(&u)
}

// UsageOf reads from the kernel's account of a process what Usage says of this one.
func UsageOf(u *syscall.Rusage) (cpu time.Duration, maxRSS int64) {
	maxRSS = int64(u.Maxrss)
	if runtime.GOOS != "darwin" && runtime.GOOS != "ios" {
		maxRSS <<= 10 // kilobytes everywhere else
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), maxRSS
}

// MaxOpenFiles is how many files, and so connections, the process may have open; 0: nobody says.
func MaxOpenFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || uint64(limit.Cur) > math.MaxInt32 {
		return 0
	}
	return int(limit.Cur)
}
