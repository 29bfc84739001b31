package list

import (
	"context"
	"errors"

	"headcount/scan/fault"
)

// sendWhereNamed sends one LIST, and once more to the region that its refusal named. If that region accepts the LIST,
// the Store switches to it, once. So a region that does not exist, or that only names another one, changes nothing: the
// LIST was refused.
func (l *Lister) sendWhereNamed(ctx context.Context, req request, turn int) (*answer, error) {
	a, refused := l.send(ctx, req, turn)
	var named *StoreError
	if !errors.As(refused, &named) || !named.isWrongRegion() {
		return a, refused
	}
	endpoint, ok := l.cfg.Store.EndpointIn(named.BucketRegion, turn)
	if !ok {
		return nil, refused
	}
	l.cfg.Limiter.Charge(1)
	a, err := l.sendTo(ctx, req, endpoint)
	if err != nil {
		err = l.explain(err, endpoint)
	}
	switch {
	case acceptsRegion(err):
		if l.cfg.Store.SwitchRegion(named.SignedRegion, named.BucketRegion) {
			l.cfg.Log.Info("the bucket is in another region", "region", named.BucketRegion)
		}
		return a, err
	case err != nil && leadsNowhere(fault.ClassOf(err)) || fault.IsRefused(err):
		l.cfg.Log.Debug("an answer named a region that does not accept a LIST", "region", named.BucketRegion, "error", err)
		return nil, refused
	}
	return nil, err // the region may accept the LIST later
}

// isWrongRegion reports whether the answer refuses the request for the region that it was signed for or sent to.
// AccessDenied is no such answer: the store checks rights after the signature.
func (e *StoreError) isWrongRegion() bool {
	return e.BucketRegion != "" && e.BucketRegion != e.SignedRegion && e.Code != "AccessDenied" &&
		!e.Failure().Transient()
}

// acceptsRegion reports whether the answer to a LIST shows that its region was right.
func acceptsRegion(err error) bool {
	var refused *StoreError
	switch {
	case err == nil:
		return true
	case !errors.As(err, &refused), refused.isWrongRegion():
		return false
	}
	switch fault.Class(refused.Code) {
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", fault.ExpiredToken, fault.ClockSkew:
		return true // a store looks at keys and rights after the region
	}
	return false
}

// leadsNowhere reports whether a request to a region that does not exist fails so: its host has no address, or no
// certificate.
func leadsNowhere(class fault.Class) bool {
	return class == fault.DNS || class == fault.TLS || class == fault.Configuration
}
