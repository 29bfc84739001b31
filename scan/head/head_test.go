package head_test

import (
	"testing"

	"go.uber.org/goleak"

	"headcount/scan/head"
	"headcount/scan/head/headtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSDK(t *testing.T)             { headtest.Run(t, head.SDKName, 1) }
func TestDirect(t *testing.T)          { headtest.Run(t, head.DirectName, 1) }
func TestDirectPipelined(t *testing.T) { headtest.Run(t, head.DirectName, 8) }
