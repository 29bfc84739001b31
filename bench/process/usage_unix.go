//go:build unix

package process

import (
	"os"
	"syscall"
	"time"

	"headcount/scan/metrics"
)

const usageKnown = true

// usageOf returns the CPU time of a process that has ended, and its largest resident memory in bytes.
func usageOf(p *os.ProcessState) (cpu time.Duration, maxRSS int64) {
	return metrics.UsageOf(p.SysUsage().(*syscall.Rusage))
}

// killGroup kills a process that leads a process group, and the group.
func killGroup(p *os.Process) error { return syscall.Kill(-p.Pid, syscall.SIGKILL) }
