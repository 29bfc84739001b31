package heads

import (
	"fmt"
	"time"
)

// String is a line for people who watch.
func (p Progress) String() string {
	what := number(p.Workers, "worker")
	if p.Rate > 0 {
		what = plain(p.Rate) + " HEADs/s planned"
	}
	return fmt.Sprintf("step %d of %d, %s: %s HEAD/s, %s failed, %s left",
		p.Step, p.Steps, what, perSecond(p.HeadsPerSecond), thousands(float64(p.Errors)), p.Left.Round(time.Second))
}

// String is a line for people who watch.
func (s *Step) String() string {
	return fmt.Sprintf("%s: %s HEADs/s, p50 %s ms, p99 %s ms, %s failed",
		s.name(), perSecond(s.HeadsPerSecond), short(s.Latency.P50), short(s.Latency.P99), thousands(float64(s.Errors)))
}
