//go:build !linux

package engines

import "syscall"

// tied leaves a child in this process's group: what ends all of a terminal's processes ends it too, since there is no
// asking the kernel to.
func tied() *syscall.SysProcAttr { return nil }
