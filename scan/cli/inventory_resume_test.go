//go:build unix

package cli

import (
	"math/rand/v2"
	"testing"
	"time"

	"headcount/bench/inventory"
	"headcount/bench/s3sim/simtest"
	"headcount/scan/exit"
)

// A scan from an Inventory may be killed as often as one likes, as TestKilled does with that of a bucket.
func TestKilledWithInventory(t *testing.T) {
	t.Parallel()
	most := 4
	if *kills != killsDefault {
		most = *kills
	}
	if testing.Short() {
		most = 2
	}
	for _, format := range []string{"CSV", "Parquet"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			options := killedOptions()
			options.Objects /= 4
			server, url := simtest.Start(t, options)
			_, manifest := writeInventory(t, inventory.Config{Format: format, Files: 3, Versions: true}, inventoryOf(server))
			for killed := 0; killed < most; {
				r := newResumed(t, url, "o.jsonl")
				r.args = append(r.args, "--inventory", manifest)
				for code := -1; code == -1; {
					c := r.start()
					if killed < most {
						after := 100*time.Millisecond + rand.N(400*time.Millisecond)
						timer := time.AfterFunc(after, func() { _ = c.Process.Kill() })
						defer timer.Stop()
					}
					_ = c.Wait() // ProcessState has the exit code
					if code = c.ProcessState.ExitCode(); code == -1 {
						killed++
					}
					if code != -1 && code != exit.Failures {
						t.Fatalf("exit code %d after %d kills\n%s", code, killed, r.log.String())
					}
				}
				r.expectOnce(server, "o.jsonl")
			}
		})
	}
}

// A run does not continue from the checkpoint of another Inventory.
func TestResumeWithOtherInventory(t *testing.T) {
	t.Parallel()
	options := killedOptions()
	options.Objects = 500
	server, url := simtest.Start(t, options)
	objects := inventoryOf(server)
	_, manifest := writeInventory(t, inventory.Config{}, objects)
	_, other := writeInventory(t, inventory.Config{}, objects[1:])
	r := newResumed(t, url, "o.jsonl")
	r.args = append(r.args, "--inventory", manifest)
	r.complete()
	r.args[len(r.args)-1] = other
	r.completeWith(exit.Usage)
}
