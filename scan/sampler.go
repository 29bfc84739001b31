package scan

import (
	"context"
	"net/http"
	"sync/atomic"

	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/metrics"
)

// sampler sends HEADs for an object that was found before, if there is one. At the end of a run there may be no other
// object whose success would show that the store answers HEADs. One goroutine uses it.
type sampler struct {
	storeAccess
	object *atomic.Pointer[list.Entry]

	session       head.Session // made with the first refusal: before, its endpoint would be the one meant for a worker
	sessionEngine string       // the name of session's engine
}

// head sends one HEAD. A store that says the object is gone answers too.
func (s *sampler) head(ctx context.Context) (answered bool, err error) {
	object := s.object.Load()
	if object == nil {
		return false, nil
	}
	if name := s.engine.Name(); s.session == nil || s.sessionEngine != name {
		s.close()
		s.session, s.sessionEngine = s.engine.Session(), name
	}
	counts := metrics.NewHeadCounts()
	err = s.session.Head(ctx, head.NewBatch([]list.Entry{*object}), func(r *head.Result) {
		counts.Add(r)
		if answered = r.Status == http.StatusOK || r.Status == http.StatusNotFound; answered {
			s.health.OK(r.Received)
			s.limiter.ObserveAnswers(1)
		}
	})
	s.progress.Heads.Add(counts.Heads)
	s.metrics.AddHeads(&counts)
	return answered, err
}

// probe is the probe of a canary that needs no right to list: a HEAD. Where none is answered, a LIST names the reason.
// A LIST that is denied shows that the credentials are valid.
func (s *sampler) probe(ctx context.Context, lister *list.Lister) error {
	if answered, err := s.head(ctx); answered || err != nil {
		return err
	}
	if err := lister.Probe(ctx); !list.IsListDenied(err) {
		return err
	}
	return nil
}

func (s *sampler) close() {
	if s.session != nil {
		s.session.Close()
	}
}
