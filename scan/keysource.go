package scan

import (
	"context"
	"sync"

	"headcount/scan/list"
)

// KeySource has the objects of a scan, in place of the listing of a bucket: list.Keys, or a file that names them. It
// hands them out in an order of its own, each under a place. The places of its Pages are the Ranges of a Checkpoint:
// texts that increase as bytes in the order of the objects. They are the keys where the source is sorted by key, and
// otherwise positions as decimal numbers of one width.
type KeySource interface {
	// Pager returns the Pages of a Range of places. The zero Range is all of them. Pager is called for one Range after the
	// other: in the order of places, when the Pages of the Range before are handed out. The error of PageSource.Next ends
	// the run; what was committed can be resumed.
	Pager(list.Range) list.PageSource

	// Hash identifies the content: a Checkpoint of this source is not one of another source.
	Hash() string
}

// keySource hands out the known keys of some Ranges, one Range after the other.
func keySource(keys KeySource, ranges []list.Range) source {
	var mu sync.Mutex
	return func(ctx context.Context) (*walk, error) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case len(ranges) == 0:
			return nil, nil
		}
		next := ranges[0]
		ranges = ranges[1:]
		return &walk{
			pages:   keys.Pager(next),
			isFirst: func() (bool, <-chan struct{}) { return true, nil }, // one walk comes after the other
			close:   func() {},
		}, nil
	}
}
