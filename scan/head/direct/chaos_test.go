package direct_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/head/direct"
	"headcount/scan/head/headtest"
)

// step is what a store does with one request.
type step struct {
	do   string
	cuts []int // where the answer is cut into writes, where it is; modulo its length
}

// Of these steps a connection survives the first ones; what the client does about the others is its own business.
const (
	goodSteps = "answer answer answer 103 cut hold hold"
	badSteps  = "answer-close say-close close reset garbage half-close body-behind body-before twice late swap leave-out 404 500"
)

// play does the steps, and then serves well.
func play(c *headtest.Conn, steps []step) {
	var (
		held   []string // answers that are not sent yet; there are some only while requests wait
		before string   // the right answer to the request before
		behind bool     // one was left out: answers that cannot be held against the LIST would not be noticed
	)
	say := func(text string) bool {
		ok := c.Send(strings.Join(held, "") + text)
		held = nil
		return ok
	}
	for _, s := range steps {
		r := c.ReadRequest()
		if r == nil {
			return
		}
		answer, ok := headtest.Answer(r.RequestURI), true
		switch s.do {
		case "answer":
			ok = say(answer)
		case "103":
			ok = say("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + answer)
		case "cut":
			ok = say("")
			from := 0
			for _, cut := range append(slices.Clone(s.cuts), len(answer)) {
				to := max(from, cut%(len(answer)+1))
				ok = ok && c.Send(answer[from:to])
				from = to
			}
			ok = ok && c.Send(answer[from:])
		case "hold":
			if held = append(held, answer); c.Buffered() == 0 {
				ok = say("")
			}
		case "swap":
			if held = append([]string{answer}, held...); c.Buffered() == 0 {
				ok = say("")
			}
		case "leave-out":
			if c.Buffered() == 0 {
				ok = say(answer)
			} else {
				behind = true
			}
		case "twice":
			ok = say(answer + answer)
		case "late":
			ok = say(before + answer)
		case "body-behind":
			ok = say(answer + "<Error/>")
		case "body-before":
			ok = say("<Error/>" + answer)
		case "404", "500":
			if !behind {
				answer = "HTTP/1.1 " + s.do + " X\r\nContent-Length: 9\r\n\r\n"
			}
			ok = say(answer)
		case "say-close":
			say(headtest.Answer(r.RequestURI, "Connection: close"))
			return
		case "answer-close":
			say(answer)
			return
		case "half-close":
			say(answer[:len(answer)/2])
			return
		case "garbage":
			say("\x00\x01\x02 garbage\r\n\r\n")
			return
		case "reset":
			c.Reset()
			return
		case "close":
			return
		}
		if !ok {
			return
		}
		before = headtest.Answer(r.RequestURI)
	}
	if say("") {
		c.Serve()
	}
}

// Whatever a store does on its connections, every key is handed on once and in order, and what is handed on as its answer is
// its own.
func TestChaos(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		conns := rapid.SliceOfN(rapid.SliceOfN(rapid.Custom(func(t *rapid.T) step {
			s := step{do: rapid.SampledFrom(strings.Fields(goodSteps)).Draw(t, "step")}
			if rapid.IntRange(0, 4).Draw(t, "luck") == 0 {
				s.do = rapid.SampledFrom(strings.Fields(badSteps)).Draw(t, "fault")
			}
			if s.do == "cut" {
				s.cuts = rapid.SliceOfN(rapid.IntRange(0, 200), 1, 4).Draw(t, "cuts")
				slices.Sort(s.cuts)
			}
			return s
		}), 1, 12), 0, 6).Draw(t, "connections")
		s := headtest.NewRawStore(t, func(c *headtest.Conn) {
			var steps []step
			if c.Index < len(conns) {
				steps = conns[c.Index]
			}
			play(c, steps)
		})
		session := headtest.OpenSession(t, direct.New, head.Config{
			Pipeline: rapid.IntRange(1, 8).Draw(t, "pipeline"), Timeout: 10 * time.Second,
		}, s.URL)
		var failed, refused, unlike int
		for batch := range rapid.IntRange(1, 3).Draw(t, "batches") {
			var keys []string
			for i := range rapid.IntRange(1, 20).Draw(t, "keys") {
				keys = append(keys, fmt.Sprintf("%d-%d", batch, i))
			}
			entries := headtest.Entries(keys...)
			for i, r := range headtest.Head(t, session, entries) {
				switch {
				case r.Err != nil:
					failed++
					if class := fault.ClassOf(r.Err); class == fault.Timeout || class == fault.Connection {
						t.Errorf("%s: %v", keys[i], r.Err)
					}
				case r.Status != 200:
					refused++
				case r.Mismatch:
					unlike++
				case !headtest.IsAnswer(&r, keys[i]):
					t.Errorf("%s has what is another's: %s", keys[i], r.Metadata)
				}
			}
		}
		// What fails an object is a connection that ends, or brings garbage, before it has answered anything. All else is
		// asked again, unless it looks like the only answer that will come.
		for what, count := range map[string]struct{ got, most int }{
			"failures":                               {failed, countSteps(conns, "close reset garbage half-close body-before")},
			"refusals":                               {refused, countSteps(conns, "404 500")},
			"answers that are another's and look it": {unlike, countSteps(conns, "twice")},
		} {
			if count.got > count.most {
				t.Errorf("%d %s, where %d are to be expected", count.got, what, count.most)
			}
		}
	})
}

// countSteps is how many of the steps do one of these.
func countSteps(conns [][]step, do string) (n int) {
	for _, steps := range conns {
		for _, s := range steps {
			if slices.Contains(strings.Fields(do), s.do) {
				n++
			}
		}
	}
	return n
}
