package heads

import (
	"context"
	"sync"

	"headcount/scan/fault"
)

// runClosed lets each worker send HEADs one after the other until the Step ends. They go through the sample in turn,
// each from a place of its own.
func (s *step) runClosed(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range s.workers {
		wg.Go(func() {
			a := newSender(s, i*len(s.keys)/s.workers)
			defer a.close()
			for !a.ended && a.send(ctx, max(batchMin, pipelineFills*s.pipeline)) {
				if a.failuresInRow > 1 && fault.Sleep(ctx, failurePause) != nil {
					return
				}
			}
		})
	}
	wg.Wait()
}
