//go:build !linux

package process

import "syscall"

// childAttributes leaves a child in the process group of this process: the kernel cannot be asked to kill the child
// with its parent, but a signal to the terminal's group ends both.
func childAttributes() *syscall.SysProcAttr { return nil }
