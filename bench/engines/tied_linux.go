package engines

import "syscall"

// tied ties a child to this process: a terminal's ^C comes to us alone, so that what is said of it is why it was stopped
// and not how a child took it; and should we be killed, the kernel kills the child. It does so when the thread ends that
// started the child, and in headcount none ends before the process does.
func tied() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
