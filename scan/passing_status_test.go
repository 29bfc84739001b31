package scan

import (
	"hash/crc32"
	"strconv"
	"testing"
	"testing/synctest"
	"time"
)

// No object fails because a store, or a gateway in front of it, answers some HEADs with one of these statuses.
func TestPassingStatuses(t *testing.T) {
	for _, status := range []int{425, 429, 499, 500, 501, 505, 507, 519, 530, 598, 599} {
		synctest.Test(t, func(t *testing.T) {
			const objects = 1_000
			sim := simulation{keys: objects, answer: func(key string, n int) simulatedAnswer {
				if crc32.ChecksumIEEE([]byte(key+strconv.Itoa(n)))%5 == 0 {
					return simulatedAnswer{after: time.Millisecond, status: status}
				}
				return simulatedAnswer{after: time.Millisecond}
			}}
			stats, _, err := sim.run(t, t.Context(), Config{Workers: 16, All: true})
			if err != nil || stats.Emitted != objects || stats.Requests["head"][strconv.Itoa(status)] == 0 {
				t.Errorf("%d: got %+v, error %v; want %d emitted", status, stats.Outcomes, err, objects)
			}
		})
	}
}
