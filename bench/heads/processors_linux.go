package heads

import (
	"os"
	"strconv"
	"strings"
)

// processorTicks is how long the machine's have been busy, and how long there were any, in the kernel's ticks. Zeros:
// it does not tell.
// https://man7.org/linux/man-pages/man5/proc_stat.5.html
func processorTicks() (busy, all int64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	return parseProcessorTicks(string(text))
}

func parseProcessorTicks(stat string) (busy, all int64) {
	const (
		idle, waits = 3, 4 // for disks
		steal       = 7    // what follows is counted in what stands before
	)
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	if len(fields) == 0 || fields[0] != "cpu" {
		return 0, 0
	}
	for i, field := range fields[1:] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil || i > steal {
			break
		}
		all += ticks
		if i != idle && i != waits {
			busy += ticks
		}
	}
	return busy, all
}
