package inventory

import (
	"context"
)

// fetched is a file that is fetched and checked while the file before it is read.
type fetched struct {
	number int
	done   chan struct{}
	file   File // once done is closed
	err    error
}

// fetch returns a file by its number, and begins to fetch the next one.
func (inv *Inventory) fetch(ctx context.Context, number int) (File, error) {
	if inv.ahead == nil || inv.ahead.number != number {
		inv.ahead.close()
		inv.ahead = inv.begin(ctx, number)
	}
	now := inv.ahead
	select {
	case <-now.done:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	inv.ahead = nil
	if now.err == nil && number+1 < len(inv.manifest.Files) {
		inv.ahead = inv.begin(ctx, number+1)
	}
	return now.file, now.err
}

func (inv *Inventory) begin(ctx context.Context, number int) *fetched {
	f := &fetched{number: number, done: make(chan struct{})}
	go func() {
		defer close(f.done)
		f.file, f.err = inv.manifest.Files[number].open(ctx, inv.cfg.Fetch)
	}()
	return f
}

// close waits until nothing is fetched, and closes the file. It may be called on nil.
func (f *fetched) close() {
	if f == nil {
		return
	}
	<-f.done
	if f.file != nil {
		_ = f.file.Close() // it is only read
	}
}
