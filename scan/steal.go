package scan

import (
	"context"
	"time"
)

const (
	// stalledAfter is how long a worker may work at one batch before other workers get what it has not begun. An answer
	// that is late then delays its own object alone.
	stalledAfter = time.Second

	stealEvery = stalledAfter / 4
)

// stealStalled shares out the batches of stalled workers while others are idle. It also looks for workers whose
// connection is never served.
func (p *workerPool) stealStalled(ctx context.Context) error {
	ticker := time.NewTicker(stealEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-p.inFlight.Done():
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		p.abandonConnecting()
		for i := range p.current {
			if p.idle.count() == 0 {
				break
			}
			b := p.current[i].Load()
			if b == nil || time.Since(b.begun) < stalledAfter {
				continue
			}
			if err := p.splitBatch(ctx, i); err != nil {
				return err
			}
		}
	}
}
