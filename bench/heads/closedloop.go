package heads

import (
	"context"
	"sync"

	"headcount/scan/fault"
)

// runClosed runs all workers until the Step ends. Each sends one HEAD after the other. The workers begin at different
// keys, and take the keys in order.
func (s *step) runClosed(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range s.workers {
		wg.Go(func() {
			sender := newSender(s, i*len(s.keys)/s.workers)
			defer sender.close()
			for !sender.ended && sender.send(ctx, max(batchMin, pipelineFills*s.pipeline)) {
				if sender.failuresInRow > 1 && fault.Sleep(ctx, failurePause) != nil {
					return
				}
			}
		})
	}
	wg.Wait()
}
