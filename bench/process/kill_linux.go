package process

import "syscall"

// childAttributes puts a child into a process group of its own, and has the kernel kill it when this process is killed.
// A terminal's ^C then reaches this process alone, so that the error names the signal, and not how a child reacted to
// it. The kernel kills the child when the thread ends that started it; no thread of headcount ends before the process.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
