package direct_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"headcount/scan/head"
	"headcount/scan/head/direct"
	"headcount/scan/head/headtest"
)

// newSession opens a Session of the direct engine for a RawStore.
func newSession(t *testing.T, s *headtest.RawStore, cfg head.Config) head.Session {
	t.Helper()
	return headtest.OpenSession(t, direct.New, cfg, s.URL)
}

// summary returns the keys that a RawStore had requests for, and the number of connections: "a b by 1".
func summary(s *headtest.RawStore) string {
	var keys []string
	for _, path := range s.Paths() {
		keys = append(keys, strings.TrimPrefix(path, "/b/"))
	}
	return fmt.Sprintf("%s by %d", strings.Join(keys, " "), s.Connections())
}

// warnings is a slog.Handler that counts warnings.
type warnings struct{ atomic.Int64 }

func (w *warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (w *warnings) Handle(context.Context, slog.Record) error        { w.Add(1); return nil }
func (w *warnings) WithAttrs([]slog.Attr) slog.Handler               { return w }
func (w *warnings) WithGroup(string) slog.Handler                    { return w }
