package engine_test

import (
	"errors"
	"strings"
	"testing"

	"headcount/scan/head"
	"headcount/scan/head/engine"
	"headcount/scan/head/headtest"
	"headcount/scan/pace"
	"headcount/scan/store"
)

// Open returns the engine of the name, SDK for a Store that only the SDK can send the requests of, and an error if
// the name forbids that.
func TestOpen(t *testing.T) {
	const accessPoint = "arn:aws:s3:eu-west-1:123456789012:accesspoint/ap"
	const url = "http://127.0.0.1:1"
	plain := headtest.OpenStore(t, store.Config{Bucket: "b", Endpoints: []string{url}, Region: "r", Anonymous: true})
	unusual := headtest.OpenStore(t, store.Config{Bucket: accessPoint, Region: "eu-west-1", Anonymous: true})
	const bySDK = "the SDK would send plain requests"
	for _, c := range []struct {
		name  string
		store *store.Store
		want  string // the engine; empty: an error
		why   string // a part of the reason, or of the error
	}{
		{"", plain, engine.Direct, bySDK},
		{engine.Auto, plain, engine.Direct, bySDK},
		{engine.List, plain, engine.Direct, bySDK},
		{engine.Direct, plain, engine.Direct, "asked for"},
		{engine.SDK, plain, engine.SDK, "asked for"},
		{"", unusual, engine.SDK, "ARN"},
		{engine.Auto, unusual, engine.SDK, "ARN"},
		{engine.List, unusual, engine.SDK, "ARN"},
		{engine.Direct, unusual, "", "ARN"},
		{engine.SDK, unusual, engine.SDK, "asked for"},
		{"curl", plain, "", `unknown engine "curl"`},
	} {
		e, why, err := engine.Open(c.name, head.Config{Store: c.store, Limiter: new(pace.Limiter)})
		if err != nil {
			why = err.Error()
		}
		if got := nameOf(e); got != c.want || !strings.Contains(why, c.why) {
			t.Errorf("%q: engine %q, %s; want %q, %s", c.name, got, why, c.want, c.why)
		}
		var unsupported *store.DirectUnsupportedError
		if c.name == engine.Direct && c.want == "" && !errors.As(err, &unsupported) {
			t.Errorf("%q: the error is %#v", c.name, err)
		}
	}
}

func nameOf(e head.Engine) string {
	if e == nil {
		return ""
	}
	return e.Name()
}
