//go:build unix

package command

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// isStandIn reports whether the Go runtime has opened f. In place of a standard stream that is closed it opens
// /dev/null, for reading and writing, once for each (runtime/fds_unix.go). A shell opens /dev/null for writing alone. A
// parent that opens it for both, as daemon(3) and Python do, mostly uses one open file for several streams; where it
// uses one for standard output alone, nothing tells it from the runtime's.
func isStandIn(f *os.File) bool {
	info, err := f.Stat()
	null, nullErr := os.Stat(os.DevNull)
	if err != nil || nullErr != nil || info.Mode()&fs.ModeCharDevice == 0 || !os.SameFile(info, null) {
		return false
	}
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	return err == nil && flags&unix.O_ACCMODE == unix.O_RDWR &&
		!sharesOpenFile(f, os.Stdin, flags) && !sharesOpenFile(f, os.Stderr, flags)
}

// sharesOpenFile reports whether two descriptors have one open file description, and with it the same flags. flags are
// those of f.
func sharesOpenFile(f, other *os.File, flags int) bool {
	before, err := unix.FcntlInt(other.Fd(), unix.F_GETFL, 0)
	if err != nil || before != flags {
		return false
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_SETFL, flags^unix.O_APPEND); err != nil { // has no effect on /dev/null
		return false
	}
	after, err := unix.FcntlInt(other.Fd(), unix.F_GETFL, 0)
	_, _ = unix.FcntlInt(f.Fd(), unix.F_SETFL, flags) // it worked before
	return err == nil && after != before
}
