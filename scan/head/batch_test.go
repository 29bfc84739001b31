package head

import (
	"fmt"
	"sync"
	"testing"

	"headcount/scan/list"
)

// While one goroutine claims entries and others split the rest, and split those parts again, each entry belongs to
// exactly one Batch.
func TestBatchSplitsConcurrently(t *testing.T) {
	for _, size := range []int{0, 1, 2, 1000} {
		for _, step := range []int{1, 7} {
			t.Run(fmt.Sprint(size, step), func(t *testing.T) {
				entries := make([]list.Entry, size)
				for i := range entries {
					entries[i].Key = fmt.Sprint(i)
				}
				var (
					mu   sync.Mutex
					wg   sync.WaitGroup
					done = map[string]int{}
					own  func(entries []list.Entry)
				)
				own = func(entries []list.Entry) {
					b := NewBatch(entries)
					wg.Go(func() {
						if first, count := b.Split(); count > 0 {
							own(entries[first : first+count])
						}
					})
					wg.Go(func() {
						for n := -1; ; {
							if n > 0 && n%3 == 0 {
								b.Release(n - 1)
							}
							claimed := b.Claim(step)
							if len(claimed) <= n {
								break
							}
							n = len(claimed)
						}
						mu.Lock()
						defer mu.Unlock()
						for _, e := range b.Claim(0) {
							done[e.Key]++
						}
					})
				}
				own(entries)
				wg.Wait()
				for _, e := range entries {
					if done[e.Key] != 1 {
						t.Fatalf("%s was claimed %d times", e.Key, done[e.Key])
					}
				}
			})
		}
	}
	if first, count := new(Batch).Split(); first != 0 || count != 0 || len(new(Batch).Claim(1)) != 0 {
		t.Errorf("the zero Batch has %d entries from %d", count, first)
	}
}
