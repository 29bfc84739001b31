// Package engine opens a head.Engine by the name that --engine takes.
package engine

import (
	"fmt"

	"headcount/scan/head"
	"headcount/scan/head/direct"
	"headcount/scan/head/sdk"
)

// Names of engines, as --engine takes them.
const (
	Direct = direct.Name
	SDK    = sdk.Name

	// Auto is Direct for every store whose requests it can send, and otherwise SDK.
	Auto = "auto"

	// List takes metadata from the listing (head.WithKnownMetadata). Open opens the same engine for it as for Auto:
	// it sends the HEADs for the objects whose metadata the listing lacks.
	List = "list"
)

// Open returns the engine of that name, and why that name led to it. An empty name is Auto. Open sends nothing.
//
// The error is a store.DirectUnsupportedError if the name is Direct and only the SDK can send the Store's requests.
func Open(name string, cfg head.Config) (e head.Engine, why string, err error) {
	unsupported := cfg.Store.DirectUnsupported()
	switch name {
	case SDK:
		return sdk.New(cfg), "asked for", nil
	case Direct:
		if unsupported != nil {
			return nil, "", unsupported
		}
		return direct.New(cfg), "asked for", nil
	case Auto, List, "":
		if unsupported != nil {
			return sdk.New(cfg), unsupported.Error(), nil
		}
		return &auto{direct.New(cfg), sdk.New(cfg), cfg.Store.DirectUnsupported}, "the SDK would send plain requests", nil
	}
	return nil, "", fmt.Errorf("unknown engine %q", name)
}

// auto is the direct engine as long as it can send the Store's requests, and then the SDK: in another region a proxy
// may be configured, or the endpoint may need more than a plain request.
type auto struct {
	direct, sdk head.Engine
	unsupported func() error // Store.DirectUnsupported; its result may change with Store.Generation
}

func (e *auto) current() head.Engine {
	if e.unsupported() != nil {
		return e.sdk
	}
	return e.direct
}

// Name returns the name of the engine that sends from now on. Sessions from before a change of the name are to be
// closed.
func (e *auto) Name() string          { return e.current().Name() }
func (e *auto) Session() head.Session { return e.current().Session() }
