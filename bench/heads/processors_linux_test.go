package heads

import "testing"

func TestProcessors(t *testing.T) {
	for stat, want := range map[string][2]int64{
		"cpu  10 1 20 100 7 3 4 5 6 6\ncpu0 1 1 1 1\n": {43, 150}, // 6 and 6, of guests, are included in 10 and 1
		"cpu  10 1 20 100\n":                           {31, 131},
		"":                                             {0, 0},
		"intr 1 2 3":                                   {0, 0},
	} {
		if busy, all := parseProcessorTicks(stat); busy != want[0] || all != want[1] {
			t.Errorf("%q: %d of %d", stat, busy, all)
		}
	}
	if busy, all := processorTicks(); busy <= 0 || all < busy {
		t.Errorf("this machine: %d of %d", busy, all)
	}
}
