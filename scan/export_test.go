package scan

import (
	"time"

	"headcount/scan/pace"
)

// LimitOf is what is said to limit a run with that limit of the user's, of which a window was seen that took so much CPU time.
func LimitOf(rate float64, seen pace.Window, cpu time.Duration) string {
	s := &Scan{cfg: Config{Rate: rate}, pageSem: make(chan struct{}, 1)}
	return s.limitOf(seen, cpu).name()
}

// Thinned is what is kept of a path of these steps.
func Thinned(steps []Step) []Step {
	var p path
	for _, step := range steps {
		p.add(step)
	}
	return p.steps()
}

// PagesFor is how many pages may be in flight.
func PagesFor(workers, listers int) int {
	s := &Scan{depth: 1}
	return s.maxPages(workers, listers)
}
