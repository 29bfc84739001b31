package scan

import (
	"context"
	"time"
)

const (
	// stalledAfter is how long a worker may be busy with one batch before others take from it what it has not come to: an answer that is long in
	// coming holds up itself, and not those behind it.
	stalledAfter = time.Second

	stealEvery = stalledAfter / 4
)

// stealStalled shares out the batches of workers that are held up, while others have nothing to do.
func (s *Scan) stealStalled(ctx context.Context) error {
	ticker := time.NewTicker(stealEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-s.inFlight.drained:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		for i := range s.current {
			if s.idle.Load() == 0 {
				break
			}
			b := s.current[i].Load()
			if b == nil || time.Since(b.begun) < stalledAfter {
				continue
			}
			if rest := b.split(); rest != nil {
				if err := s.retryAt(ctx, rest, 0); err != nil {
					return err
				}
			}
		}
	}
}
