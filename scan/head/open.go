package head

import (
	"fmt"
	"log/slog"
)

// The engines by name. Auto is the direct one wherever that gives the same answers.
const (
	AutoName   = "auto"
	DirectName = "direct"
	SDKName    = "sdk"

	// ListName is that of none that sends HEADs: the metadata are taken from the listing (WithListed), and HEADs are sent, as by
	// auto, for what it does not give.
	ListName = "list"
)

// Open returns the engine of that name and why it is the one; "" is AutoName. It sends nothing. The error is a
// store.DirectUnsupportedError: the direct engine was asked for, and only the SDK can send the Store's requests.
func Open(name string, cfg Config) (engine Engine, why string, err error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	unusual := cfg.Store.DirectUnsupported()
	switch name {
	case SDKName:
		return newSDK(cfg), "asked for", nil
	case DirectName:
		if unusual != nil {
			return nil, "", unusual
		}
		return newDirect(cfg), "asked for", nil
	case AutoName, ListName, "":
		if unusual != nil {
			return newSDK(cfg), unusual.Error(), nil
		}
		return newDirect(cfg), "the SDK would send plain requests", nil
	}
	return nil, "", fmt.Errorf("there is no engine %q", name)
}
