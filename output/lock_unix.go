//go:build unix

package output

import (
	"errors"
	"os"
	"syscall"
)

// lock locks the file until it is closed, also by the end of the process. Two runs that write one file would mix their
// lines.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errors.New("another process is writing it")
	}
	return nil // some file systems have no locks
}
