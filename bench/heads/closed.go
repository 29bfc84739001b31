package heads

import (
	"context"
	"sync"

	"headcount/scan/pace"
)

// runClosed lets each worker send HEADs one after the other until the Step ends. They go through the sample in turn, each from a place of its own.
func (s *step) runClosed(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range s.workers {
		wg.Go(func() {
			a := newAsker(s, i*len(s.sample)/s.workers)
			defer a.close()
			for !a.isOver && a.ask(ctx, max(batchMin, pipelineFill*s.depth)) {
				if a.failures > 1 && pace.Sleep(ctx, failPause) != nil {
					return
				}
			}
		})
	}
	wg.Wait()
}
