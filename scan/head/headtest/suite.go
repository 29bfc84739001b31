// Package headtest is the conformance suite of head.Engine. Each engine's package runs it.
//
// A RawStore is a store that speaks HTTP/1.1 byte by byte, right or wrong, on connections that a test writes itself.
// The other exported functions are for further tests of engines.
package headtest

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"headcount/scan/head"
)

// opener opens a Session of the tested Engine for a RawStore.
type opener func(*testing.T, *RawStore) head.Session

// Run runs the suite against the Engine that newEngine makes, with that many HEADs in flight on a connection.
func Run(t *testing.T, newEngine NewEngine, pipeline int) {
	open := func(t *testing.T, s *RawStore) head.Session {
		return OpenSession(t, newEngine, head.Config{Pipeline: pipeline}, s.URL)
	}
	suite := map[string]func(*testing.T, opener){
		"Metadata":        testMetadata,
		"Answers":         testAnswers,
		"Mismatch":        testMismatch,
		"Failures":        testFailures,
		"Controls":        testControls,
		"Paths":           testPaths,
		"Versions":        testVersions,
		"Order":           testOrder,
		"Framing":         testFraming,
		"NewConn":         testNewConn,
		"Sending":         testSending,
		"Closing":         testClosing,
		"Cancel":          testCancel,
		"Contexts":        testContexts,
		"StaleConnection": testStaleConnection,
		"Tails":           testTails,
	}
	for name, test := range suite {
		t.Run(name, func(t *testing.T) { test(t, open) })
	}
	t.Run("MetadataPrefix", func(t *testing.T) { testMetadataPrefix(t, newEngine, pipeline) })
	t.Run("Headers", func(t *testing.T) { testHeaders(t, newEngine, pipeline) })
	t.Run("Timeouts", func(t *testing.T) { testTimeouts(t, newEngine, pipeline) })
	t.Run("Unconnected", func(t *testing.T) { testUnconnected(t, newEngine, pipeline) })
	t.Run("Endpoints", func(t *testing.T) { testEndpoints(t, newEngine) })
	t.Run("Trust", func(t *testing.T) { testTrust(t, newEngine) })
	t.Run("HTTP2", func(t *testing.T) { testHTTP2(t, newEngine) })
}

// Endings of an answer. An answer without one keeps the connection open.
const (
	hangUp = "\x00hang up"
	stall  = "\x00stall"
	drip   = "\x00drip" // sends the answer byte by byte, one every dripInterval
)

const dripInterval = 20 * time.Millisecond

// newScriptedStore starts a RawStore that answers each request with the text that answer returns.
func newScriptedStore(t *testing.T, answer func(r *http.Request, index int) string) *RawStore {
	t.Helper()
	var requests atomic.Int64
	return NewRawStore(t, func(c *Conn) {
		for r := c.ReadRequest(); r != nil; r = c.ReadRequest() {
			text, ending, _ := strings.Cut(answer(r, int(requests.Add(1))-1), "\x00")
			ending = "\x00" + ending
			if ending == drip {
				for _, b := range []byte(text) {
					if !c.Send(string(b)) {
						return
					}
					time.Sleep(dripInterval)
				}
				continue
			}
			if !c.Send(text) {
				return
			}
			switch ending {
			case hangUp:
				return
			case stall:
				c.Stall()
				return
			}
		}
	})
}

func always(text string) func(*http.Request, int) string {
	return func(*http.Request, int) string { return text }
}
