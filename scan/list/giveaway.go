package list

import "context"

// Split takes a Range out of the listing that no Page has covered: one that no Pager has begun, or else the upper part of the
// Range with most keys left. Another machine can list it. ok is false where nothing can be taken out now. The error is the
// cause of ctx's end.
func (l *ParallelLister) Split(ctx context.Context) (part Range, ok bool, err error) {
	l.mu.Lock()
	if last := len(l.queue) - 1; last >= 0 {
		part, l.queue = l.queue[last], l.queue[:last]
		l.mu.Unlock()
		return part, true, nil
	}
	candidate, guess := l.splitCandidate()
	if candidate == nil {
		l.mu.Unlock()
		return Range{}, false, nil
	}
	l.beginSplit(candidate, guess)
	l.mu.Unlock()
	pager, err := l.split(ctx, candidate, guess)
	if pager == nil {
		return Range{}, false, err
	}
	part, ok = pager.Rest()
	l.Done(pager)
	return part, ok, nil
}

// beginSplit counts a split that is under way. l.mu is held.
func (l *ParallelLister) beginSplit(candidate *activePager, guess string) {
	candidate.probing = append(candidate.probing, guess)
	l.splitting++
	l.splitRequests++
}
