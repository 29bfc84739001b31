package heads

import (
	"fmt"
	"time"

	"headcount/output/console"
)

// String returns a line for the status line.
func (p Progress) String() string {
	what := workersText(p.Workers)
	if p.Rate > 0 {
		what = formatExact(p.Rate) + " HEADs/s planned"
	}
	return fmt.Sprintf("step %d of %d, %s: %s HEAD/s, %s failed, %s left",
		p.Step, p.Steps, what, formatRate(p.HeadsPerSecond), console.Number(p.Errors), p.Left.Round(time.Second))
}

// String is a line for people who watch.
func (s *Step) String() string {
	return fmt.Sprintf(
		"%s: %s HEADs/s, p50 %s ms, p99 %s ms, %s failed",
		s.title(),
		formatRate(s.HeadsPerSecond),
		formatMillis(s.Latency.P50),
		formatMillis(s.Latency.P99),
		console.Number(s.Errors),
	)
}
