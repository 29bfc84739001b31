//go:build unix

package engines

import (
	"os"
	"syscall"
	"time"

	"headcount/scan/metrics"
)

// kernelTells says whether what a process took can be had from the kernel.
const kernelTells = true

// usageOf is the CPU time of a process that has ended, and the most memory that it had resident, in bytes. The latter
// is at least what this process has: Linux counts what was resident between a child's start and its exec.
func usageOf(p *os.ProcessState) (cpu time.Duration, maxRSS int64) {
	return metrics.UsageOf(p.SysUsage().(*syscall.Rusage))
}

// killGroup kills a process that leads a group, and the group.
func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }
