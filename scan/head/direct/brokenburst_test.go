package direct_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"headcount/scan/head"
	"headcount/scan/head/direct"
	"headcount/scan/head/headtest"
)

// An overwritten object breaks its burst. That is no proof that the store sends more than its answers.
func TestBrokenBurstIsNoSurplus(t *testing.T) {
	const depth = 8
	keys := headtest.Keys(60)
	overwritten := map[string]bool{"/b/key-0": true, "/b/key-5": true, "/b/key-10": true, "/b/key-26": true}
	s := headtest.NewRawStore(t, func(c *headtest.Conn) {
		for {
			paths := c.ReadBurst(depth)
			if len(paths) == 0 {
				return
			}
			for _, path := range paths { // one write each, so that a burst is read in parts
				of := path
				if overwritten[path] {
					of += "-overwritten"
				}
				if !c.Send(headtest.Answer(of)) {
					return
				}
			}
		}
	})
	var log bytes.Buffer
	session := headtest.OpenSession(t, direct.New, head.Config{
		Pipeline: depth, Log: slog.New(slog.NewTextHandler(&log, nil)),
	}, s.URL)
	for i, r := range headtest.Head(t, session, headtest.Entries(keys...)) {
		if r.Err != nil || r.Mismatch != overwritten["/b/"+keys[i]] {
			t.Errorf("%s: mismatch %v, error %v", keys[i], r.Mismatch, r.Err)
		}
	}
	if strings.Contains(log.String(), "sends more") {
		t.Error(log.String())
	}
}
