package scan

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"headcount/scan/head"
	"headcount/scan/list"
	"headcount/scan/pace"
)

// suspect is an object whose HEAD was refused without a reason, or went on failing.
type suspect struct {
	batch *batch // of that one object
	err   *ObjectError
	worn  bool // it failed often, while no other object succeeded
}

// docket is where suspects wait for the judge. Adding to it never blocks.
type docket struct {
	wake chan struct{} // holds one token while there are suspects

	mu       sync.Mutex
	suspects []*suspect
}

func newDocket() *docket { return &docket{wake: make(chan struct{}, 1)} }

func (d *docket) add(s *suspect) {
	d.mu.Lock()
	d.suspects = append(d.suspects, s)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *docket) take() []*suspect {
	d.mu.Lock()
	defer d.mu.Unlock()
	suspects := d.suspects
	d.suspects = nil
	return suspects
}

// judge decides about suspects. The answer to a HEAD has no body and so does not name the error; the canary's LIST
// does. It flies once for all suspects that wait, and only after they were refused, so what it learns holds for each of
// them: if the store answers it, the refusal was meant for the object alone.
//
// Even a 404 is believed only so: versitygw gives it for an access key that it does not know.
func (s *Scan) judge(ctx context.Context) error {
	session := s.engine.Session()
	defer session.Close()
	for {
		select {
		case <-s.docket.wake:
		case <-s.open.drained:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		suspects := s.docket.take()
		refreshed, err := s.canary(ctx)
		if err != nil {
			return err
		}
		answers := false
		if !refreshed {
			answers, err = s.answersHeads(ctx, session, suspects)
			if err != nil {
				return err
			}
		}
		for _, suspect := range suspects {
			if err := s.decide(ctx, suspect, refreshed, answers); err != nil {
				return err
			}
		}
	}
}

// canary asks until the store says something: nil, if it answers. refreshed means that the credentials had expired and
// are renewed.
func (s *Scan) canary(ctx context.Context) (refreshed bool, err error) {
	for try := 1; ; try++ {
		err := s.lister.Probe(ctx)
		var refused *list.StoreError
		switch {
		case err == nil:
			return false, nil
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		case errors.As(err, &refused) && refused.Code == "ExpiredToken" && s.cfg.Store.RefreshCredentials(ctx):
			s.cfg.Log.Info("the credentials have expired and are renewed")
			return true, s.silence(err)
		case list.Decided(err):
			return false, err
		}
		if err := s.silence(err); err != nil {
			return false, err
		}
		s.cfg.Log.Warn("the canary's LIST failed, trying again", "error", err)
		if err := pace.Sleep(ctx, pace.Delay(try)); err != nil {
			return false, err
		}
	}
}

// silence is an error when nothing has succeeded for too long.
func (s *Scan) silence(last error) error {
	silence := time.Since(time.Unix(0, s.good.at.Load()))
	if silence < s.cfg.RetryFor {
		return nil
	}
	return &SilenceError{For: silence, Last: last}
}

// answersHeads asks again for the object that succeeded last, if a worn suspect has to be judged: at the end of a
// run there may be no other object whose success would show that the store is well.
func (s *Scan) answersHeads(ctx context.Context, session head.Session, suspects []*suspect) (bool, error) {
	needed := false
	for _, suspect := range suspects {
		needed = needed || suspect.worn
	}
	good := s.good.entry.Load()
	if !needed || good == nil {
		return false, nil
	}
	answers := false
	counts := newHeadCounts()
	err := session.Head(ctx, []list.Entry{*good}, func(r *head.Result) {
		counts.requests[resultName(r)]++
		s.progress.heads.Add(1)
		answers = r.Status == http.StatusOK
	})
	s.meter.headsSent(&counts)
	return answers, err
}

// decide gives a suspect its Outcome, or lets it be asked again.
func (s *Scan) decide(ctx context.Context, suspect *suspect, refreshed, answersHeads bool) error {
	b, e := suspect.batch, suspect.err
	if refreshed || suspect.worn && !answersHeads {
		s.meter.headAgain(e)
		return s.later(ctx, b, pace.Delay(b.trial.sent))
	}
	r := ruling{settled: 1}
	switch {
	case e.Status == http.StatusNotFound && b.page.Doubtful(e.Key):
		e.Class, e.Err = "lossy_key", errLossyKey
		fallthrough
	case e.Status != http.StatusNotFound:
		r.outcomes.Failed, r.failures = 1, []*ObjectError{e}
	default:
		r.outcomes.Gone = 1
	}
	return s.settle(ctx, b.page, &r)
}

// errLossyKey is why an object that was listed cannot be found.
var errLossyKey = errors.New("the store lists this key in a form that it does not know itself")
