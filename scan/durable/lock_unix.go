//go:build unix

package durable

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// lock locks an open file until it is closed. gofrs/flock opens the file itself, by a descriptor of its own; on Windows
// such a lock would keep out the writes through ours.
func lock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return nil // some file systems have no locks
}

// keepOwner gives a file the owner of another one, if the user may do that.
func keepOwner(f *os.File, of fs.FileInfo) {
	if stat, ok := of.Sys().(*syscall.Stat_t); ok {
		_ = f.Chown(int(stat.Uid), int(stat.Gid)) // only root may give files away
	}
}
