package direct_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"headcount/scan/fault"
	"headcount/scan/head"
	"headcount/scan/head/direct"
	"headcount/scan/head/headtest"
)

// step is the reaction of a store to one request.
type step struct {
	do   string
	cuts []int // of "cut": the offsets between two writes, modulo the answer's length
}

// A connection survives the good steps. It may survive a bad one.
const (
	goodSteps = "answer answer answer 103 cut hold hold"
	badSteps  = "answer-close announce-close close reset garbage half-close body-after body-before twice late swap " +
		"leave-out 404 500"
)

// play does the steps, and then answers every request.
func play(c *headtest.Conn, steps []step) {
	var (
		held   []string // answers not sent yet; none unless further requests are there
		before string   // the right answer to the last request
		behind bool     // an answer was left out; another without ETag would be taken for it unnoticed
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
		case "body-after":
			ok = say(answer + "<Error/>")
		case "body-before":
			ok = say("<Error/>" + answer)
		case "404", "500":
			if !behind {
				answer = "HTTP/1.1 " + s.do + " X\r\nContent-Length: 9\r\n\r\n"
			}
			ok = say(answer)
		case "announce-close":
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

// Whatever a store does, every key gets one Result, in order, and a Result without error or mismatch is the key's
// own.
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
			Pipeline: rapid.IntRange(1, 8).Draw(t, "pipeline"), Timeout: headtest.Timeout,
		}, s.URL)
		var failed, refused, mismatches int
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
					mismatches++
				case !headtest.IsAnswer(&r, keys[i]):
					t.Errorf("%s has the metadata of another: %s", keys[i], r.Metadata)
				}
			}
		}
		// An object fails when a new connection ends, or sends garbage, before its first answer. In all other cases
		// the session sends the HEAD again, unless it takes the bytes for the one answer that is due.
		for name, count := range map[string]struct{ got, most int }{
			"failures":   {failed, countSteps(conns, "close reset garbage half-close body-before")},
			"refusals":   {refused, countSteps(conns, "404 500")},
			"mismatches": {mismatches, countSteps(conns, "twice")},
		} {
			if count.got > count.most {
				t.Errorf("%d %s, want %d at most", count.got, name, count.most)
			}
		}
	})
}

// countSteps counts the steps that are in names.
func countSteps(conns [][]step, names string) (n int) {
	for _, steps := range conns {
		for _, s := range steps {
			if slices.Contains(strings.Fields(names), s.do) {
				n++
			}
		}
	}
	return n
}
