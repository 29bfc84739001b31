package list

import (
	"context"
	"errors"
	"net/http"

	"headcount/scan/fault"
	"headcount/scan/store"
)

// sendWhereNamed sends one LIST, and once more to the region that its refusal names (store.Store.TryRegion).
func (l *Lister) sendWhereNamed(ctx context.Context, req request, turn int) (*answer, error) {
	a, refused := l.send(ctx, req, turn)
	if refused == nil {
		return a, nil
	}
	var err error // of the LIST to the region
	named := regionAnswer(refused)
	tried, isRight := l.cfg.Store.TryRegion(named, turn, func(endpoint *store.Endpoint) store.RegionAnswer {
		l.cfg.Limiter.Charge(1)
		if a, err = l.sendTo(ctx, req, endpoint); err != nil {
			err = l.explain(err, endpoint)
		}
		return regionAnswer(err)
	})
	switch {
	case !tried:
		return nil, refused
	case isRight:
		l.cfg.Log.Info("the bucket is in another region", "region", named.Named)
		return a, err
	case err != nil && leadsNowhere(fault.ClassOf(err)) || fault.IsRefused(err):
		l.cfg.Log.Debug("an answer named a region that does not accept a LIST", "region", named.Named, "error", err)
		return nil, refused
	}
	return nil, err // the region may accept the LIST later
}

// regionAnswer returns what the answer to a LIST shows about its region. An error that is not of the store shows
// nothing.
func regionAnswer(err error) store.RegionAnswer {
	var e *StoreError
	switch {
	case err == nil:
		return store.RegionAnswer{Status: http.StatusOK}
	case errors.As(err, &e):
		return store.RegionAnswer{SignedFor: e.SignedRegion, Named: e.BucketRegion, Status: e.Status, Code: e.Code}
	}
	return store.RegionAnswer{}
}

// leadsNowhere reports whether a request to a region that does not exist fails so: its host has no address, or no
// certificate.
func leadsNowhere(class fault.Class) bool {
	return class == fault.DNS || class == fault.TLS || class == fault.Configuration
}
