package direct_test

import (
	"testing"

	"go.uber.org/goleak"

	"headcount/scan/head/direct"
	"headcount/scan/head/headtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T)          { headtest.Run(t, direct.New, 1) }
func TestConformancePipelined(t *testing.T) { headtest.Run(t, direct.New, 8) }
