package sdk_test

import (
	"testing"

	"go.uber.org/goleak"

	"headcount/scan/head/headtest"
	"headcount/scan/head/sdk"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) { headtest.Run(t, sdk.New, 1) }
