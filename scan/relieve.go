package scan

import (
	"context"
	"time"
)

const (
	// relieveAfter is how long a worker may be busy with one batch before others take from it what it has not come to: an answer that is long in
	// coming holds up itself, and not those behind it.
	relieveAfter = time.Second

	relieveEvery = relieveAfter / 4
)

// relieve shares out the batches of workers that are held up, while others have nothing to do.
func (s *Scan) relieve(ctx context.Context) error {
	ticker := time.NewTicker(relieveEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-s.unfinished.drained:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		for i := range s.asks {
			if s.idle.Load() == 0 {
				break
			}
			b := s.asks[i].Load()
			if b == nil || time.Since(b.begun) < relieveAfter {
				continue
			}
			if rest := b.split(); rest != nil {
				if err := s.later(ctx, rest, 0); err != nil {
					return err
				}
			}
		}
	}
}
