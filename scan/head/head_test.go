package head_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"headcount/scan/head"
	"headcount/scan/head/headtest"
	"headcount/scan/pace"
	"headcount/scan/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSDK(t *testing.T) {
	headtest.Run(t, func(s *store.Store, gate *pace.Gate, timeout time.Duration) head.Engine {
		return head.NewSDK(s, gate, timeout)
	})
}
