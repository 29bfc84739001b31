//go:build !unix && !windows

package durable

import (
	"io/fs"
	"os"
)

// lock does nothing on a system without locks.
func lock(*os.File) error { return nil }

// keepOwner does nothing.
func keepOwner(*os.File, fs.FileInfo) {}
