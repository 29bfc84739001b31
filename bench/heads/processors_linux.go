package heads

import (
	"os"
	"strconv"
	"strings"
)

// processorTicks returns how long the machine's processors have been busy, and how long they have existed, in ticks of
// the kernel. It returns zeros if the kernel does not say.
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
		steal       = 7    // the fields after it, of guests, are included in the ones before
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
