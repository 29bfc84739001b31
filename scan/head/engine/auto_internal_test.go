package engine

import (
	"testing"

	"headcount/scan/head"
	"headcount/scan/store"
)

// namedEngine makes no Sessions, and counts how many it was asked for.
type namedEngine struct {
	name     string
	sessions int
}

func (e *namedEngine) Name() string          { return e.name }
func (e *namedEngine) Session() head.Session { e.sessions++; return nil }

// When the direct engine can no longer send the Store's requests, as after a change of the region, Auto goes on with
// the SDK.
func TestAutoFollowsTheStore(t *testing.T) {
	direct, sdk := &namedEngine{name: Direct}, &namedEngine{name: SDK}
	var unsupported error
	e := &auto{direct, sdk, func() error { return unsupported }}
	e.Session()
	before := e.Name()
	unsupported = &store.DirectUnsupportedError{Reason: "a proxy is configured"}
	e.Session()
	if before != Direct || e.Name() != SDK || direct.sessions != 1 || sdk.sessions != 1 {
		t.Errorf("%s, then %s; %d and %d sessions", before, e.Name(), direct.sessions, sdk.sessions)
	}
}
