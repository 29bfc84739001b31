package process

import (
	"os"
	"time"
)

const usageKnown = false

func usageOf(*os.ProcessState) (cpu time.Duration, maxRSS int64) { return 0, 0 }

func killGroup(p *os.Process) error { return p.Kill() }
