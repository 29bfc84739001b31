//go:build unix

package seed

import (
	"io/fs"
	"syscall"
)

// fileOwner returns the numbers of the user and the group that own a file.
func fileOwner(info fs.FileInfo) (uid, gid uint64, known bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return uint64(stat.Uid), uint64(stat.Gid), true
}
