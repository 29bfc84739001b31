package scan_test

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"headcount/scan"
	"headcount/scan/fault"
	"headcount/scan/store"
)

// An object whose answer is rejected for its syntax is a failure. The objects around it are asked for again at most
// once, although every connection ends with the rejected answer.
func TestRejectedAnswer(t *testing.T) {
	const (
		objects  = 60
		attempts = 2
		bad      = 40
	)
	for name, c := range map[string]struct {
		line  string // of the header
		class fault.Class
	}{
		"NUL in a value": {"x-amz-meta-q: a\x00b", fault.Malformed},
		"no colon":       {"x-amz-meta-q", fault.Malformed},
		"too long":       {"x-amz-meta-q: " + strings.Repeat("a", 70_000), fault.HeaderTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			forEachEngine(t, func(t *testing.T, cfg scan.Config) {
				var heads atomic.Int64
				f := &forger{objects: objects, etag: keyETag, send: func(f *forger, conn net.Conn, i int) bool {
					heads.Add(1)
					if i == bad {
						return write(conn, f.answer(i, "bad", c.line))
					}
					return write(conn, f.right(i))
				}}
				s, err := store.Open(t.Context(), store.Config{
					Bucket: "demo", Endpoints: []string{f.start(t)}, Isolated: true, Connections: 4,
				})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				cfg.Workers, cfg.MaxAttempts, cfg.All = 1, attempts, true
				r := run(t.Context(), t, s, cfg)
				if r.err != nil || len(r.lines) != objects-1 || len(r.failed) != 1 || r.failed[0].Class != c.class {
					t.Errorf("%d lines, failed %v, error %v", len(r.lines), r.failed, r.err)
				}
				if n := heads.Load(); n > 2*objects {
					t.Errorf("%d HEADs for %d objects", n, objects)
				}
			})
		})
	}
}
