//go:build unix

package metrics

import (
	"math"
	"runtime"
	"syscall"
	"time"
)

// Usage returns the CPU time of this process so far, user and system, and the most memory that it had resident, in
// bytes. Both are 0 if the system does not know them. It may be called concurrently.
func Usage() (cpu time.Duration, maxRSS int64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0
	}
	return UsageOf(&u)
}

// UsageOf returns what Usage returns, for the process that u describes.
func UsageOf(u *syscall.Rusage) (cpu time.Duration, maxRSS int64) {
	maxRSS = int64(u.Maxrss)
	if runtime.GOOS != "darwin" && runtime.GOOS != "ios" {
		maxRSS <<= 10 // Darwin counts bytes, all other systems kilobytes
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), maxRSS
}

// MaxOpenFiles returns how many files and connections the process may have open at once; 0 if there is no limit.
func MaxOpenFiles() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil || uint64(limit.Cur) > math.MaxInt32 {
		return 0
	}
	return int(limit.Cur)
}
